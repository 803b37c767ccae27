"""A recording that goes through a target for as long as somebody looks: paced, begun again after whatever ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.errors import EcgsegError, OutputError
from ecgseg.monitor.bench import Bench, Desk
from ecgseg.monitor.continuation import Continuation, base_second
from ecgseg.monitor.joints import Joints
from ecgseg.monitor.line import Line
from ecgseg.monitor.noise import Noise
from ecgseg.monitor.pace import Pacer
from ecgseg.monitor.recorder import Recorder
from ecgseg.monitor.sources import Feed, Source
from ecgseg.monitor.state import STALE_SECONDS, Figures, Phase, State, Trouble, beat_figures
from ecgseg.monitor.tape import Tape
from ecgseg.monitor.wishes import Mailbox, Wish
from ecgseg.pipeline import MODEL_RATE
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.pipeline.times import TICK_RATE

# Between two starts of a target that is lost: doubled from the first to the last.
_FIRST_PAUSE, _LAST_PAUSE = 1.0, 15.0
_SIGNAL_NAMES = {"lead_off": "lead off"}


@dataclass(frozen=True)
class Wanted:
    """How a session runs.

    Attributes:
        speed: seconds of signal a second.
        noise: one of NOISES, to begin with.
        out: folder of recordings that are written.
        seconds: of signal after which it ends; None for never.
    """

    speed: float
    noise: str
    out: Path
    seconds: float | None = None


class Session:
    """What is shown, and the loop that makes it. One thread runs it; others read `state` and `tape` and put wishes.

    Args:
        bench: starts the target.
        sources: what can be chosen; the first one is shown first.
        wanted: how it runs.
        clock: seconds that never go back.
        nap: the longest that it sleeps at once, seconds.

    Attributes:
        state: what it is.
        tape: what was shown last.
        wishes: what viewers ask for.
        recordings: paths, without a suffix, of those that were written.
        unwritten: why the one that was written when it ended could not be; None for no such fault.

    Raises:
        EcgsegError: the first recording cannot be shown.
    """

    def __init__(
        self,
        bench: Bench,
        sources: Sequence[Source],
        wanted: Wanted,
        *,
        clock: Callable[[], float] = time.monotonic,
        nap: float = 0.1,
    ) -> None:
        self._bench, self.sources, self._wanted, self._clock = bench, sources, wanted, clock
        self._nap = nap
        self.state = State(noise=wanted.noise)
        self.tape = Tape()
        self.wishes = Mailbox()
        self.recordings: list[Path] = []
        self.unwritten: OutputError | None = None
        self._recorder: Recorder | None = None
        self._on_step: Callable[[], None] = lambda: None
        self._given = 0
        self._is_stopped = False
        self._show(0, Feed(sources[0]))

    def run(self, on_step: Callable[[], None] = lambda: None) -> None:
        """Shows until a signal comes, or as many seconds as are wanted.

        Args:
            on_step: is called after each block, and while a target is waited for.

        Raises:
            EcgsegError: the target does not start for the first time.
        """
        self._on_step = on_step
        pause = _FIRST_PAUSE
        try:
            while not self._is_over:
                starts = self.state.starts
                try:
                    with self._bench.opened(self._feed.rate, self._enter) as desk:
                        self._run_on(desk)
                except EcgsegError as error:
                    if not self.state.starts:
                        raise
                    pause = _FIRST_PAUSE if self.state.starts > starts else min(2 * pause, _LAST_PAUSE)
                    self._lose(error, pause)
        finally:
            with interruption.held():
                self.unwritten = self._end_writing()
                self._change(phase=Phase.ENDED)

    def stop(self) -> None:
        """Ends it with the next block."""
        self._is_stopped = True

    @property
    def _is_over(self) -> bool:
        if self._is_stopped:
            return True
        return self._wanted.seconds is not None and self._given >= self._wanted.seconds * self._feed.rate

    # ---- State ----

    def _change(self, **what: object) -> None:
        self.state = replace(self.state, version=self.state.version + 1, **what)  # type: ignore[arg-type]

    def _enter(self, phase: Phase) -> None:
        self._change(phase=phase)
        self._on_step()

    def _complain(self, error: EcgsegError) -> None:
        self._change(trouble=Trouble(error.what, error.why, error.remedy))

    def _lose(self, error: EcgsegError, seconds: float) -> None:
        self._complain(error)
        self._change(phase=Phase.LOST, figures=Figures())
        until = self._clock() + seconds
        while not self._is_over and (left := until - self._clock()) > 0:
            self._on_step()
            interruption.check()
            if self._fulfil(min(left, self._nap)):
                return

    # ---- What is shown ----

    def _show(self, place: int, feed: Feed) -> None:
        self._feed = feed
        self.tape.begin(feed.rate, len(feed.channels))
        self._noise = Noise(self.state.noise, feed.rate, len(feed.channels))
        self._continuation = Continuation()
        self._beat: Event | None = None
        self._change(
            source=place,
            name=feed.name,
            channels=tuple(channel.label for channel in feed.channels),
            lead=feed.lead,
            length=feed.length,
            figures=Figures(),
        )

    def _fulfil(self, seconds: float = 0.0) -> bool:
        """Fulfils the next wish, if one comes; True when it did."""
        wish = self.wishes.take(seconds)
        if wish is None:
            return False
        if self.state.phase == Phase.RUNNING and self.state.trouble:
            # What the wish before came to has been read.
            self._change(trouble=None)
        try:
            self._do(wish)
        except EcgsegError as error:
            self._complain(error)
        return True

    def _do(self, wish: Wish) -> None:
        value = wish.value
        if wish.what == "record" and int(value) < len(self.sources):
            feed = Feed(self.sources[int(value)])
            self._end_writing()
            self._show(int(value), feed)
        elif wish.what == "lead" and int(value) < len(self._feed.channels) and value != self.state.lead:
            self.tape.change(base_second(self.tape.head, self._feed.rate) * MODEL_RATE)
            self._continuation = Continuation()
            self._beat = None
            self._change(lead=int(value), figures=Figures())
        elif wish.what == "noise":
            self._noise = Noise(str(value), self._feed.rate, len(self._feed.channels))
            self._change(noise=str(value))
        elif wish.what == "write":
            self._write(on=bool(value))

    # ---- The stream ----

    def _run_on(self, desk: Desk) -> None:
        """Streams to a device until it is over or another is needed."""
        rate, pacer = self._feed.rate, Pacer(self._feed.rate, self._wanted.speed)
        self._change(starts=self.state.starts + 1)
        while self._feed.rate == rate and not self._is_over:
            line = self._begin(desk)
            pacer.rest()
            while self.tape.take == line.take and not self._is_over:
                self._step(line, pacer)

    def _begin(self, desk: Desk) -> Line:
        """A stream that goes on where the one before was, with enough of the signal in front."""
        take, head, lead = self.tape.take, self.tape.head, self.state.lead
        second = base_second(head, take.rate)
        joints = Joints(self._feed.length, take.rate, second)
        line = Line(desk, desk.begin(), take, lead, second, joints)
        self._continuation.begin(second)
        before = self.tape.samples(second * take.rate, head).values
        self._hear(line, np.ascontiguousarray(before[:, lead], np.int16))
        self._keep(line, list(self._continuation.settle()))
        self._change(phase=Phase.RUNNING, trouble=None)
        return line

    def _step(self, line: Line, pacer: Pacer) -> None:
        now = self._clock()
        count = pacer.due(now)
        if not count:
            self._fulfil(min(pacer.wait(now), self._nap))
            interruption.check()
            return
        head = self.tape.head
        samples = self._noise.added(self._feed.read(head, head + count), head, line.lead)
        self.tape.add_samples(samples)
        self._given += count
        if self._recorder:
            self._tried(lambda recorder: recorder.add(samples))
        self._hear(line, np.ascontiguousarray(samples[:, line.lead]))
        line.count(count, self._clock() - now)
        self._update(line, pacer)
        self._on_step()
        while self._fulfil():
            pass

    def _hear(self, line: Line, samples: npt.NDArray[np.int16]) -> None:
        """Sends samples and keeps what comes of them."""
        for results in line.stream.push(samples):
            if results.classes.size:
                self.tape.add_classes(line.second * MODEL_RATE + results.first_class, results.classes)
            if results.events:
                self._keep(line, list(self._continuation.take(line.joints.real(results.unpacked()))))

    def _keep(self, line: Line, events: list[Event]) -> None:
        self.tape.add_events(events)
        if self._recorder:
            self._tried(lambda recorder: recorder.tell(line.lead, events))
        beats = [event for event in events if event.kind == EventKind.BEAT]
        if beats:
            self._beat = beats[-1]
            self._change(figures=beat_figures(self._beat, self.tape.head, line.take.rate))

    def _update(self, line: Line, pacer: Pacer) -> None:
        """Figures that need no beat."""
        now = self.tape.head / line.take.rate
        is_fresh = self._beat is not None and now - self._beat.tick / TICK_RATE < STALE_SECONDS
        states = sorted(_SIGNAL_NAMES.get(name, name) for name in self._continuation.states)
        figures = self.state.figures if is_fresh else Figures()
        figures = replace(
            figures,
            signal=", ".join(states) or ("good" if is_fresh else Figures().signal),
            load=line.load,
            answer_ms=line.answer_ms,
            slipped_s=round(pacer.slipped, 1),
        )
        if figures != self.state.figures:
            self._change(figures=figures)

    # ---- Recordings ----

    def _write(self, *, on: bool) -> None:
        if on and not self.state.writing:
            self._end_writing()
            rate, head = self._feed.rate, self.tape.head
            first = head // rate * rate
            state = self.state
            self._recorder = Recorder(self._wanted.out, state.name, state.channels, rate, first)
            self._recorder.add(self.tape.samples(first, head - first).values.astype(np.int16))
            self._change(writing=str(self._recorder.base), written="", trouble=None)
        elif not on and self._recorder:
            self._recorder.close(self.tape.head)
            self._change(writing="")

    def _tried(self, work: Callable[[Recorder], None]) -> None:
        """Does something with what is written; what cannot be is told, and the session goes on without it."""
        recorder = self._recorder
        if recorder is None:
            return
        try:
            work(recorder)
            if recorder.is_over(self.tape.head):
                self._end_writing()
        except OutputError as error:
            recorder.drop()
            self._recorder = None
            self._complain(error)
            self._change(writing="")

    def _end_writing(self) -> OutputError | None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return None
        try:
            has_written = recorder.end()
        except OutputError as error:
            self._complain(error)
            self._change(writing="")
            return error
        if has_written:
            self.recordings.append(recorder.base)
        self._change(writing="", written=str(recorder.base) if has_written else "")
        return None
