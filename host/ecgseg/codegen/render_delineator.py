"""Renders what an image with a delineator is made of: the network as a stream, and the numbers of its surroundings."""

from __future__ import annotations

from pathlib import Path

from ecgseg.codegen.manifest import StreamManifest
from ecgseg.codegen.names import PARAMETERS, ModelNames
from ecgseg.codegen.parameters import render_c_header
from ecgseg.codegen.render import banner_of
from ecgseg.codegen.render_stream import render_stream
from ecgseg.errors import GraphError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.streaming import stream_of
from ecgseg.output import write_files
from ecgseg.pipeline import DEFAULT_INPUT_RATE
from ecgseg.pipeline.reported import CLASSES_OF_BEATS
from ecgseg.pipeline.stream_segmenter import StreamSegmenter, is_stream
from ecgseg.templating import render_template


def delineates(tflite: bytes) -> bool:
    """True for a network that a delineator runs: a stream of int8 samples at 100 Hz to the scores of four classes.

    Raises:
        GraphError: the file is damaged.
    """
    graph = load_tflite(tflite)
    if not is_stream(graph) or graph.tensors[graph.outputs[0]].shape[-1] != CLASSES_OF_BEATS:
        return False
    try:
        stream_of(graph)
    except GraphError:
        return False
    return True


def render_delineator(
    tflite: bytes, out_dir: Path, *, name: str | None = None, input_rate: int = DEFAULT_INPUT_RATE
) -> StreamManifest:
    """Render a model for an image with a delineator.

    Args:
        tflite: bytes of a network that `delineates`.
        out_dir: folder for what `render_stream` writes, for ecgseg_model.c and ecgseg_model.h, which tell HELLO about
            it, and for ecgseg_preprocess_params.h.
        name: of the model in the firmware.
        input_rate: raw rate in Hz.

    Returns:
        The manifest, as written.

    Raises:
        GraphError, ModelError: the model is damaged, or is none of a stream.
        UsageError: the preprocessor does not take the input rate, or the model's input quantisation.
        OutputError: a file cannot be written.
    """
    names = ModelNames()
    parameters = StreamSegmenter(tflite, input_rate).parameters
    manifest = render_stream(tflite, out_dir, name=name)
    banner = banner_of(manifest)
    values = {"banner": banner, "m": manifest, "sha256": bytes.fromhex(manifest.sha256)}
    files = {
        names.header: render_template("codegen", "ecgseg_delineator_model.h.j2", **values),
        names.source: render_template("codegen", "ecgseg_delineator_model.c.j2", **values),
        PARAMETERS: render_c_header(parameters, banner),
    }
    write_files(out_dir, files)
    return manifest
