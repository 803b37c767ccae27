"""From a label and a sample every 10 ms to beats, intervals and changes of the signal's state.

The reference of firmware/pipeline/ecgseg_events.c, equal to the byte. What the rules are is told in
docs/architecture.md, section 11, and their numbers stand in ecgseg.pipeline.rules.
"""

from __future__ import annotations

from dataclasses import replace

from ecgseg.pipeline.beat_queue import (
    CALM_SHIFT,
    LONGEST,
    LONGEST_RR,
    WHOLE,
    BeatQueue,
    OpenBeat,
)
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.pipeline.faint import FAINT_P
from ecgseg.pipeline.intervals import PARTS
from ecgseg.pipeline.parameters import LEAD_OFF
from ecgseg.pipeline.rules import BEAT_RULES, BeatRules
from ecgseg.pipeline.times import TICKS_A_SAMPLE
from ecgseg.pipeline.waves import Peak, Wave, WaveTracker

_P, _QRS, _T = 1, 2, 3
# The newest wave counts 1/8 of the share of bad ones.
_BAD_SHIFT = 3


class BeatFinder(BeatQueue):
    """Takes a label and a sample every 10 ms and gives events.

    Args:
        first_tick: where the stream begins.
        rules: the table of rules.
        after_bazett: QTc after Bazett instead of Fridericia.
    """

    def __init__(self, first_tick: int = 0, rules: BeatRules = BEAT_RULES, *, after_bazett: bool = False) -> None:
        super().__init__(first_tick, rules, after_bazett=after_bazett)
        self._off = self._off_since = self._flat = self._flat_since = self._noisy_since = 0
        self._is_off = self._is_flat = False
        self._flat_level = 0
        self._start()

    def _start(self) -> None:
        """Nothing is known of the signal before."""
        self._before: int | None = None
        self._before_that: int | None = None
        self._calm = self._bad = 0
        self._waves = WaveTracker(self._rules.waves.max_gap)
        self._peak = Peak()
        self._p = Wave()
        self._beat: OpenBeat | None = None
        self._last_qrs: int | None = None
        self._rr_known = False
        self._faint.start()
        self._forget_beats()

    def push(self, label: int, sample: int) -> bool:
        """Takes a label and its sample in microvolts, LEAD_OFF without contact.

        Args:
            label: 0 none, 1 P, 2 QRS, 3 T, FAINT_P.
            sample: microvolts.

        Returns:
            False when there is no room for what may come of it; nothing was taken then.
        """
        if not self.room:
            return False
        if sample == LEAD_OFF:
            self._no_contact()
        else:
            self._contact(label, sample)
        self._wait_no_longer()
        self._now += 1
        self._tick += TICKS_A_SAMPLE
        return True

    def lose(self, kind: EventKind, ticks: int, next_tick: int) -> bool:
        """Signal is missing here: GAP or OVERRUN. The next sample starts anew.

        Args:
            kind: of the event.
            ticks: how much is missing.
            next_tick: of the next sample.

        Returns:
            False when there is no room; nothing was done then.
        """
        if not self.room:
            return False
        self._leave()
        self._add(Event(self._tick, 0, min(ticks, LONGEST), kind))
        self._tick = next_tick
        return True

    def end(self) -> bool:
        """The stream ends: tells what is not finished.

        Returns:
            False when there is no room; nothing was done then.
        """
        if not self.room:
            return False
        self._leave()
        return True

    # ---- The signal's state ----

    def _no_contact(self) -> None:
        self._cut()
        self._rr_known = False
        self._off_since = self._off_since if self._off else self._now
        self._off = min(self._off + 1, self._rules.lead_off)
        if self._off == self._rules.lead_off and not self._is_off:
            self._break()
            self._is_off = True
            self._add(Event(self._edge_tick(self._off_since), 0, 0, EventKind.LEAD_OFF_BEGIN))
        self._faint.drop()
        self._before = self._before_that = None

    def _contact(self, label: int, sample: int) -> None:
        self._off = 0
        if self._is_off:
            self._is_off = False
            self._end_state(EventKind.LEAD_OFF_END, self._off_since)
        self._look_for_flat(sample)
        coming = self._waves.open
        self._peak.follow(sample, is_next=coming.label == _QRS and self._now - coming.last == 1)
        self._follow(0 if self._is_flat or label > FAINT_P else label, sample)
        self._before_that, self._before = self._before, sample

    def _look_for_flat(self, sample: int) -> None:
        if self._flat and abs(sample - self._flat_level) <= self._rules.flat_uv:
            self._flat = min(self._flat + 1, self._rules.flat)
        else:
            if self._is_flat:
                self._is_flat = False
                self._end_state(EventKind.FLAT_END, self._flat_since)
            self._flat, self._flat_since, self._flat_level = 1, self._now, sample
        if self._flat == self._rules.flat and not self._is_flat:
            self._cut()
            self._break()
            self._is_flat = True
            self._add(Event(self._edge_tick(self._flat_since), 0, 0, EventKind.FLAT_BEGIN))

    def _judge(self, *, good: bool) -> None:
        """Counts a wave as good or bad; enough of one kind make the signal good or noise."""
        if good:
            self._bad -= self._bad >> _BAD_SHIFT
        else:
            self._bad += (WHOLE - self._bad) >> _BAD_SHIFT
        if self._is_noisy and self._bad < self._rules.noisy_to:
            self._drop_held()
            self._is_noisy = False
            self._end_state(EventKind.NOISY_END, self._noisy_since)
        elif not self._is_noisy and self._bad >= self._rules.noisy_from:
            self._fall_into_noise()
            self._is_noisy = True
            self._noisy_since = self._now
            self._add(Event(self._edge_tick(self._now), 0, 0, EventKind.NOISY_BEGIN))

    def _leave(self) -> None:
        """The signal ends here."""
        self._cut()
        self._break()
        for active, kind, since in (
            (self._is_off, EventKind.LEAD_OFF_END, self._off_since),
            (self._is_flat, EventKind.FLAT_END, self._flat_since),
            (self._is_noisy, EventKind.NOISY_END, self._noisy_since),
        ):
            if active:
                self._end_state(kind, since)
        self._is_off = self._is_flat = self._is_noisy = False
        self._off = self._flat = 0
        self._start()

    # ---- Waves ----

    def _follow(self, label: int, sample: int) -> None:
        before = self._before
        if label != _QRS and before is not None:
            self._calm += abs(sample - before) - (self._calm >> CALM_SHIFT)
        done = self._waves.push(self._now, 0 if label == FAINT_P else label, continues=before is not None)
        if done:
            self._take(done)
        if label in (_P, FAINT_P) and self._waves.open.label != _QRS:
            self._faint.follow(self._now, continues=before is not None)
        if label == _QRS:
            before = sample if before is None else before
            if self._waves.open.first == self._now:
                level = before if self._before_that is None else (before + self._before_that) >> 1
                self._peak.begin(level)
            self._peak.add(self._now, sample, before)

    def _cut(self) -> None:
        """The signal is not to be used from here on."""
        done = self._waves.cut(self._now)
        if done:
            self._take(done)

    def _take(self, wave: Wave) -> None:
        """A wave that has ended."""
        if wave.length < self._rules.waves.min_length[wave.label]:
            if wave.begins and wave.ends:
                self._judge(good=False)
        elif wave.label == _P:
            self._drop_p()
            self._p = wave
        elif wave.label == _QRS:
            self._take_qrs(wave)
        else:
            self._take_t(wave)

    def _take_qrs(self, wave: Wave) -> None:
        if not (wave.begins and wave.ends):
            self._close_beat()
            return
        too_soon = self._last_qrs is not None and wave.first - self._last_qrs < self._rules.refractory
        standing = self._standing()
        if too_soon or wave.length > self._rules.max_qrs or standing < self._least_standing():
            self._judge(good=False)
            return
        self._close_beat()
        self._judge(good=True)
        p = self._p_of(wave.first)
        is_faint = bool(p.label) and not self._p.label
        peak = self._peak
        returns = 2 * abs(peak.after) <= abs(peak.height)
        self._beat = OpenBeat(
            wave,
            p,
            peak.at,
            peak.fine,
            peak.height,
            standing,
            Wave(),
            returns=returns,
            rr_known=self._rr_known,
            p_known=not self._is_noisy and not is_faint,
        )
        self._rr_known = True
        self._p = Wave()
        self._last_qrs = wave.first

    def _p_of(self, qrs_first: int) -> Wave:
        """The P wave of a beat whose QRS complex begins at a sample; in noise none."""
        if self._is_noisy:
            self._faint.drop()
            return Wave()
        if self._p.label and qrs_first - self._p.first > self._rules.max_pr:
            # It is told alone, and no part of it a second time.
            self._faint.drop_before(self._p.last + 1)
            self._drop_p()
        # Behind a pause beats are held again, which is told when this one closes.
        after_pause = self._last_r is not None and self._peak.at - self._last_r > self._rules.pause
        if after_pause:
            self._faint.forget()
        return self._faint.p_wave(self._p, qrs_first, is_confirmed=self._locked and not after_pause)

    def _standing(self) -> int:
        """How often the steepest step of a QRS complex is the mean step outside of them, in tenths, at most 100."""
        return min(10 * (self._peak.steepness << CALM_SHIFT) // max(self._calm, 1), 100)

    def _least_standing(self) -> int:
        """What `_standing` has to be: less for a complex as high as those of a rhythm that is known."""
        is_known = self._known.is_fresh(self._now) and self._known.is_as_high(self._peak.height)
        return self._rules.least_known if is_known else self._rules.least_standing

    def _take_t(self, wave: Wave) -> None:
        self._faint.drop_before(wave.last)
        beat = self._beat
        if beat is None or wave.first - beat.qrs.last > self._rules.max_st:
            self._judge(good=False)
            return
        if self._p.label:
            # Between a QRS complex and its T wave there is no P wave.
            self._p = Wave()
            self._judge(good=False)
        beat.t = wave
        self._judge(good=True)
        self._close_beat()

    def _wait_no_longer(self) -> None:
        """Closes what has waited as long as the rules allow."""
        rules = self._rules
        if self._beat is not None:
            self._wait_no_longer_for_t(self._beat, self._waves.open)
        if self._p.label and self._waves.open.label != _QRS and self._now - self._p.last > rules.max_pr:
            self._drop_p()
        if self._last_r is not None and self._now - self._last_r > LONGEST_RR // PARTS:
            self._drop_held()
            self._forget_beats()

    def _wait_no_longer_for_t(self, beat: OpenBeat, coming: Wave) -> None:
        if coming.label == _T and coming.first - beat.qrs.last <= self._rules.max_st:
            if coming.last - beat.qrs.first >= self._rules.max_qt:
                if coming.length >= self._rules.waves.min_length[_T]:
                    beat.t = replace(coming, ends=False)
                self._close_beat()
        elif self._now - beat.qrs.last > self._rules.max_st:
            self._judge(good=False)
            self._close_beat()
