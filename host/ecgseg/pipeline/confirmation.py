"""Whether beats are sure: the reference of firmware/pipeline/ecgseg_confirm.c."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ecgseg.pipeline.events import Event, EventFlag
from ecgseg.pipeline.known import KnownRhythm
from ecgseg.pipeline.rhythm import NO_P, SOME_P, Rhythm
from ecgseg.pipeline.rules import BeatRules
from ecgseg.pipeline.shapes import Shapes, Sureness
from ecgseg.pipeline.times import TICK_MS, TICKS_A_SAMPLE

P_FLAGS = EventFlag.P_ON | EventFlag.P_OFF
T_FLAGS = EventFlag.T_ON | EventFlag.T_OFF


def pr_of(flags: int, pr_ms: int) -> int:
    """PR of a beat as the rhythm counts it."""
    return SOME_P + pr_ms // (TICK_MS * TICKS_A_SAMPLE) if flags & P_FLAGS else NO_P


@dataclass(frozen=True)
class NewestBeats:
    """The last beats, and what is known beside them.

    Attributes:
        rules: the table of rules.
        events: of the beats, the newest last.
        shapes, rhythm: of these and those before.
        known: the rhythm that is known.
        now: number of the sample.
        is_noisy: the signal is noise.
    """

    rules: BeatRules
    events: Sequence[Event]
    shapes: Shapes
    rhythm: Rhythm
    known: KnownRhythm
    now: int
    is_noisy: bool

    def are_sure(self) -> bool:
        """They confirm each other: the newest of them are as those of a rhythm that is known, or have P waves, as far
        in front, or have T waves and come regularly, or look alike and may be of one rhythm, or are as long; if they
        come slowly they are steady too.
        """
        if len(self.events) < self.rules.confirm:
            return False
        if self._held_are_as_known():
            return True
        certain = self._are_regular() or self._look_alike() or self._are_as_long()
        return (self._have_alike_p() or certain) and (not self._are_slow() or self._are_steady())

    def is_doubtful(self, sureness: Sureness) -> bool:
        """True when the newest is not as high as those of the rhythm that is known, does not come at a regular
        interval, might be an artefact, and has no P or no T wave; in noise when it is not as high, or not at the
        interval of that rhythm.
        """
        if self.is_noisy:
            return not self._are_as_known(1, 1)
        flags = self.events[-1].flags
        has_both = flags & P_FLAGS and flags & T_FLAGS
        if has_both or self.rhythm.is_regular or sureness == Sureness.CERTAIN:
            return False
        return not self._are_as_known(1, 0)

    def _held_are_as_known(self) -> bool:
        """They are as known; in noise one more has to be."""
        count = self.rules.certain if self.is_noisy else self.rules.confirm
        return len(self.events) >= count and self._are_as_known(count, count - 1)

    def _are_as_known(self, count: int, intervals: int) -> bool:
        """The last `count` are as high, and so many of the last intervals as long, as in the rhythm that is known."""
        if not self.known.is_fresh(self.now) or not self.rhythm.keeps(self.known.interval, intervals):
            return False
        return all(self.known.is_as_high(event.r_uv) for event in self.events[-count:])

    def _have_most(self, flags: int, count: int) -> bool:
        """Of the last `count` all but the doubtful have one of these flags."""
        return self._have(flags, count) >= count - self.rules.most_doubts

    def _have(self, flags: int, count: int) -> int:
        """How many of the last `count` have one of these flags."""
        return sum(event.flags & flags != 0 for event in self.events[-count:])

    def _have_alike_p(self) -> bool:
        """Of the last, as many as confirm each other, two have P waves as far in front, which the rhythm leaves them,
        and are as high to one side, or the newest comes at a regular interval.
        """
        places = range(self.rules.confirm)
        return any(
            self._have_pr_alike(place, other) and (self.rhythm.is_regular or self.shapes.stand_alike(place, other))
            for place in places
            for other in places[:place]
        )

    def _have_pr_alike(self, place: int, other: int) -> bool:
        """The two that came so many before the newest have P waves, which the rhythm leaves them, as far in front."""
        pr, other_pr = self._pr_left(place), self._pr_left(other)
        return min(pr, other_pr) > SOME_P and abs(pr - other_pr) <= self.rules.pr_alike

    def _pr_left(self, place: int) -> int:
        """PR of the one that came so many before the newest, unless the rhythm speaks against its P wave."""
        event = self.events[-1 - place]
        pr = pr_of(event.flags, event.pr_ms)
        return NO_P if self.rhythm.speaks_against(pr, place) else pr

    def _are_regular(self) -> bool:
        """The last stand out, come regularly and have T waves, however high they are."""
        count = self.rules.certain
        stand_out = self.shapes.as_sure(count, Sureness.PLAIN) == count
        return stand_out and self._have_t_and_are_regular(count)

    def _have_t_and_are_regular(self, count: int) -> bool:
        """The last `count` have T waves, and QRS onsets as far apart."""
        return self._all_have_t(count) and self._have_regular_onsets(count)

    def _all_have_t(self, count: int) -> bool:
        """The last `count` are there and have T waves."""
        return len(self.events) >= count and self._have(T_FLAGS, count) == count

    def _have_regular_onsets(self, count: int) -> bool:
        """QRS onsets of the last `count` are as far apart, where a lead that sees QRS from the side has R now here, now
        there.
        """
        apart = self._distances(count)
        return self.rules.regular * (max(apart) - min(apart)) < min(apart)

    def _are_slow(self) -> bool:
        """Somewhere among the last the distance is that of a slow rhythm, or of bumps that come now and then."""
        return max(self._distances(self.rules.certain)) > self.rules.slow * TICKS_A_SAMPLE

    def _are_steady(self) -> bool:
        """The last are as high and come regularly, or one more of them are as high and hardly irregular, or as many as
        may wait come regularly and have T waves, or some of those that wait have P waves as far in front and are as
        high, as every other beat in bigeminy.
        """
        rules, certain = self.rules, self.rules.certain
        if self._are_as_high(certain) and self._have_regular_onsets(certain):
            return True
        if self._are_as_high(certain + 1) and self._are_within(rules.apart_few, certain + 1):
            return True
        return self._have_t_and_are_regular(rules.most_held) or self._have_p_and_are_as_high()

    def _have_p_and_are_as_high(self) -> bool:
        """As many as confirm each other have P waves as far in front of R as high to one side as one of them has."""
        places = range(len(self.events))
        alike = [
            sum(self._have_pr_alike(place, other) and self.shapes.stand_alike(place, other) for other in places)
            for place in places
        ]
        return max(alike) >= self.rules.confirm

    def _are_as_high(self, count: int) -> bool:
        """The last `count` are there, and as high to one side."""
        return len(self.events) >= count and self.shapes.are_as_high(count)

    def _are_within(self, times: int, count: int) -> bool:
        """No distance of the last `count` is more than so many tenths of another."""
        apart = self._distances(count)
        return 10 * max(apart) <= times * min(apart)

    def _distances(self, count: int) -> list[int]:
        """Ticks from QRS onset to QRS onset of the last `count`, or of as many as there are."""
        onsets = [event.tick + event.qrs_on for event in self.events[-count:]]
        return [later - before for before, later in pairwise(onsets)]

    def _look_alike(self) -> bool:
        """Most of the last look alike, and come regularly or may be of one rhythm; of those without T waves that do not
        come regularly it takes one more.
        """
        certain = self.rules.certain
        return any(
            self._most_look_alike(count) and (self._have_regular_onsets(certain) or self._may_be_of_one_rhythm(count))
            for count in (certain, certain + 1)
        )

    def _may_be_of_one_rhythm(self, count: int) -> bool:
        """Distances and QT intervals of the last `count`, which look alike, differ no more than in an irregular rhythm
        of one heart; neither do the distances of all that wait.
        """
        rules = self.rules
        if count == rules.certain and not self._have_most(T_FLAGS, count):
            return False
        are_few = self.shapes.most_alike(count, Sureness.CERTAIN) < rules.certain
        qt_alike, most = (rules.qt_alike_few, rules.apart_few) if are_few else (rules.qt_alike, rules.apart)
        qt = [event.qt_ms for event in self.events[-count:] if event.flags & EventFlag.T_OFF]
        have_alike_qt = not qt or max(qt) - min(qt) <= qt_alike * TICK_MS * TICKS_A_SAMPLE
        return have_alike_qt and self._are_within(most, count) and self._are_within(rules.apart, len(self.events))

    def _most_look_alike(self, count: int) -> bool:
        """Of the last `count` all but the doubtful look alike for certain."""
        enough = count - self.rules.most_doubts
        return len(self.events) >= count and self.shapes.most_alike(count, Sureness.CERTAIN) >= enough

    def _are_as_long(self) -> bool:
        """As many as may wait are certain, have T waves and are as long."""
        most = self.rules.most_held
        return self._all_have_t(most) and self.shapes.are_as_long(most, Sureness.CERTAIN)
