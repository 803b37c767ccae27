"""The queue of events, and how a beat becomes one: the reference of firmware/pipeline/ecgseg_beats.c."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecgseg.pipeline.confirmation import P_FLAGS, NewestBeats, pr_of
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.faint import FaintWaves
from ecgseg.pipeline.intervals import PARTS, bazett, fridericia, rate_tenths, rr_ms
from ecgseg.pipeline.known import KnownRhythm
from ecgseg.pipeline.rhythm import SOME_P, UNKNOWN_P, Rhythm
from ecgseg.pipeline.rules import BeatRules
from ecgseg.pipeline.shapes import Shape, Shapes, Sureness
from ecgseg.pipeline.times import TICK_MS, TICKS_A_SAMPLE
from ecgseg.pipeline.waves import Wave

# Events that wait to be fetched, and how many one sample, or the end of a stretch of signal, may bring.
CAPACITY = 11
MOST_AT_ONCE = 6
# Shares are of so much.
WHOLE = 1024
# The newest step from a sample to the next counts 2^-6 of the mean.
CALM_SHIFT = 6
# An RR interval is known up to so many 1/32 samples, 20.48 s.
LONGEST_RR = 65535
LONGEST = 2**32 - 1

_SAMPLE_MS = TICK_MS * TICKS_A_SAMPLE


@dataclass
class OpenBeat:
    """A QRS complex that may still get its T wave.

    Attributes:
        qrs, p, t: waves; of those that are not there the label is 0.
        at, fine: sample of R, and 1/32 samples from it.
        height: of R, microvolts.
        standing: 0 to 100, how far the complex stands out of what is around it.
        returns: behind the complex the signal is nearer to the level in front of it than to R.
        rr_known: nothing is missing between the beat before and this one.
        p_known: the network says whether there is a P wave: neither noise nor a faint wave.
    """

    qrs: Wave
    p: Wave
    at: int
    fine: int
    height: int
    standing: int
    t: Wave
    returns: bool
    rr_known: bool
    p_known: bool


class BeatQueue:
    """Events that wait, and what the next one needs to know of those before.

    Args:
        first_tick: where the stream begins.
        rules: the table of rules.
        after_bazett: QTc after Bazett instead of Fridericia.
    """

    def __init__(self, first_tick: int, rules: BeatRules, *, after_bazett: bool) -> None:
        self._rules = rules
        self._rhythm = Rhythm(rules)
        self._shapes = Shapes(rules.width_alike)
        self._known = KnownRhythm(rules)
        self._faint = FaintWaves(rules)
        self._after_bazett = after_bazett
        self._tick = first_tick
        self._now = 0
        self._queue: list[Event] = []
        self._number = self._held = 0
        self._calm = self._bad = 0
        self._is_noisy = False
        self._p = Wave()
        self._beat: OpenBeat | None = None
        self._last_qrs: int | None = None
        self._forget_beats()

    @property
    def tick(self) -> int:
        """Tick of the next sample."""
        return self._tick

    @property
    def room(self) -> bool:
        """True when a sample, a loss or the end can be taken; else events must be fetched first."""
        return len(self._queue) + MOST_AT_ONCE <= CAPACITY

    def next(self) -> Event | None:
        """The oldest event that is there, None without one."""
        return self._queue.pop(0) if len(self._queue) > self._held else None

    def _forget_beats(self) -> None:
        """The next beat has none before it."""
        self._last_r: int | None = None
        self._last_fine = 0
        self._rhythm.forget()
        self._shapes.forget()
        self._faint.forget()
        self._locked = False
        self._doubts = 0

    def _add(self, event: Event) -> None:
        self._queue.append(replace(event, number=self._number % 2**32))
        self._number += 1

    def _drop_held(self) -> None:
        """Beats that were not confirmed are none."""
        if self._held:
            del self._queue[-self._held :]
            self._number -= self._held
            self._held = 0
            self._forget_beats()

    def _end_state(self, kind: EventKind, since: int) -> None:
        length = TICKS_A_SAMPLE * (self._now - since)
        self._add(Event(self._edge_tick(self._now), 0, min(length, LONGEST), kind))

    def _edge_tick(self, sample: int) -> int:
        """Tick half a sample before a sample; not before the stream."""
        return max(self._tick_of(sample) - 1, 0)

    def _tick_of(self, sample: int) -> int:
        return self._tick - TICKS_A_SAMPLE * (self._now - sample)

    def _drop_p(self) -> None:
        """The P wave that waits gets no QRS complex."""
        wave, self._p = self._p, Wave()
        is_told = wave.label and wave.begins and self._locked and not self._is_noisy
        if not is_told or self._rhythm.speaks_against(SOME_P):
            return
        tick = self._edge_tick(wave.first)
        flags = EventFlag.P_ON | (EventFlag.P_OFF if wave.ends else 0)
        p_off = self._tick_of(wave.last) + 1 - tick if wave.ends else 0
        self._add(Event(tick, 0, 0, EventKind.LONE_P, flags=flags, p_off=p_off))

    def _close_beat(self) -> None:
        beat, self._beat = self._beat, None
        if beat is None:
            return
        if self._is_noisy:
            if not self._locked and not self._known.is_fresh(self._now):
                return
            # Where most waves make no sense none but QRS complexes are told.
            beat = replace(beat, t=Wave())
        if self._last_r is not None and beat.at - self._last_r > self._rules.pause:
            self._drop_held()
            self._locked = False
            self._doubts = 0
            self._shapes.forget()
        event = self._event(beat)
        self._add(event)
        self._last_r, self._last_fine = beat.at, beat.fine
        sureness = self._sureness(beat, event)
        self._shapes.add(Shape(event.r_uv, event.qrs_ms // _SAMPLE_MS, sureness))
        if self._locked:
            self._doubt(sureness)
        else:
            self._hold()
        self._learn(event.r_uv)

    def _learn(self, height: int) -> None:
        """A beat that is told and leaves no doubt, R of so many microvolts."""
        if self._locked and not self._doubts:
            # The mean of intervals among which is a pause is that of no rhythm.
            mean = self._rhythm.parts // max(self._rhythm.count, 1)
            self._known.learn(self._now, height, mean if self._rhythm.keeps(mean, 1) else 0)

    def _doubt(self, sureness: Sureness) -> None:
        """The newest beat of a confirmed rhythm: so many in a row that tell nothing for themselves end it."""
        self._doubts = self._doubts + 1 if self._newest(1).is_doubtful(sureness) else 0
        self._locked = self._doubts < self._rules.confirm
        self._doubts *= self._locked
        self._doubt_p(0)

    def _newest(self, count: int) -> NewestBeats:
        """The last so many beats, to be judged."""
        return NewestBeats(
            rules=self._rules,
            events=self._queue[-count:],
            shapes=self._shapes,
            rhythm=self._rhythm,
            known=self._known,
            now=self._now,
            is_noisy=self._is_noisy,
        )

    def _sureness(self, beat: OpenBeat, event: Event) -> Sureness:
        if abs(event.r_uv) < self._rules.least_height or event.quality < self._rules.plain_quality:
            return Sureness.FAINT
        return Sureness.CERTAIN if beat.returns and event.quality >= self._rules.certain_quality else Sureness.PLAIN

    def _hold(self) -> None:
        """A beat that is not confirmed; enough of them confirm each other, or the oldest is none."""
        self._held += 1
        if self._newest(self._held).are_sure():
            for place in range(self._held):
                self._doubt_p(place)
            self._held = 0
            self._locked = True
            if not self._known.is_as_high(self._queue[-1].r_uv):
                # It takes the place of the one before: its beats are as high as themselves.
                self._known.forget()
        elif self._held >= self._rules.most_held:
            oldest = len(self._queue) - self._held
            waiting = self._queue[oldest + 1 :]
            self._queue[oldest:] = [replace(event, number=(event.number - 1) % 2**32) for event in waiting]
            self._held -= 1
            self._number -= 1

    def _doubt_p(self, place: int) -> None:
        """Takes the P wave from the beat that came so many beats ago, when the rhythm speaks against it."""
        event = self._queue[-1 - place]
        if self._rhythm.speaks_against(pr_of(event.flags, event.pr_ms), place):
            self._queue[-1 - place] = replace(event, flags=event.flags & ~P_FLAGS, p_on=0, p_off=0, pr_ms=0)

    def _break(self) -> None:
        """What comes next has nothing to do with what was before: what is open is told, what is held is dropped."""
        self._close_beat()
        self._drop_p()
        self._lose_rhythm()
        self._known.forget()

    def _fall_into_noise(self) -> None:
        """What is open is told; a confirmed rhythm that is known goes on, any other is dropped."""
        self._close_beat()
        self._drop_p()
        if not self._locked or not self._known.is_fresh(self._now):
            self._lose_rhythm()

    def _lose_rhythm(self) -> None:
        """What is held is dropped, and the next beat has none before it."""
        self._drop_held()
        self._last_qrs = None
        self._forget_beats()

    def _event(self, beat: OpenBeat) -> Event:
        shift = (beat.fine + PARTS // 4) // (PARTS // 2)
        tick = self._tick_of(beat.at) + shift
        qrs_on, qrs_off = self._ends(beat.qrs, tick)
        found = {"qrs_on": qrs_on, "qrs_off": qrs_off, "qrs_ms": TICK_MS * (qrs_off - qrs_on)}
        flags = EventFlag(0)
        for wave, name, on, off in (
            (beat.p, "p", EventFlag.P_ON, EventFlag.P_OFF),
            (beat.t, "t", EventFlag.T_ON, EventFlag.T_OFF),
        ):
            for known, end, flag, place in zip(
                (wave.begins, wave.ends), ("on", "off"), (on, off), self._ends(wave, tick), strict=True
            ):
                if wave.label and known:
                    flags |= flag
                    found[f"{name}_{end}"] = place
        if flags & EventFlag.P_ON:
            found["pr_ms"] = TICK_MS * (qrs_on - found["p_on"])
        if flags & EventFlag.T_OFF:
            found["qt_ms"] = TICK_MS * (found["t_off"] - qrs_on)
        flags |= self._interval(beat, flags, found)
        return Event(
            tick,
            0,
            0,
            EventKind.BEAT,
            self._quality(beat),
            int(flags),
            max(-32767, min(32767, beat.height)),
            beat.fine - shift * (PARTS // 2),
            **found,
        )

    def _interval(self, beat: OpenBeat, flags: int, found: dict[str, int]) -> EventFlag:
        """Adds RR, rate and QTc to a beat with these flags; returns theirs."""
        if self._last_r is None:
            return EventFlag(0)
        parts = PARTS * (beat.at - self._last_r) + beat.fine - self._last_fine
        if not beat.rr_known or parts > LONGEST_RR:
            self._rhythm.forget()
            return EventFlag(0)
        self._rhythm.add(parts, pr_of(flags, found.get("pr_ms", 0)) if beat.p_known else UNKNOWN_P)
        found["rr_ms"] = rr_ms(parts)
        found["rate_tenths"] = rate_tenths(self._rhythm.parts, self._rhythm.count)
        if "qt_ms" not in found:
            return EventFlag.RR
        corrected = bazett if self._after_bazett else fridericia
        found["qtc_ms"] = corrected(found["qt_ms"], found["rr_ms"])
        return EventFlag.RR | EventFlag.QTC | (EventFlag.BAZETT if self._after_bazett else EventFlag(0))

    def _ends(self, wave: Wave, tick: int) -> tuple[int, int]:
        """Onset and offset of a wave in ticks from a tick."""
        return self._tick_of(wave.first) - 1 - tick, self._tick_of(wave.last) + 1 - tick

    def _quality(self, beat: OpenBeat) -> int:
        """How far the complex stands out, less for bad waves."""
        return beat.standing * (WHOLE - self._bad) // WHOLE
