"""Renders a model for TensorFlow Lite Micro: its bytes, a resolver with just its operators, its layers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.names import DEFAULT_PREFIX, PARAMETERS, ModelNames
from ecgseg.codegen.render import banner_of
from ecgseg.errors import GraphError
from ecgseg.graph.ends import ends_of
from ecgseg.graph.load import load_tflite
from ecgseg.output import write_files
from ecgseg.pipeline import SegmentRules
from ecgseg.templating import render_template

FOLDER = "tflm"
# Parser and header of those operators that do not go by their name and micro_ops.h
# (tensorflow/lite/micro/micro_mutable_op_resolver.h).
_PARSERS = {
    "AVERAGE_POOL_2D": "Pool",
    "MAX_POOL_2D": "Pool",
    "MEAN": "Reducer",
    "PADV2": "PadV2",
    "REDUCE_MAX": "Reducer",
}
_HEADERS = {
    "ADD": "add",
    "AVERAGE_POOL_2D": "pooling",
    "CONV_2D": "conv",
    "DEPTHWISE_CONV_2D": "depthwise_conv",
    "FULLY_CONNECTED": "fully_connected",
    "MAX_POOL_2D": "pooling",
    "MEAN": "reduce",
    "MUL": "mul",
    "SOFTMAX": "softmax",
}


@dataclass(frozen=True)
class ResolvedOperator:
    """One operator of the resolver.

    Attributes:
        code: its name in the schema, which Register_<code> carries too.
        parse: the function Parse<parse> reads its options.
    """

    code: str
    parse: str


def operators_of(data: bytes) -> tuple[ResolvedOperator, ...]:
    """The kinds of operators in a model, each once, by name. Raises GraphError for a damaged model."""
    codes = sorted({operator.name for operator in load_tflite(data).operators})
    return tuple(ResolvedOperator(code, _PARSERS.get(code) or _camel(code)) for code in codes)


def _camel(code: str) -> str:
    return "".join(part if part[0].isdigit() else part.capitalize() for part in code.replace("_2D", "_2_D").split("_"))


def render_tflm(data: bytes, manifest: Manifest, generated: Path, *, prefix: str = DEFAULT_PREFIX) -> Path:
    """Writes <prefix>_model.h, <prefix>_tflm_model.cc and, for a segmenter, the preprocessor's parameters.

    Args:
        data: the .tflite file.
        manifest: what the generator of the same model returned.
        generated: where it rendered to; the files go to its subfolder `tflm`.
        prefix: as `ecgseg.codegen.render` takes it; the application is written for the default one.

    Returns:
        The subfolder.

    Raises:
        UsageError: the prefix is no C identifier.
        GraphError: the model has float32 or uint8 ends.
        OutputError: a file cannot be written.
    """
    ends = ends_of(load_tflite(data))
    if manifest.float_input or manifest.float_output or ends.uint8_input or ends.uint8_output:
        kind = "uint8" if ends.uint8_input or ends.uint8_output else "float32"
        raise GraphError(
            "The backend tflm takes models with int8 input and output only.",
            f"{manifest.model} has a {kind} input or output.",
            "Export it with int8 input and output, or use the backend aot.",
        )
    names = ModelNames(prefix)
    operators = operators_of(data)
    banner = banner_of(manifest)
    files = {
        names.header: render_template(
            "codegen", "ecgseg_model.h.j2", banner=banner, names=names, m=manifest, arena=False
        ),
        names.tflm_source: render_template(
            "codegen",
            "ecgseg_tflm_model.cc.j2",
            banner=banner,
            names=names,
            m=manifest,
            rules=SegmentRules.for_classes(manifest.class_count),
            data=data,
            operators=operators,
            headers=sorted({_HEADERS[operator.code] for operator in operators if operator.code in _HEADERS}),
            sha256=hashlib.sha256(data).digest(),
        ),
    }
    folder = generated / FOLDER
    if manifest.frame_length:
        files[PARAMETERS] = (generated / PARAMETERS).read_text(encoding="utf-8")
    write_files(folder, files, unwanted={PARAMETERS} - files.keys())
    return folder
