"""Streams leads to a device and judges every frame of its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.data.records import WAVE_LABELS, Record
from ecgseg.hil import identity
from ecgseg.hil.common import LeadLog, told_by_all
from ecgseg.hil.compare import (
    Difference,
    LayerDifference,
    compare_frame,
    compare_stages,
    described,
    first_differing_layer,
    stage_bytes,
)
from ecgseg.hil.identity import Known
from ecgseg.hil.journal import OTHERWISE, Journal, answers_of, counted_since, digest_of
from ecgseg.hil.legal import illegal, illegal_stats
from ecgseg.hil.result import PARTS, HilResult, Planned, Segmentation, ShownLead, Source, TickCollector, Verdict
from ecgseg.hil.shown import ShownLeads
from ecgseg.hil.start import start_notes
from ecgseg.hil.tally import Tally
from ecgseg.hil.vectors import VECTORS, DirectInput, Vector
from ecgseg.link import DeviceClient, DeviceInfo, DeviceStats, FrameResult
from ecgseg.link.answers import is_too_long
from ecgseg.link.messages import WrongAnswerError, wrong_answer
from ecgseg.pipeline import Prediction, Segment, join
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter
from ecgseg.printable import printable
from ecgseg.scoring.collector import ScoreCollector

# Called after every lead: how many are done, and whether all was equal so far.
OnLead = Callable[[int, bool], None]


@dataclass(frozen=True)
class Subject:
    """What is tested.

    Attributes:
        target: name of the target.
        model: model by name, or its file.
        device: the open client; None when its HELLO was such that it was not let in.
        reference: the same model on the host.
        flash_bytes, ram_bytes: of the image, 0 when unknown.
        image_sha256: of the file that is flashed, "" for an image that is not.
        elf_sha256: of the image with its symbols.
        journal: keeps what was compared, and tells what was before.
        vectors: folder for differing frames.
        replay_words: what stands beside --replay to run one of them again.
        known: of the image, beside what the model's file says.
    """

    target: str
    model: str
    device: DeviceClient | None
    reference: Segmenter
    flash_bytes: int = 0
    ram_bytes: int = 0
    image_sha256: str = ""
    elf_sha256: str = ""
    journal: Journal = field(default_factory=Journal)
    vectors: Path = VECTORS
    replay_words: tuple[str, ...] = ()
    known: Known = field(default_factory=Known)


@dataclass
class Judge:
    """Runs leads through the device and counts. It says nothing to the device before `run` or `run_direct`.

    Args:
        subject: what is tested.
        info: what its device told about itself (`identify`).
        source: where the inputs come from.
        planned: what is to be sent.
        shown: keeps leads for the report.
    """

    subject: Subject
    info: DeviceInfo
    source: Source
    planned: Planned = field(default_factory=Planned)
    shown: ShownLeads = field(default_factory=ShownLeads)
    records: dict[int, None] = field(default_factory=dict)
    leads: dict[str, None] = field(default_factory=dict)
    finished: bool = False

    def __post_init__(self) -> None:
        self.tally = Tally(self.subject.vectors, self.subject.replay_words)
        self._ticks = TickCollector()
        classes = self.subject.reference.class_count
        self._scores = ScoreCollector(classes) if classes in WAVE_LABELS else None
        self._started = time.monotonic()
        self._begun = 0
        self._frames_of_last = 0
        self._stats: DeviceStats | None = None
        self._not_scored: str | None = None
        self._told_seconds = 0.0
        self._layers_told = True
        self._at: tuple[int, str, int] = (0, "-", 0)
        self._notes = start_notes(self.info)
        self._log = LeadLog(self.tally)

    def compare_hello(self) -> None:
        """Counts what HELLO tells that is not what the host knows; `run` and `run_direct` begin with it.

        Raises:
            LinkError: with it the device's frames would be others (`require_frames`).
        """
        self._notes += identity.compare(self.info, self.subject.reference, self.subject.known, self.add_hello)

    def add_hello(self, what: str) -> None:
        """Counts something in HELLO that is not what the host knows, or not what a right device tells."""
        self.tally.add_hello(what)

    def run(self, records: Iterable[Record], on_lead: OnLead) -> None:
        """Sends every lead and compares every frame.

        Raises:
            WrongAnswerError: an answer that no right device gives; it has been counted as a difference.
            LinkError: the device does not answer, or with an error, or its frames would be made otherwise.
        """
        with self._judging_answers():
            for index, record in enumerate(records):
                interruption.check()
                with self._log.counting(record.record_id, record.label, record.lead):
                    self._lead(index, record)
                on_lead(index + 1, self.tally.equal)
            self._finish()

    def run_direct(self, inputs: Iterable[npt.NDArray[np.int8]], on_lead: OnLead) -> None:
        """Feeds int8 inputs past the preprocessor; for a model that does not segment.

        Raises:
            WrongAnswerError, LinkError: as run().
        """
        with self._judging_answers():
            for index, data in enumerate(inputs):
                interruption.check()
                with self._log.counting(index, str(index), "-"):
                    self._direct(index, data)
                on_lead(index + 1, self.tally.equal)
            self._finish()

    @property
    def stats(self) -> DeviceStats | None:
        """The device's counters at the end; None as long as it has not told them."""
        return self._stats

    @property
    def _device(self) -> DeviceClient:
        assert self.subject.device is not None
        return self.subject.device

    @contextmanager
    def _judging_answers(self) -> Iterator[None]:
        """An answer that came whole and cannot be right is the device's difference, whatever request it answers."""
        self.compare_hello()
        try:
            yield
        except WrongAnswerError as error:
            self.tally.add_wrong_answer(*self._at, f"{error.what} {error.why}")
            raise

    def _finish(self) -> None:
        interruption.check()
        self._compare_descriptions()
        stats = self._device.stats()
        why = illegal_stats(stats, self.subject.ram_bytes)
        if why:
            raise wrong_answer("STATS", why)
        self._stats = stats
        self.finished = True

    def _compare_descriptions(self) -> None:
        """Compares what the device tells about every layer."""
        # One that did not answer when its layers were looked at would cost the same time again.
        layers = self.subject.known.layers if self._layers_told else ()
        for layer in layers:
            told = described(layer, self._device.layer(layer.index))
            if told:
                self.tally.add_layer(LayerDifference(layer, Difference("layer", 0, None, None, 1, 1), told))

    def _expect(self, frames: int) -> None:
        self.tally.expected_frames += frames
        self._begun += 1
        self._frames_of_last = frames

    def _planned_frames(self) -> int:
        """Frames of the whole test, the leads to come taken for as long as the last one."""
        if self.finished or not self._begun:
            return self.tally.expected_frames
        return self.tally.expected_frames + max(0, self.planned.leads - self._begun) * self._frames_of_last

    def _lead(self, index: int, record: Record) -> None:
        self.records[record.record_id] = None
        self.leads[record.lead] = None
        expected = self.subject.reference.expect(record.samples)
        self._expect(len(expected))
        digest = digest_of(record.samples.tobytes(), *(part for f in expected for part in stage_bytes(f).values()))
        earlier = self.subject.journal.earlier(index, digest, len(expected), len(PARTS))
        # What was computed in another process takes no time of this one.
        self._told_seconds -= sum(self.info.seconds(ticks) for row in earlier or () for ticks in row)
        before, link = self.tally.mismatched, replace(self._device.counters)
        self._at = (record.record_id, record.lead, 0)
        sent = self.subject.reference.stream(record.samples)
        frames = self.answers(sent) if earlier is None else answers_of(expected, earlier)
        answered = self._compared(index, record, expected, frames)
        equal = self.tally.mismatched == before
        if earlier is None:
            ticks = [[f.preprocess_ticks, f.inference_ticks, f.postprocess_ticks] for f in answered]
            counted = counted_since(self._device.counters, link)
            if not self.subject.journal.settle(index, digest, ticks, counted, equal=equal):
                self.tally.add_wrong_answer(record.record_id, record.lead, 0, OTHERWISE)
        try:
            self._summarise(record, expected, answered, equal)
        except Exception as error:  # Whatever goes wrong in scoring, the verdict stands and the test goes on.
            self._leave_unscored(record, f"{type(error).__name__}: {error}")

    def answers(self, samples: npt.NDArray[np.int16]) -> Iterator[FrameResult]:
        """The frames that the device answers to samples int16 [n]; a test that watches more than bytes does it here."""
        return self._device.stream(samples)

    def _compared(
        self, index: int, record: Record, expected: list[ExpectedFrame], frames: Iterable[FrameResult]
    ) -> list[FrameResult]:
        """Compares the frames of a lead as they come; returns those that came."""
        before = self.tally.mismatched
        answered: list[FrameResult] = []
        remaining = iter(expected)
        for actual in frames:
            wanted = next(remaining, None)
            if wanted is None:
                self._lost(record, actual, "frame that the device should not have")
                break
            self._frame(record, wanted, actual)
            if self.tally.mismatched != before:
                self.subject.journal.mark(index)
            answered.append(actual)
            self._at = (record.record_id, record.lead, len(answered))
        for wanted in remaining:
            self._lost(record, wanted, "frame missing on the device")
        return answered

    def _leave_unscored(self, record: Record, why: str) -> None:
        self._not_scored = self._not_scored or f"record {record.record_id}, lead {record.lead}: {printable(why)}"

    def _frame(self, record: Record, expected: ExpectedFrame, actual: FrameResult) -> None:
        self._time(
            preprocess=actual.preprocess_ticks,
            inference=actual.inference_ticks,
            postprocess=actual.postprocess_ticks,
        )
        comparison = compare_frame(expected, actual)
        if self.tally.add(comparison):
            # The device still holds this frame as its last input, so its layers can be looked at now.
            layer, note = self._layer(comparison.differences[0], expected.input)
            kept = self._vector(record, expected.index, stage_bytes(expected), stage_bytes(actual))
            self.tally.keep(kept, comparison, layer, note)

    def _time(self, **ticks: int) -> None:
        """Collects the ticks of one frame by part; raises WrongAnswerError when the test is not that old."""
        for part, count in ticks.items():
            self._ticks.add(part, count)
            self._told_seconds += self.info.seconds(count)
        passed = time.monotonic() - self._started
        if is_too_long(self._told_seconds, passed):
            raise wrong_answer("FRAME", f"it tells {self._told_seconds:.0f} s of work, the test is {passed:.1f} s old")

    def _direct(self, index: int, data: npt.NDArray[np.int8]) -> None:
        self.records[index] = None
        self._expect(1)
        expected = self.subject.reference.run(data)
        result = self._device.infer_timed(data)
        self._at = (index, "-", 0)
        stages = {"scores": expected.tobytes()}, {"scores": result.output.tobytes()}
        comparison = compare_stages(*stages)
        if self.tally.add(comparison):
            layer, note = self._layer(comparison.differences[0], data)
            self.tally.keep(self._vector(DirectInput(index, data), 0, *stages), comparison, layer, note)
        self._time(inference=result.inference_ticks)

    def _vector(
        self, sent: Record | DirectInput, frame: int, expected: dict[str, bytes], actual: dict[str, bytes]
    ) -> Vector:
        return Vector(
            target=self.subject.target,
            model=self.subject.model,
            model_sha256=self.subject.reference.sha256,
            record=sent.record_id,
            lead=sent.lead,
            frame=frame,
            rate=sent.rate,
            samples=sent.samples,
            expected=expected,
            actual=actual,
        )

    def _layer(self, first: Difference, data: npt.NDArray[np.int8]) -> tuple[LayerDifference | None, str]:
        """The first layer that differs, and why it could not be found. Whatever fails here, the difference stands."""
        if first.stage != "scores":
            return None, ""
        if not self._layers_told:
            return None, "its layers could not be looked at before"
        try:
            subject = self.subject
            return first_differing_layer(self._device, subject.reference, data, subject.known.layers), ""
        except Exception as error:
            # Not again: a device that does not answer would cost the same time with every frame.
            self._layers_told = False
            return None, f"its layers cannot be looked at: {printable(str(error).replace(chr(10), ' '))}"

    def _lost(self, record: Record, frame: ExpectedFrame | FrameResult, stage: str) -> None:
        size = sum(len(data) for data in stage_bytes(frame).values())
        self.tally.add_lost(record.record_id, record.lead, frame.index, stage, size)

    def _summarise(
        self, record: Record, expected: list[ExpectedFrame], answered: list[FrameResult], equal: bool
    ) -> None:
        """Puts the frames of a lead together again, scores the device against the annotation, keeps some to show."""
        classes = self.subject.reference.class_count
        for actual in answered:
            why = illegal(actual, classes)
            if why:
                self._leave_unscored(record, f"frame {actual.index}: {why}")
                return
        parameters = self.subject.reference.require_parameters()
        length = parameters.samples_of(record.samples.size)
        reference = np.zeros(length, dtype=np.uint8)
        device = np.zeros(length, dtype=np.uint8)
        parts: list[tuple[int, list[Segment]]] = []
        for wanted, answer in zip_longest(expected, answered):
            start = wanted.index * parameters.hop
            reference[start : start + parameters.frame_length] = wanted.mask
            if answer is not None:
                device[start : start + parameters.frame_length] = answer.mask
                parts.append((start, answer.segments))
        joined = join(parts, parameters.rules)
        if self._scores and record.span is not None:
            self._scores.add(record, Prediction(device, joined))
        self.shown.add(ShownLead(record, reference, device, joined, classes, equal))

    def _verdict(self, error: str | None) -> Verdict:
        if not self.tally.equal:
            return "fail"
        return "pass" if self.finished and self.tally.frames and error is None else "incomplete"

    def result(self, error: str | None = None) -> HilResult:
        """The result so far; "incomplete" unless run() came to its end, "fail" as soon as one byte differed."""
        tally = self.tally
        return HilResult(
            **told_by_all(self.subject, self.info, self._stats, self._started),
            source=self.source,
            records=list(self.records),
            leads=list(self.leads),
            frames=tally.frames,
            expected_frames=tally.expected_frames,
            planned_frames=self._planned_frames(),
            planned_records=max(self.planned.records, len(self.records)),
            differing_frames=tally.differing_frames,
            compared_bytes=tally.compared,
            mismatched_bytes=tally.mismatched,
            verdict=self._verdict(error),
            mismatches=tally.mismatches,
            error=error,
            timing=self._ticks.timing(self.info),
            segmentation=self._segmentation(),
            not_scored=self._not_scored,
            by_lead=self._log.outcomes,
            notes=[*self._notes, *filter(None, (tally.not_kept, self.subject.journal.not_kept))],
        )

    def times(self) -> dict[str, list[float]]:
        """Device time of each frame by part, in the unit of the result's timing."""
        return self._ticks.times(self.info)

    def _segmentation(self) -> Segmentation | None:
        try:
            return Segmentation.of(self._scores)
        except Exception as error:  # As in _lead: scores are no part of the verdict.
            self._not_scored = self._not_scored or printable(f"{type(error).__name__}: {error}")
            return None
