"""A soak that goes on: sends window after window, restarts the target, counts."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass, field, replace

from ecgseg.data.records import Record
from ecgseg.errors import DeviceError, LinkError
from ecgseg.hil.identity import WrongHello, identify, judge_of
from ecgseg.hil.journal import counted_since
from ecgseg.hil.result import Planned
from ecgseg.hil.soak.journal import Differing, SoakJournal
from ecgseg.hil.soak.judge import SoakJudge
from ecgseg.hil.soak.plan import Restart, Sent
from ecgseg.hil.soak.process import Cores, rss_bytes
from ecgseg.hil.soak.ready import Ready
from ecgseg.hil.soak.result import Counts, SoakResult, SoakVerdict, Window
from ecgseg.hil.soak.trends import taken_together, trends
from ecgseg.hil.soak.wire import ChangingWire
from ecgseg.hil.start import explained
from ecgseg.link import DeviceClient, DeviceInfo
from ecgseg.link.transport import OnWait
from ecgseg.targets import RunningTarget, open_target

_HOUR = 3600
_OWN = frozenset(("records", "leads", "verdict", "mismatches", "error", "notes", "provenance"))


@dataclass(frozen=True)
class SoakStep:
    """How far a soak is.

    Attributes:
        counts: of everything so far.
        hours, frames: as wanted.
        equal: no byte differed so far.
    """

    counts: Counts
    hours: float | None
    frames: int | None
    equal: bool


OnSoakStep = Callable[[SoakStep], None]


@dataclass
class Soak:
    """A soak that goes on.

    Args:
        ready: what was prepared.
        journal: keeps windows.
        earlier: windows that were finished before.
        on_step, on_wait: as of `ecgseg.hil.soak.runner.run`.
    """

    ready: Ready
    journal: SoakJournal
    earlier: InitVar[list[Window]]
    on_step: OnSoakStep
    on_wait: OnWait | None
    wire: ChangingWire = field(default_factory=ChangingWire)

    def __post_init__(self, earlier: list[Window]) -> None:
        self.plan, self.known = self.ready.plan(), self.ready.known()
        # What is to tell of the device that was tested, and whether the window that it judges goes on.
        self._judge: SoakJudge | None = None
        self._open = False
        self._done = Counts()
        for window in earlier:
            self._done = self._done.plus(window)
        last = earlier[-1] if earlier else None
        self._window, self._session, self._process, self._life = (
            (last.window + 1, last.session + 1, last.process, last.life) if last else (0, 1, 0, 0)
        )
        self._now = self._finished = Counts()
        self._started = time.monotonic()

    @property
    def begun(self) -> bool:
        """Whether there is a device that a result can tell of."""
        return self._judge is not None

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        options, counts = self.ready.options, self.counts
        return (
            self.journal.differing is not None
            or (options.frames is not None and counts.frames >= options.frames)
            or (options.hours is not None and counts.seconds >= _HOUR * options.hours)
        )

    @property
    def counts(self) -> Counts:
        """Of everything that was compared, now and before."""
        return self._done.plus(self._of_window()) if self._open else self._done

    def run(self) -> None:
        """Starts the target until the soak is over."""
        gc.collect()
        # What is there now stays; what comes is looked through after every window.
        gc.freeze()
        tested = self.ready.options.tested
        target_options = replace(tested.target_options, wire=self.wire)
        going_on: Restart | None = "power"
        while going_on == "power":
            with (
                open_target(tested.target, self.ready.image, target_options) as running,
                running.connect(self.on_wait) as device,
            ):
                self._process += 1
                self._life += 1
                going_on = None
                self._judge = self._judge_of(device)
                while not self.over and going_on != "power":
                    going_on = self._one_window(running, device)

    def _one_window(self, running: RunningTarget, device: DeviceClient) -> Restart | None:
        """Sends a window and keeps it; tells what ended it."""
        self._judge = judge = self._judge_of(device)
        judge.cores = Cores(running.process.pid if running.process else None)
        self._now, self._started, self._open = Counts(), time.monotonic(), True
        self._finished = Counts()
        link, faults = replace(device.counters), self.wire.faults
        sent: list[Sent] = []

        def on_lead(done: int, equal: bool) -> None:
            counted = counted_since(device.counters, link)
            self._now.leads, self._now.faults = done, self.wire.faults - faults
            self._now.requests, self._now.retries = counted.requests, counted.retries
            self._now.crc_errors = counted.crc_errors
            self._finished = self._of_window()
            self._mark_if(differing=not equal)
            self.on_step(SoakStep(self.counts, self.ready.options.hours, self.ready.options.frames, equal))

        waited = judge.cores.waited()
        try:
            judge.run(self._leads(device, sent), on_lead)
            waited = judge.cores.waited() - waited
        except DeviceError as caught:
            raise explained(caught, device) from caught
        finally:
            judge.cores.close()
            self._mark_if(differing=not judge.tally.equal)
        self._keep(judge, running, waited)
        return sent[-1].restart if sent else None

    def _leads(self, device: DeviceClient, sent: list[Sent]) -> Iterator[Record]:
        """The leads of this window; what happens to line and device happens between them."""
        for one in self.plan.window(self._window):
            # One lead at least, however short it is to be.
            if sent and self.over:
                return
            sent.append(one)
            record = self.ready.leads[one.lead]
            self.wire.set(one.faults, one.seed)
            self._now.faulty_leads += one.faults is not None
            yield replace(record, samples=record.samples[: one.samples])
            self.wire.set(None)
            if one.restart is not None:
                self._restart(device, one.restart, record)

    def _restart(self, device: DeviceClient, restart: Restart, record: Record) -> None:
        """In the middle of a stream."""
        device.reset_stream()
        device.push(0, record.samples[: device.max_chunk])
        if restart == "power":
            self._now.power_cycles += 1
            return
        device.restart()
        identify(device, self.ready.reference, self.known)
        self._now.restarts += 1
        self._life += 1

    def _mark_if(self, *, differing: bool) -> None:
        """Keeps that a window differs as soon as it does."""
        judge = self._judge
        if differing and judge is not None and self.journal.differing is None:
            self.journal.mark(
                Differing(differs=self._window, mismatches=judge.tally.mismatches, counts=self._of_window())
            )

    def _keep(self, judge: SoakJudge, running: RunningTarget, waited: float) -> None:
        gc.collect()
        answers, on_core = judge.answer_times()
        window = Window(
            **self._of_window().model_dump(),
            window=self._window,
            session=self._session,
            process=self._process,
            life=self._life,
            host_rss_bytes=rss_bytes(os.getpid()),
            target_rss_bytes=rss_bytes(running.process.pid if running.process else None),
            stack_bytes=judge.stats.stack_high_water if judge.stats else 0,
            answers=answers,
            on_core=on_core,
            waited_seconds=round(max(waited, 0.0), 3),
        )
        if self.journal.differing is None:
            self.journal.keep(window)
            self._done, self._open = self._done.plus(window), False
            self._window += 1

    def _of_window(self) -> Counts:
        """What was counted in the window that goes on."""
        assert self._judge is not None
        tally, finished = self._judge.tally, self._finished
        # Of a lead that goes on nothing is lost yet.
        expected = finished.expected_frames + tally.frames - finished.frames
        return self._now.model_copy(
            update={
                "frames": tally.frames,
                "expected_frames": tally.expected_frames if self._now.leads > finished.leads else expected,
                "differing_frames": tally.differing_frames,
                "compared_bytes": tally.compared,
                "mismatched_bytes": tally.mismatched,
                "seconds": round(time.monotonic() - self._started, 3),
            }
        )

    def _judge_of(self, device: DeviceClient) -> SoakJudge:
        """The judge of a device that has told who it is.

        Raises:
            LinkError: as `identify`.
        """
        return self._judge_with(device, identify(device, self.ready.reference, self.known))

    def _judge_with(self, device: DeviceClient | None, info: DeviceInfo) -> SoakJudge:
        inputs = self.ready.inputs
        planned = Planned(len(inputs.records), self.plan.leads)
        subject = self.ready.subject(device, self.known)
        return SoakJudge(subject, info, source=inputs.source, planned=planned, wire=self.wire)

    def judge_hello(self, error: WrongHello) -> LinkError:
        """Counts what a device tells that is not the one which is tested; returns the error that explains the most."""
        if self._open:
            # In the middle of a window: what was compared in it is counted with it.
            assert self._judge is not None
            self._judge.add_hello(f"{error.what} {error.why}")
            self._mark_if(differing=True)
            return error
        self._judge, explained_by = judge_of(
            error, self.ready.reference, self.known, lambda info: self._judge_with(None, info)
        )
        self._open, self._now, self._started = True, Counts(), time.monotonic()
        self._mark_if(differing=True)
        return explained_by

    def result(self, error: str | None) -> SoakResult:
        """The result so far.

        Args:
            error: why it does not come to its end.

        Raises:
            DataError: the windows cannot be read again.
        """
        assert self._judge is not None
        windows, options, differing = self.journal.windows(), self.ready.options, self.journal.differing
        found, told = trends(windows), self._judge.result(error)
        counts = self.counts if self._open or differing is None else self._done.plus(differing.counts)
        verdict: SoakVerdict = "incomplete" if error is not None or not self.over or not counts.frames else "pass"
        if differing is not None:
            verdict = "fail"
        elif verdict == "pass" and any(trend.outcome == "grows" for trend in found):
            verdict = "drift"
        names = set(SoakResult.model_fields) & set(type(told).model_fields) - _OWN
        return SoakResult(
            **{name: getattr(told, name) for name in names},
            records=list(self.ready.inputs.records),
            leads=list(self.ready.inputs.leads),
            rate=options.rate,
            seed=options.seed,
            window=options.window,
            faulty=options.faulty,
            restarts_wanted=options.restarts,
            wanted_frames=options.frames,
            wanted_hours=options.hours,
            counts=counts,
            sessions=self._session,
            verdict=verdict,
            mismatches=differing.mismatches if differing else [],
            error=error,
            trends=found,
            windows=taken_together(windows),
            notes=[*told.notes, *filter(None, (self.journal.not_kept,))],
        )
