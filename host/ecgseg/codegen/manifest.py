"""What a rendered model is: written beside the C as manifest.json."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from ecgseg.errors import ModelError, cause
from ecgseg.files import read_text

FILE = "manifest.json"
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


def read_manifest(generated: Path) -> Manifest:
    """What is known of a model that was rendered.

    Args:
        generated: folder of its C.

    Raises:
        ModelError: the manifest is missing or damaged.
    """
    try:
        return Manifest.model_validate_json(read_text(generated / FILE, _MAX_BYTES))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"What was rendered into {generated} cannot be read ({FILE}).",
            cause(error, "It is not what `invoke render` writes."),
            "Render the model again.",
        ) from error
