"""Streams leads through a device that delineates and judges every class and every event of its answers."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ecgseg import interruption
from ecgseg.codegen.manifest import StreamManifest
from ecgseg.data.records import Record
from ecgseg.errors import OutputError
from ecgseg.hil import identity, vectors
from ecgseg.hil.common import LeadLog, told_by_all
from ecgseg.hil.compare import Difference
from ecgseg.hil.identity import Known
from ecgseg.hil.journal import OTHERWISE, Journal, counted_since, digest_of
from ecgseg.hil.legal import illegal_stats
from ecgseg.hil.replay import replay_command
from ecgseg.hil.result import Planned, ShownLead, Source, TickCollector, Verdict
from ecgseg.hil.shown import ShownLeads
from ecgseg.hil.start import start_notes
from ecgseg.hil.stream_compare import class_difference, event_difference, illegal, prefix, told_differently
from ecgseg.hil.stream_reference import Answers, StreamReference
from ecgseg.hil.stream_result import StreamFacts, StreamMismatch, StreamResult
from ecgseg.hil.stream_scores import StreamScores
from ecgseg.hil.vectors import VECTORS, Vector
from ecgseg.link import DeviceClient, DeviceInfo, DeviceStats
from ecgseg.link.answers import is_too_long
from ecgseg.link.messages import WrongAnswerError, wrong_answer
from ecgseg.link.stream import DeviceStream, Results, StreamInfo
from ecgseg.pipeline import MODEL_RATE
from ecgseg.pipeline.events import EVENT_BYTES, Event
from ecgseg.scoring.delineation import Delineation

MAX_DETAILS = 10
PART = "delineation"
OnLead = Callable[[int, bool], None]


@dataclass(frozen=True)
class StreamSubject:
    """What is tested.

    Attributes:
        target: name of the target.
        device: the open client; None when its HELLO was such that it was not let in.
        reference: the same model on the host.
        manifest: of what was rendered.
        known: of the image, beside what the model's file says.
        flash_bytes, ram_bytes: of the image, 0 when unknown.
        image_sha256: of the file that is flashed, "" for an image that is not.
        elf_sha256: of the image with its symbols.
        journal: keeps what was compared, and tells what was before.
        again: command that streams the lead of a record again, without the two.
        model: model by name, or its file.
        vectors: folder for leads that differ.
        replay_words: what stands beside --replay to run one of them again.
        peers: other delineators on the same leads, by name.
    """

    target: str
    device: DeviceClient | None
    reference: StreamReference
    manifest: StreamManifest
    known: Known
    flash_bytes: int = 0
    ram_bytes: int = 0
    image_sha256: str = ""
    elf_sha256: str = ""
    journal: Journal = field(default_factory=Journal)
    again: str = ""
    model: str = ""
    vectors: Path = VECTORS
    replay_words: tuple[str, ...] = ()
    peers: Mapping[str, Callable[[Record], Delineation]] = field(default_factory=dict)


@dataclass
class _Counts:
    """Of all leads so far."""

    streams: int = 0
    differing: int = 0
    samples: int = 0
    expected_samples: int = 0
    events: int = 0
    expected_events: int = 0
    compared: int = 0
    mismatched: int = 0
    raw_seconds: float = 0.0


@dataclass
class StreamJudge:
    """Runs leads through the device and counts. It says nothing to the device before `run`.

    Args:
        subject: what is tested.
        info: what its device told about itself (`identify`).
        source: where the ECG comes from.
        planned: what is to be sent.
        shown: keeps leads for the report.
    """

    subject: StreamSubject
    info: DeviceInfo
    source: Source
    planned: Planned = field(default_factory=Planned)
    shown: ShownLeads = field(default_factory=ShownLeads)
    finished: bool = False

    def __post_init__(self) -> None:
        self.counts = _Counts()
        self.mismatches: list[StreamMismatch] = []
        self._records: dict[int, None] = {}
        self._leads: dict[str, None] = {}
        self._ticks = TickCollector((PART,))
        self._scores = StreamScores(self.subject.peers)
        self._started = time.monotonic()
        self._stats: DeviceStats | None = None
        self._facts: StreamFacts | None = None
        self._told_seconds = 0.0
        self._notes = start_notes(self.info)
        self._not_kept = ""
        # The file of the lead that is on its way.
        self._kept: str | None = None
        self._at = (0, "-")
        self._log = LeadLog(self.counts)

    def run(self, records: Iterable[Record], on_lead: OnLead) -> None:
        """Sends every lead and compares all its answers.

        Raises:
            WrongAnswerError: an answer that no right device gives; it has been counted as a difference.
            LinkError: the device does not answer, or with an error, or its stream would be made otherwise.
        """
        self.compare_hello()
        try:
            for index, record in enumerate(records):
                interruption.check()
                with self._log.counting(record.record_id, record.label, record.lead):
                    self._lead(index, record)
                on_lead(index + 1, not self.counts.mismatched)
            interruption.check()
            self._finish()
        except WrongAnswerError as error:
            self.add_wrong(f"{error.what} {error.why}", "answer")
            raise

    def compare_hello(self) -> None:
        """Counts what HELLO tells that is not what the host knows.

        Raises:
            LinkError: with it the stream would be another.
        """
        self._notes += identity.compare(self.info, self.subject.reference, self.subject.known, self.add_hello)

    def add_hello(self, what: str) -> None:
        """Counts something in HELLO that is not what the host knows, or not what a right device tells."""
        self.add_wrong(f"HELLO: {what}", "HELLO")

    def add_wrong(self, what: str, compared: str) -> None:
        """Counts something that no right device says."""
        self.counts.compared += 1
        self.counts.mismatched += 1
        record, lead = self._at
        vector = self._kept if compared == "answer" else None
        replay = replay_command(vector, self.subject.replay_words) if vector else None
        self._keep(
            StreamMismatch(
                record=record, lead=lead, compared=compared, number=0, what=what, vector=vector, replay=replay
            )
        )

    @property
    def _device(self) -> DeviceClient:
        assert self.subject.device is not None
        return self.subject.device

    def _finish(self) -> None:
        stats = self._device.stats()
        why = illegal_stats(stats, self.subject.ram_bytes)
        if why:
            raise wrong_answer("STATS", why)
        self._stats = stats
        self.finished = True

    def _lead(self, index: int, record: Record) -> None:
        self._records[record.record_id] = None
        self._leads[record.lead] = None
        self._at = (record.record_id, record.lead)
        expected = self.subject.reference.expect(record.samples)
        self.counts.expected_samples += expected.classes.size
        self.counts.expected_events += len(expected.events) // EVENT_BYTES
        digest = digest_of(record.samples.tobytes(), expected.classes.tobytes(), expected.events)
        earlier = self.subject.journal.earlier(index, digest, 1, 1)
        if earlier is not None:
            self._end(record, expected, expected, earlier[0][0])
            return
        parts: list[Results] = []
        link = replace(self._device.counters)
        try:
            ticks = self._stream(record, parts)
        except BaseException as error:
            # What came until then is compared as far as it goes.
            actual = _joined(parts)
            if self._compare(record, prefix(expected, actual), actual) and isinstance(error, WrongAnswerError):
                self._kept = self._vector(record, expected, actual)
            raise
        equal = self._end(record, expected, _joined(parts), ticks)
        counted = counted_since(self._device.counters, link)
        if not self.subject.journal.settle(index, digest, [[ticks]], counted, equal=equal):
            self.add_wrong(OTHERWISE, "answer")

    def _end(self, record: Record, expected: Answers, actual: Answers, ticks: int) -> bool:
        """Compares and counts a lead that was answered to its end; whether it is equal."""
        seconds = self.subject.reference.seconds(record.samples.size)
        self._ticks.add(PART, round(ticks / seconds))
        equal = self._compare(record, expected, actual)
        self._kept = None
        self.counts.streams += 1
        self.counts.raw_seconds += seconds
        self._summarise(record, expected, actual, equal=equal)
        return equal

    def _stream(self, record: Record, parts: list[Results]) -> int:
        """Sends a lead; returns the device's time for it."""
        stream = DeviceStream(self._device)
        self._compare_start(stream.info)
        for part in _all_of(stream, record):
            parts.append(part)
            interruption.check()
        self._told_seconds += self.info.seconds(stream.ticks)
        passed = time.monotonic() - self._started
        if is_too_long(self._told_seconds, passed):
            raise wrong_answer("FEED", f"it tells {self._told_seconds:.0f} s of work, the test is {passed:.1f} s old")
        return stream.ticks

    def _compare_start(self, told: StreamInfo) -> None:
        if self._facts is not None:
            return
        manifest = self.subject.manifest
        wanted = {"look_ahead": manifest.lag, "block": manifest.block, "state_bytes": manifest.state_bytes}
        for what in told_differently(told, wanted, self.subject.ram_bytes):
            self.add_wrong(f"START: {what}", "START")
        self._facts = StreamFacts(
            look_ahead_ms=1000 * told.look_ahead // MODEL_RATE,
            block=told.block,
            state_bytes=told.state_bytes,
            memory_bytes=told.memory_bytes,
        )

    def _compare(self, record: Record, expected: Answers, actual: Answers) -> bool:
        """Counts every byte of a lead, and keeps where classes and events part first."""
        counts = self.counts
        counts.samples += actual.classes.size
        counts.events += len(actual.events) // EVENT_BYTES
        counts.compared += max(expected.classes.size, actual.classes.size)
        counts.compared += max(len(expected.events), len(actual.events))
        found = [
            (part, size)
            for part, size in (
                (class_difference(expected.classes, actual.classes), 1),
                (event_difference(expected.events, actual.events), EVENT_BYTES),
            )
            if part is not None
        ]
        # The first that differ, as many as are told of.
        wanted = bool(found) and len(self.mismatches) < MAX_DETAILS
        self._kept = self._vector(record, expected, actual) if wanted else None
        for (part, what), size in found:
            counts.mismatched += part.count
            self._keep(self._mismatch(record, part, what, part.offset // size, self._kept))
        counts.differing += bool(found)
        return not found

    def _vector(self, record: Record, expected: Answers, actual: Answers) -> str | None:
        """Keeps a lead that differs as a file; one that cannot be written takes nothing away from the difference."""
        vector = Vector(
            target=self.subject.target,
            model=self.subject.model,
            model_sha256=self.subject.reference.sha256,
            record=record.record_id,
            lead=record.lead,
            frame=0,
            rate=record.rate,
            samples=record.samples,
            expected=_by_stage(expected),
            actual=_by_stage(actual),
        )
        try:
            return vectors.shown_path(vectors.save(vector, self.subject.vectors))
        except OutputError as error:
            self._not_kept = error.what
            return None

    def _mismatch(self, record: Record, part: Difference, what: str, number: int, vector: str | None) -> StreamMismatch:
        named = shlex.join(("--records", record.label, "--leads", record.lead))
        again = f"{self.subject.again} {named}" if self.subject.again else None
        return StreamMismatch(
            record=record.record_id,
            lead=record.lead,
            compared=part.stage,
            number=number,
            what=what,
            offset=part.offset,
            expected=part.expected,
            actual=part.actual,
            differing_bytes=part.count,
            again=again,
            vector=vector,
            replay=replay_command(vector, self.subject.replay_words) if vector else None,
        )

    def _keep(self, mismatch: StreamMismatch) -> None:
        if len(self.mismatches) < MAX_DETAILS:
            self.mismatches.append(mismatch)

    def _summarise(self, record: Record, expected: Answers, actual: Answers, *, equal: bool) -> None:
        """Scores a lead; whatever goes wrong there, the verdict stands."""
        try:
            events = [
                Event.unpack(actual.events[at : at + EVENT_BYTES]) for at in range(0, len(actual.events), EVENT_BYTES)
            ]
            why = illegal(actual.classes, events)
            if why is None and actual.classes.size != expected.classes.size:
                why = f"it has {actual.classes.size} classes of {expected.classes.size} samples"
            if why is not None:
                self._scores.leave_out(record, why)
                return
            found = Delineation.of_events(actual.classes, events)
            self._scores.add(record, found)
            waves, beats = found.prediction.segments, found.beats
            self.shown.add(ShownLead(record, expected.classes, actual.classes, waves, 4, equal, beats))
        except Exception as error:
            self._scores.leave_out(record, f"{type(error).__name__}: {error}")

    def result(self, error: str | None = None) -> StreamResult:
        """The result so far; "incomplete" unless run() came to its end, "fail" as soon as one byte differed."""
        counts, scores = self.counts, self._scores.result()
        return StreamResult(
            **told_by_all(self.subject, self.info, self._stats, self._started),
            source=self.source,
            records=list(self._records),
            leads=list(self._leads),
            streams=counts.streams,
            planned_streams=max(self.planned.leads, counts.streams),
            planned_records=max(self.planned.records, len(self._records)),
            differing_streams=counts.differing,
            signal_seconds=round(counts.raw_seconds, 2),
            samples=counts.samples,
            expected_samples=counts.expected_samples,
            events=counts.events,
            expected_events=counts.expected_events,
            compared_bytes=counts.compared,
            mismatched_bytes=counts.mismatched,
            verdict=self._verdict(error),
            mismatches=self.mismatches,
            error=error,
            timing=self._ticks.timing(self.info),
            stream=self._facts,
            scores=scores.whole,
            by_rhythm=scores.by_rhythm,
            peers=scores.peers,
            not_scored=self._scores.not_scored,
            by_lead=self._log.outcomes,
            notes=[*self._notes, *filter(None, (self._not_kept, self.subject.journal.not_kept))],
        )

    def times(self) -> dict[str, list[float]]:
        """Device time for a second of signal of each lead, in the unit of the result's timing."""
        return self._ticks.times(self.info)

    def _verdict(self, error: str | None) -> Verdict:
        if self.counts.mismatched:
            return "fail"
        return "pass" if self.finished and self.counts.streams and error is None else "incomplete"


def _by_stage(answers: Answers) -> dict[str, bytes]:
    return {"classes": answers.classes.tobytes(), "events": answers.events}


def _all_of(stream: DeviceStream, record: Record) -> Iterator[Results]:
    yield from stream.push(record.samples)
    yield from stream.finish()


def _joined(parts: list[Results]) -> Answers:
    """What came, one behind the other."""
    classes = np.concatenate([np.zeros(0, np.uint8), *(part.classes for part in parts)])
    return Answers(classes, b"".join(part.events for part in parts))
