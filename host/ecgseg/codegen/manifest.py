"""What a rendered model is: written beside the C as manifest.json."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from ecgseg.errors import ModelError, cause
from ecgseg.files import read_text

FILE = "manifest.json"
STREAM_FILE = "stream.json"
_MAX_BYTES = 1 << 20


class LayerEntry(BaseModel):
    """One layer as the device counts them; a streamed one is computed a few rows at a time."""

    name: str
    operator: int
    tensor: int
    shape: list[int]
    bytes: int
    macs: int
    in_place: bool
    streamed: bool


class BufferEntry(BaseModel):
    """One activation or scratch area in the arena."""

    name: str
    offset: int
    size: int
    first: int
    last: int


class Manifest(BaseModel):
    """Everything the host needs to know about the generated code.

    Attributes:
        arena_bytes: static memory for all activations and scratch; the input buffer is the caller's.
        weight_bytes: constants in flash: weights, biases, scales.
        parameters: weights and biases of the int8 graph.
        float_input, float_output: the .tflite has a float32 input (output); its QUANTIZE (DEQUANTIZE) is left out, the
            device takes and answers int8.
        frame_length, class_count: 0 when the model is no segmenter.
    """

    generator: str
    generator_version: str
    engine_version: int
    model: str
    sha256: str
    input_rate: int
    input_shape: list[int]
    output_shape: list[int]
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    float_input: bool
    float_output: bool
    frame_length: int
    class_count: int
    parameters: int
    macs: int
    arena_bytes: int
    weight_bytes: int
    layers: list[LayerEntry]
    buffers: list[BufferEntry]


class StreamLayerEntry(BaseModel):
    """One layer of a stream.

    Attributes:
        kernel: function of the engine that computes it.
        rows: of its result in a block.
        row_bytes: of one of them.
        lag: rows by which they lie behind the input.
        kept_bytes: of its result, from block to block.
        in_place: the result replaces the input.
        macs: of a block.
    """

    name: str
    operator: int
    tensor: int
    kernel: str
    rows: int
    row_bytes: int
    lag: int
    kept_bytes: int
    in_place: bool
    macs: int


class KeptEntry(BaseModel):
    """Rows of a tensor in the state: those that are kept, then the new ones where these are not in the arena."""

    tensor: int
    offset: int
    kept_bytes: int
    new_bytes: int


class StreamManifest(BaseModel):
    """Everything the host needs to know about a network that was rendered as a stream.

    Attributes:
        block: input rows that are computed at a time.
        block_answers: rows of the output that a block gives.
        lag: of them, how many the last one lies behind the last input.
        faint_margin: how far a score of P may be below that of NONE to be a faint P wave's; 0: none is faint.
        end_answers: the most that the end of a record gives.
        least, granule: records have at least so many rows, a multiple of the granule.
        state_bytes: of the state, one a record; the caller's.
        arena_bytes: needed during a call; streams that run one after the other may share it.
        weight_bytes: constants in flash.
        macs: of a block.
    """

    generator: str
    generator_version: str
    engine_version: int
    model: str
    sha256: str
    input_row_bytes: int
    output_row_bytes: int
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    faint_margin: int
    block: int
    block_answers: int
    lag: int
    end_answers: int
    least: int
    granule: int
    parameters: int
    state_bytes: int
    arena_bytes: int
    weight_bytes: int
    macs: int
    layers: list[StreamLayerEntry]
    kept: list[KeptEntry]
    buffers: list[BufferEntry]


def read_manifest(generated: Path) -> Manifest:
    """What is known of a model that was rendered.

    Args:
        generated: folder of its C.

    Raises:
        ModelError: the manifest is missing or damaged.
    """
    return _read(generated, FILE, Manifest)


def read_stream_manifest(generated: Path) -> StreamManifest:
    """The same of a network that was rendered as a stream."""
    return _read(generated, STREAM_FILE, StreamManifest)


_Kind = TypeVar("_Kind", Manifest, StreamManifest)


def _read(generated: Path, name: str, kind: type[_Kind]) -> _Kind:
    try:
        return kind.model_validate_json(read_text(generated / name, _MAX_BYTES))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"What was rendered into {generated} cannot be read ({name}).",
            cause(error, "It is not what `invoke render` writes."),
            "Render the model again.",
        ) from error
