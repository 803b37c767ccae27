"""What a library's test feeds and expects: a recording, and what the device's twins find in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.text import c_array
from ecgseg.data.databases.synthetic import RATE, synthesise
from ecgseg.export.subject import Kind, Subject
from ecgseg.graph.reference import INTERPRETER
from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.delineator import Delineator
from ecgseg.pipeline.events import Event
from ecgseg.pipeline.segmenter import Segmenter

EVENT_FIELDS = tuple(field.name for field in fields(Event))
RUNS = 3
_SEED = 2026
_RHYTHM, _LEAD, _A_MINUTE = "sinus", "ii", 72.0
# Where the recording has no contact, seconds.
_OFF_FROM, _OFF_TO = 3.6, 4.8
_ABOUT = (
    f"Synthetic ECG made for this test: 10 s, {_RHYTHM} rhythm at {_A_MINUTE:g} a minute, lead {_LEAD.upper()}, "
    f"{_OFF_TO - _OFF_FROM:g} s without contact;"
)


@dataclass(frozen=True)
class Array:
    """Numbers as the test's header holds them.

    Attributes:
        name, type: in C.
        about: what they are.
        count: how many; C has no array of none.
        text: the initialiser.
    """

    name: str
    type: str
    about: str
    count: int
    text: str

    @staticmethod
    def of(name: str, type: str, about: str, values: npt.ArrayLike) -> Array:
        """Numbers of any shape, one after the other."""
        flat = np.asarray(values).reshape(-1)
        flat = flat if flat.size else np.zeros(1, np.uint8)
        return Array(name, type, about, flat.size, c_array(flat))


@dataclass(frozen=True)
class Vectors:
    """What the test's header holds: a line about it, arrays, and of a stream the events."""

    about: str
    arrays: tuple[Array, ...]
    events: list[dict[str, int]] | None = None


def vectors_of(subject: Subject) -> Vectors:
    """Input and expected answers of a library's test; the same model gives the same bytes.

    Raises:
        GraphError: the oracle does not take the model.
    """
    if subject.kind is Kind.STREAM:
        return _stream(subject)
    return _frames(subject) if subject.kind is Kind.FRAMES else _model(subject)


def recording(rate: int) -> npt.NDArray[np.int16]:
    """The recording, int16 [10 s] microvolts at a rate in Hz."""
    made = synthesise(1, _RHYTHM, (_LEAD,), rng=np.random.default_rng(_SEED), rate=_A_MINUTE)[0].samples
    count = int(made.size / RATE * rate)
    resampled = np.interp(np.arange(count) / rate, np.arange(made.size) / RATE, made)
    samples = np.rint(resampled).astype(np.int16)
    samples[int(_OFF_FROM * rate) : int(_OFF_TO * rate)] = LEAD_OFF
    return samples


def _frames(subject: Subject) -> Vectors:
    twin = Segmenter(subject.model.data, subject.input_rate)
    raw = recording(subject.input_rate)
    found = twin.expect(raw)
    waves = [(wave.label, wave.onset, wave.offset) for frame in found for wave in frame.segments]
    return Vectors(
        f"{_ABOUT} its frames as the reference\n * in Python finds them.",
        (
            _samples(twin.stream(raw)),
            Array.of("vector_status", "uint8_t", "Status of each frame.", [int(frame.status) for frame in found]),
            Array.of(
                "vector_classes", "uint8_t", "Class of each sample of each frame.", _joined(f.mask for f in found)
            ),
            Array.of("vector_wave_count", "uint16_t", "Waves of all frames.", [len(waves)]),
            Array.of("vector_waves", "uint16_t", "Label, first and last sample of each wave, frame by frame.", waves),
        ),
    )


def _stream(subject: Subject) -> Vectors:
    raw = recording(subject.input_rate)
    found = Delineator(subject.model.data, subject.input_rate).record(raw)
    return Vectors(
        f"{_ABOUT} classes and events as the\n * reference in Python finds them.",
        (_samples(raw), Array.of("vector_classes", "uint8_t", "Class of each sample at 100 Hz.", found.classes)),
        [{name: int(value) for name, value in asdict(event).items()} for event in found.events],
    )


def _model(subject: Subject) -> Vectors:
    twin = Segmenter(subject.model.data)
    # Without its version, which says nothing of the bytes.
    oracle = INTERPRETER if twin.oracle == INTERPRETER else "TensorFlow Lite Micro"
    rng = np.random.default_rng(_SEED)
    inputs = rng.integers(-128, 128, (RUNS, twin.input_bytes)).astype(np.int8)
    return Vectors(
        f"Inputs drawn at random, and what {oracle} answers to them.",
        (
            Array.of("vector_inputs", "int8_t", "The inputs.", inputs),
            Array.of("vector_outputs", "int8_t", "The outputs.", [twin.run(data) for data in inputs]),
        ),
    )


def _samples(raw: npt.NDArray[np.int16]) -> Array:
    return Array.of("vector_samples", "int16_t", "Raw samples, microvolts.", raw)


def _joined(masks: Iterable[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return np.concatenate(list(masks))
