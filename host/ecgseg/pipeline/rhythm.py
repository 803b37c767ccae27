"""The last beats, and whether they speak against a P wave: the reference of firmware/pipeline/ecgseg_rhythm.c."""

from __future__ import annotations

from ecgseg.pipeline.rules import BeatRules

MOST_INTERVALS = 8
# In place of PR: there is no P wave, or nothing is known of where it begins.
NO_P = 0
SOME_P = 1
# The network does not say whether there is one: the signal was noise, or the wave is faint.
UNKNOWN_P = 255
# A beat without a P wave tells nothing when it comes early: after an interval below 7/8 of the mean.
_EARLY_SHARE = 7
_EIGHTHS = 8
_PERCENT = 100


class Rhythm:
    """The last up to eight RR intervals, each with the PR interval of the beat that ends it.

    Args:
        rules: the table of rules.
    """

    def __init__(self, rules: BeatRules) -> None:
        self._rules = rules
        self._intervals: list[int] = []
        self._pr: list[int] = []

    def forget(self) -> None:
        """Nothing is known of the beats before."""
        self._intervals = []
        self._pr = []

    def add(self, parts: int, pr: int) -> None:
        """A beat.

        Args:
            parts: the interval that it ends, in 1/32 samples, at most 65535.
            pr: samples from the onset of its P wave to that of its QRS complex, and one more; or NO_P, SOME_P
                or UNKNOWN_P.
        """
        self._intervals = [*self._intervals[1 - MOST_INTERVALS :], parts]
        self._pr = [*self._pr[1 - MOST_INTERVALS :], pr]

    @property
    def count(self) -> int:
        """How many intervals there are."""
        return len(self._intervals)

    @property
    def parts(self) -> int:
        """How long they are together, in 1/32 samples."""
        return sum(self._intervals)

    @property
    def is_regular(self) -> bool:
        """The last two intervals differ by less than an eighth."""
        if self.count < 2:
            return False
        before, last = self._intervals[-2:]
        return _EIGHTHS * abs(last - before) < last

    def keeps(self, parts: int, count: int) -> bool:
        """The last `count` intervals are there and each so many 1/32 samples long to within a quarter."""
        last = self._intervals[max(len(self._intervals) - count, 0) :]
        return len(last) == count and all(4 * abs(interval - parts) <= parts for interval in last)

    def speaks_against(self, pr: int, place: int | None = None) -> bool:
        """True for a P wave as a network now and then sees one in atrial fibrillation.

        There intervals are irregular and beats without a P wave come when they like. In sinus rhythm with extrasystoles
        those without one come early, in a block every beat has its P wave, and all else is regular.

        Args:
            pr: as of `add`; SOME_P for a lone P wave.
            place: of its beat, 0 for the newest; None for a lone P wave.
        """
        if self.count < 2:
            return False
        # An extrasystole or a pause makes few steps, however large; fibrillation makes many.
        longest = self.parts // (_EIGHTHS * self.count)
        pairs = zip(self._intervals, self._intervals[1:], strict=False)
        steps = sum(min(abs(here - before), longest) for before, here in pairs)
        alike, without = 1, 0
        for index, (interval, other) in enumerate(zip(self._intervals, self._pr, strict=True)):
            if other == UNKNOWN_P:
                continue
            if other == NO_P:
                without += _EIGHTHS * interval * self.count >= _EARLY_SHARE * self.parts
            elif self.count - 1 - index != place:
                alike += SOME_P in (pr, other) or abs(other - pr) <= self._rules.pr_alike
        behind_others = self.parts - self._intervals[0]
        return _PERCENT * steps * without > self._rules.irregular * behind_others * alike
