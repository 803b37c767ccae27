"""What a HIL test of a stream has to say, for machines and for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from ecgseg.errors import EcgsegError
from ecgseg.hil.provenance import Provenance
from ecgseg.hil.result import Injected, LeadOutcome, Memory, ShownLead, Source, Timing, Verdict
from ecgseg.interruption import Stopped
from ecgseg.scoring.delineation import DelineationScores


class StreamMismatch(BaseModel):
    """One place where a lead's answers part.

    Attributes:
        record, lead: which lead.
        compared: "class", "event", or what else was compared: "HELLO", "START", "answer".
        number: of the sample at 100 Hz, or of the event; 0 for the rest.
        what: what differs there, in words.
        offset: first byte that differs among all classes or all events of the lead.
        expected, actual: that byte on the host and on the device, 0..255; None past the end.
        differing_bytes: of this lead, in what is compared.
        again: command that streams the lead again; None where there is none.
        vector: file that keeps what was sent and both results, relative to the repository where possible.
        replay: command that runs it again.
    """

    record: int
    lead: str
    compared: str
    number: int
    what: str
    offset: int = 0
    expected: int | None = None
    actual: int | None = None
    differing_bytes: int = 1
    again: str | None = None
    vector: str | None = None
    replay: str | None = None


class StreamFacts(BaseModel):
    """The stream, as the device told it.

    Attributes:
        look_ahead_ms: what the network sees behind the sample that it answers.
        block: samples at 100 Hz that it takes at a time.
        state_bytes: what the network keeps of the signal.
        memory_bytes: the whole stream, results that wait included.
    """

    look_ahead_ms: int
    block: int
    state_bytes: int
    memory_bytes: int


class StreamResult(BaseModel):
    """Result of `invoke hil-test` with a model of a stream.

    Attributes:
        target, board, backend, model, model_sha256, build_id, image_sha256: as in HilResult.
        kind: tells it from the result of frames.
        source: where the ECG comes from.
        records, leads: what was sent.
        streams: leads that were compared to their end.
        planned_streams, planned_records: of the whole test.
        signal_seconds: length of what was compared.
        samples, events: classes and events that the device answered; expected_samples and expected_events, that it
            should have.
        compared_bytes, mismatched_bytes: over all classes and events, a byte a class, 48 an event.
        differing_streams: leads that differ.
        requests, retries, crc_errors, device_crc_errors, device_overruns: as in HilResult.
        verdict, mismatches, error, timing, memory, macs: as there; timing of a second of signal, macs of a block.
        stream: what the device told about its stream; None when it was not begun.
        scores: the device's answers against the annotation; by_rhythm in groups; peers: other delineators on the same
            leads, by name.
        not_scored, notes, reset_cause, fault, seconds, injected, elf_sha256, by_lead, oracle, provenance: as
            there; a stream's bytes are computed by ecgseg's interpreter on every computer.
    """

    kind: str = "stream"
    target: str
    board: str
    backend: str
    model: str
    model_sha256: str
    build_id: str
    image_sha256: str
    source: Source
    records: list[int]
    leads: list[str]
    streams: int
    planned_streams: int
    planned_records: int
    differing_streams: int
    signal_seconds: float
    samples: int
    expected_samples: int
    events: int
    expected_events: int
    compared_bytes: int
    mismatched_bytes: int
    requests: int
    retries: int
    crc_errors: int
    device_crc_errors: int
    device_overruns: int
    verdict: Verdict
    mismatches: list[StreamMismatch]
    error: str | None
    timing: Timing
    memory: Memory
    macs: int
    stream: StreamFacts | None
    scores: DelineationScores | None
    by_rhythm: dict[str, DelineationScores] = {}
    peers: dict[str, DelineationScores] = {}
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


@dataclass
class StreamRun:
    """A finished or interrupted test.

    Attributes:
        result, shown, error: as in HilRun.
        times: device time for a second of signal of each lead, in the unit of the result's timing.
    """

    result: StreamResult
    shown: list[ShownLead] = field(default_factory=list)
    error: EcgsegError | Stopped | None = None
    times: Mapping[str, Sequence[float]] = field(default_factory=dict)
