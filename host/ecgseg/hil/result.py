"""What a HIL test has to say, for machines and for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from ecgseg.data.records import WAVE_LABELS, Record
from ecgseg.errors import EcgsegError
from ecgseg.hil.provenance import Provenance
from ecgseg.interruption import Stopped
from ecgseg.link import DeviceInfo, TimeBase
from ecgseg.pipeline import Segment
from ecgseg.scoring.collector import ScoreCollector
from ecgseg.scoring.intervals import Beat, segment_beats
from ecgseg.scoring.metrics import FiducialScore, FiducialScorer, SampleScores

PARTS = ("preprocess", "inference", "postprocess")
# "ludb", "qtdb", "synthetic", "replay", "random", "file", or the name of a database of the user's own.
Source = str
Verdict = Literal["pass", "fail", "incomplete"]


class Mismatch(BaseModel):
    """One frame that differs.

    Attributes:
        record, lead, frame: which one.
        stage: the part that differs first: "preprocessor", a layer by name, "class mask" or "segments".
        compared: the byte string that differs first: status, input, scores, mask or segments.
        offset: first byte that differs in it.
        expected, actual: that byte on the host and on the device, 0..255; None past the end.
        differing_bytes: over all stages of the frame.
        vector: file that keeps what was sent and both results, relative to the repository where possible.
        replay: command that runs it again.
    """

    record: int
    lead: str
    frame: int
    stage: str
    compared: str
    offset: int
    expected: int | None
    actual: int | None
    differing_bytes: int
    vector: str | None = None
    replay: str | None = None


class LeadOutcome(BaseModel):
    """What came of one lead that was compared to its end, or of one input of a model that does not segment.

    Attributes:
        record, lead: which one.
        label: what the record is called where it comes from, such as "sel100".
        compared_bytes, mismatched_bytes: of it.
        seconds: wall time on this host.
    """

    record: int
    lead: str
    label: str
    compared_bytes: int
    mismatched_bytes: int
    seconds: float


class Spread(BaseModel):
    """A figure over the frames: mean, smallest and largest."""

    mean: float
    min: float
    max: float


class Timing(BaseModel):
    """Device time per frame.

    Attributes:
        unit: "instructions" (counted, not cycles), "core clock cycles", or "microseconds" where the board knows
            no core clock; "ticks" of a device that told no rate.
        resolution: one tick of the device, in that unit.
        core_hz: core clock, 0 when unknown.
        parts: by part (preprocess, inference, postprocess), in that unit.
    """

    unit: str
    resolution: float
    core_hz: int
    parts: dict[str, Spread]


class Memory(BaseModel):
    """Bytes: the model's arena, the deepest stack (0: not measured), and the image's flash and RAM (0: unknown)."""

    arena_bytes: int
    stack_bytes: int
    flash_bytes: int
    ram_bytes: int


class Segmentation(BaseModel):
    """The device's answers against the annotation: sample by sample, and by onset and offset."""

    samples: SampleScores
    fiducials: dict[str, FiducialScore]

    @staticmethod
    def of(collector: ScoreCollector | None) -> Segmentation | None:
        """What was collected; None when there was no annotation to score against."""
        if collector is None or not collector.minutes:
            return None
        scores = collector.scores()
        return Segmentation(samples=scores.samples, fiducials=scores.fiducials)


@dataclass(frozen=True)
class Planned:
    """What a test is to send: records, and leads (or inputs of a model that does not segment) of all together."""

    records: int = 0
    leads: int = 0


class Injected(BaseModel):
    """Faults that were put into the line on purpose.

    Attributes:
        faults: what was asked for, as in --inject.
        seed: what chose them.
        to_device, to_host: how many there were in either direction; a delayed transfer is one, and so is each byte
            that fell into a cut.
    """

    faults: str
    seed: int
    to_device: int
    to_host: int


