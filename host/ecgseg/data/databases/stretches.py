"""Annotated stretches of a long recording of which an annotator chose some beats."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ecgseg.data.records import Stretch, Wave

# Two annotated beats further apart than this, in medians of the record, have beats between them that are not annotated:
# in the given records, the beat annotations of the source databases show one between all pairs beyond 1.74 medians and
# between none up to 1.5.
_LONGEST_RR = 1.6


def annotated_stretches(waves: Sequence[Wave]) -> tuple[Stretch, ...]:
    """Stretches in which every wave is annotated.

    A run of annotated beats ends where the next beat is so late that others lie between. Every QRS is followed by a T
    wave; where none is annotated after one, as in all of sel35 and sel37, it was left out, and nothing is known before
    the next mark. Where most beats of a record have a P wave, one without has it hidden in the T wave before, or is an
    ectopic beat; nothing is known before its QRS.

    Args:
        waves: of one record, in order of time.

    Returns:
        First and last raw sample of each stretch, in order of time.
    """
    known = [wave for wave in waves if wave.points]
    bounds = pairwise([0, *_breaks(known), len(known)]) if known else ()
    runs = [[point for wave in known[start:end] for point in wave.points] for start, end in bounds]
    return tuple((min(points), max(points)) for points in runs)


def _breaks(known: Sequence[Wave]) -> list[int]:
    """Indices of the waves before which a stretch ends."""
    beats = [index for index, wave in enumerate(known) if wave.kind == "QRS"]
    times = [_middle(known[index]) for index in beats]
    longest = _LONGEST_RR * float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    with_p = 2 * sum(wave.kind == "P" for wave in known) >= len(beats)
    breaks = []
    for index, (before, after) in enumerate(pairwise(known), 1):
        following = bisect_left(beats, index)
        late = 0 < following < len(beats) and times[following] - times[following - 1] > longest
        if _interrupted(before.kind, after.kind, late=late, with_p=with_p):
            breaks.append(index)
    return breaks


def _interrupted(before: str, after: str, *, late: bool, with_p: bool) -> bool:
    """True when something may lie between two consecutive waves of these kinds."""
    if before == "QRS":
        return after not in ("T", "?")
    if before == "P":
        return False
    # Of a beat's own waves only P comes before its QRS: a run ends behind T or U.
    return (late and after == "P") or ((late or with_p) and after == "QRS")


def _middle(wave: Wave) -> int:
    return wave.peak if wave.peak is not None else min(wave.points)
