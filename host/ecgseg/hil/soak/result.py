"""What a soak has to say: its counts, its windows, whether memory and answer times grew, and the verdict."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from ecgseg.hil.provenance import Provenance
from ecgseg.hil.result import Mismatch, Source
from ecgseg.hil.soak.drift import Trend

SoakVerdict = Literal["pass", "fail", "incomplete", "drift"]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class AnswerTimes(BaseModel):
    """Milliseconds from the first byte of a frame's samples to the last of its answer, of leads on a line without
    faults: percentiles, the largest, and of how many frames.
    """

    frames: Count
    p10: Amount
    p50: Amount
    p90: Amount
    p99: Amount
    most: Amount


class Counts(BaseModel):
    """What was counted.

    Attributes:
        leads: that were sent.
        frames, expected_frames: answered and compared, and how many there should be.
        differing_frames: of which a byte is not equal, those that never came among them.
        compared_bytes, mismatched_bytes: status, input, scores, mask and segments.
        faulty_leads: sent over a faulty line.
        faults: put into the line.
        restarts: the device was told to restart.
        power_cycles: its process was ended, and another one started.
        requests, retries, crc_errors: of the link, as the host counted them.
        seconds: wall time.
    """

    leads: Count = 0
    frames: Count = 0
    expected_frames: Count = 0
    differing_frames: Count = 0
    compared_bytes: Count = 0
    mismatched_bytes: Count = 0
    faulty_leads: Count = 0
    faults: Count = 0
    restarts: Count = 0
    power_cycles: Count = 0
    requests: Count = 0
    retries: Count = 0
    crc_errors: Count = 0
    seconds: Amount = 0.0

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in Counts.model_fields})


class Window(Counts):
    """A stretch of a soak, or several that were taken together, which is what a result keeps of a long one.

    Attributes:
        window: its number; of several the first one's.
        session: process of the host that it belongs to, from 1; each --resume is another.
        process: process of the target, counted likewise.
        life: of the device, which begins with each start and restart.
        host_rss_bytes, target_rss_bytes: memory of the two processes at its end, None where the system does not tell.
        stack_bytes: the device's deepest stack so far, 0 when it is not measured.
        answers: as a clock has it; None when no lead was sent over a line without faults.
        on_core: of it the time on a core, of this program and of a simulated target together.
        waited_seconds: for which one of the two was ready and had no core.
    """

    window: Count
    session: Count
    process: Count
    life: Count
    host_rss_bytes: Count | None = None
    target_rss_bytes: Count | None = None
    stack_bytes: Count = 0
    answers: AnswerTimes | None = None
    on_core: AnswerTimes | None = None
    waited_seconds: Amount = 0.0


class SoakResult(BaseModel):
    """Result of `invoke soak`.

    Attributes:
        kind: tells it from the result of a test.
        target, board, backend, model, model_sha256, build_id, image_sha256, elf_sha256, oracle: as in a test's result.
        source, records, leads: what leads are drawn from.
        rate: samples a second that are sent.
        seed: draws leads, faults and restarts.
        window: leads of a window.
        faulty: leads in 1,000 that are sent over a faulty line.
        restarts_wanted: restarts in 100,000 frames, on average.
        wanted_frames, wanted_hours: how long it was to be; the first that is reached ends it.
        counts: over everything that was compared.
        sessions: processes of the host that it took; each --resume is another.
        verdict: "fail" when a byte differs or a frame is lost; "incomplete" when it did not come to its end; "drift"
            when a figure grows; else "pass".
        mismatches: the first differing frames in full.
        error: why it did not come to its end.
        trends: memory and answer times, judged.
        windows: in their order.
        notes: what else there is to know.
        provenance: when and by which command it was begun, and what computed.
    """

    kind: Literal["soak"] = "soak"
    target: str
    board: str
    backend: str
    model: str
    model_sha256: str
    build_id: str
    image_sha256: str = ""
    elf_sha256: str = ""
    oracle: str
    source: Source
    records: list[int]
    leads: list[str]
    rate: int
    seed: int
    window: int
    faulty: int
    restarts_wanted: int
    wanted_frames: int | None
    wanted_hours: float | None
    counts: Counts
    sessions: int
    verdict: SoakVerdict
    mismatches: list[Mismatch]
    error: str | None
    trends: list[Trend]
    windows: list[Window]
    notes: list[str] = []
    provenance: Provenance | None = None
