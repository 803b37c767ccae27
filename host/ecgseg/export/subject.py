"""A model as a library holds it: rendered C, and what is known of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ecgseg.codegen.manifest import Manifest, StreamManifest
from ecgseg.codegen.names import PARAMETERS, ModelNames
from ecgseg.codegen.optimise import CYCLES, PICKS
from ecgseg.codegen.render import render
from ecgseg.codegen.render_delineator import delineates, render_delineator
from ecgseg.errors import UsageError
from ecgseg.files import read_text
from ecgseg.models import ModelFile
from ecgseg.pipeline import DEFAULT_INPUT_RATE

_MAX_BYTES = 64 << 20
_NAMES = ModelNames()


class Kind(Enum):
    """What a library does: waves of frames, beats of a stream, or the model alone."""

    FRAMES = "frames"
    STREAM = "stream"
    MODEL = "model"


@dataclass(frozen=True)
class Subject:
    """A rendered model.

    Attributes:
        model: the .tflite.
        kind: what the library does.
        manifest: of the C.
        generated: its texts by file name, under the names of the firmware.
        input_rate: of raw samples, Hz; nothing where the model stands alone.
    """

    model: ModelFile
    kind: Kind
    manifest: Manifest | StreamManifest
    generated: dict[str, str]
    input_rate: int

    @property
    def frame_manifest(self) -> Manifest:
        """The manifest of a network of frames, or of one that stands alone."""
        assert isinstance(self.manifest, Manifest)
        return self.manifest

    @property
    def stream_manifest(self) -> StreamManifest:
        """The manifest of a stream."""
        assert isinstance(self.manifest, StreamManifest)
        return self.manifest


def subject_of(model: ModelFile, *, optimise: str = CYCLES, input_rate: int = DEFAULT_INPUT_RATE) -> Subject:
    """Renders a model.

    Args:
        model: any int8 .tflite.
        optimise: what kernels are chosen by, one of PICKS of `ecgseg.codegen.optimise`; a stream's by cycles.
        input_rate: of raw samples, Hz.

    Raises:
        GraphError: the model is damaged or not supported.
        UsageError: the preprocessor does not take the input rate, or a segmenter's input quantisation; or the model
            has no use for one of the numbers.
        OutputError: there is no room for temporary files.
    """
    manifest: Manifest | StreamManifest
    streams = delineates(model.data)
    if streams and optimise != CYCLES:
        raise UsageError(
            f"{model.name} runs as a stream.", "Of a stream the kernels are chosen by cycles.", "Leave out --optimise."
        )
    with tempfile.TemporaryDirectory(prefix="ecgseg-export-") as name:
        folder = Path(name)
        if streams:
            kind, wanted = Kind.STREAM, (_NAMES.stream_header, _NAMES.stream_source, PARAMETERS)
            manifest = render_delineator(model.data, folder, name=model.name, input_rate=input_rate)
        else:
            manifest = render(model.data, folder, name=model.name, input_rate=input_rate, pick=PICKS[optimise])
            kind = Kind.FRAMES if manifest.frame_length else Kind.MODEL
            wanted = (_NAMES.header, _NAMES.source, *((PARAMETERS,) if kind is Kind.FRAMES else ()))
        if kind is Kind.MODEL and input_rate != DEFAULT_INPUT_RATE:
            raise UsageError(
                f"{model.name} takes no raw samples.", "It is no segmenter, and is exported alone.", "Leave out --rate."
            )
        generated = {file: read_text(folder / file, _MAX_BYTES) for file in wanted}
    return Subject(model, kind, manifest, generated, input_rate)