class HilResult(BaseModel):
    """Result of `invoke hil-test`.

    Attributes:
        target, board, backend: what ran.
        model, model_sha256, build_id: which model and image, as the device told them.
        image_sha256: of the BIN that `invoke flash` writes, "" for an image that is not flashed.
        source: "ludb", "qtdb", "synthetic", "replay", "file", "random" (inputs of a model that does not segment), or
            the name of a database of the user's own.
        records, leads: what was sent.
        frames: frames compared.
        expected_frames: frames of the leads that were begun.
        planned_frames, planned_records: of the whole test; leads that were not begun are taken for as long as the last
            one, and planned_frames is 0 when none was.
        differing_frames: of which a byte is not equal.
        compared_bytes, mismatched_bytes: over all frames; status, input, scores, mask and segments.
        requests, retries, crc_errors: of the link, as the host counted them.
        device_crc_errors, device_overruns: as the device counted them.
        verdict: "pass" when every byte of every frame is equal, "fail" when one is not, "incomplete" when the test
            did not reach its end.
        mismatches: the first differing frames in full.
        error: why the test did not reach its end.
        timing, memory: what a frame takes on the device.
        macs: multiplications of the model for one frame.
        segmentation: how good the answers are; None where nothing is annotated.
        not_scored: why answers were not scored or drawn; None when all were. It says nothing about the verdict.
        notes: what else there is to know, such as a fault before the device's last start.
        reset_cause: why the device last started, board specific bits, 0 when unknown.
        fault: the fault record of before that start, None without one.
        seconds: wall time of the test on this host.
        injected: faults that were put into the line; None for the line as it is.
        elf_sha256: of the image with its symbols, of every target.
        by_lead: leads that were compared to their end, in their order.
        oracle: what computed the expected bytes: "TensorFlow Lite Micro" and its version, or "ecgseg's interpreter",
            which is equal to it to the byte; "" of results from before there was a choice.
        provenance: when and by which command it was made, and what computed; None of a test that no command began.
    """

    target: str
    board: str
    backend: str
    model: str
    model_sha256: str
    build_id: str
    image_sha256: str = ""
    source: Source
    records: list[int]
    leads: list[str]
    frames: int
    expected_frames: int
    planned_frames: int = 0
    planned_records: int = 0
    differing_frames: int
    compared_bytes: int
    mismatched_bytes: int
    requests: int
    retries: int
    crc_errors: int
    device_crc_errors: int
    device_overruns: int
    verdict: Verdict
    mismatches: list[Mismatch]
    error: str | None
    timing: Timing
    memory: Memory
    macs: int
    segmentation: Segmentation | None
    not_scored: str | None = None
    notes: list[str] = []
    reset_cause: int = 0
    fault: str | None = None
    seconds: float
    injected: Injected | None = None
    elf_sha256: str = ""
    by_lead: list[LeadOutcome] = []
    oracle: str = ""
    provenance: Provenance | None = None


@dataclass(frozen=True)
class ShownLead:
    """A lead kept for the report.

    Attributes:
        record: samples and annotation.
        reference, device: class mask uint8 [n] at 100 Hz, as Python and as the device computed it.
        segments: of the device, joined over the frames, in samples at 100 Hz.
        classes: number of classes.
        equal: True when every byte of every frame is equal.
        reported: beats of a device that reports them; None of one that marks waves alone.
    """

    record: Record
    reference: npt.NDArray[np.uint8]
    device: npt.NDArray[np.uint8]
    segments: Sequence[Segment]
    classes: int
    equal: bool
    reported: Sequence[Beat] | None = None

    @property
    def beats(self) -> Sequence[Beat]:
        """Beats of the device; of one that reports none those that its waves make, of two classes none."""
        if self.reported is not None:
            return self.reported
        return segment_beats(self.segments) if self.classes == max(WAVE_LABELS) else ()

    def fiducials(self) -> dict[str, FiducialScore]:
        """How well the device found onsets and offsets here; empty where the annotation does not tell."""
        if self.record.span is None or self.classes not in WAVE_LABELS:
            return {}
        scorer = FiducialScorer(self.classes)
        scorer.add(self.record, self.segments)
        return scorer.scores()


@dataclass
class HilRun:
    """A finished or interrupted test.

    Attributes:
        result: of it.
        shown: its leads, as far as there was room for them.
        error: what ended it early.
        times: device time of each frame by part, in the unit of the result's timing.
    """

    result: HilResult
    shown: list[ShownLead] = field(default_factory=list)
    error: EcgsegError | Stopped | None = None
    times: Mapping[str, Sequence[float]] = field(default_factory=dict)


class TickCollector:
    """Collects the ticks of frames, or of other units of work that have parts."""

    def __init__(self, parts: Sequence[str] = PARTS) -> None:
        self._ticks: dict[str, list[int]] = {part: [] for part in parts}

    def add(self, part: str, ticks: int) -> None:
        """Adds one unit's ticks of one part."""
        self._ticks[part].append(ticks)

    def times(self, info: DeviceInfo) -> dict[str, list[float]]:
        """Every unit's time by part, in the unit of `timing`."""
        _, size = unit_of(info)
        return {part: [tick * size for tick in ticks] for part, ticks in self._ticks.items() if ticks}

    def timing(self, info: DeviceInfo) -> Timing:
        """Means and extremes, ticks turned into the unit that the device's time base stands for."""
        unit, size = unit_of(info)
        parts = {
            part: Spread(
                mean=round(float(np.mean(ticks)) * size, 3),
                min=round(min(ticks) * size, 3),
                max=round(max(ticks) * size, 3),
            )
            for part, ticks in self._ticks.items()
            if ticks
        }
        return Timing(unit=unit, resolution=size, core_hz=info.core_hz, parts=parts)


def unit_of(info: DeviceInfo) -> tuple[str, float]:
    """Name of the unit and the size of a tick in it."""
    if info.tick_hz == 0:
        # Only a device whose HELLO is wrong tells no rate; there is no frame then that took any.
        return "ticks", 1.0
    if info.time_base == TimeBase.INSTRUCTIONS:
        return "instructions", info.units(1)
    if info.core_hz:
        return "core clock cycles", info.core_hz / info.tick_hz
    return "microseconds", 1e6 * info.seconds(1)
