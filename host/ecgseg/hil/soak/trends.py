"""Which figures of a soak are judged, and what of them says nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from statistics import median

from ecgseg.hil.soak.drift import Point, Trend, condensed, judge
from ecgseg.hil.soak.result import AnswerTimes, Counts, Window

MIB = 1 << 20
MOST_WINDOWS = 200
"""Windows that a result keeps; of more, neighbours are taken together."""
HOST_FLOOR_MIB = 2.0  # two arenas of Python's allocator, which takes memory by the MiB
TARGET_FLOOR_MIB = 0.5  # four steps of malloc, which takes it by 128 KiB
ANSWER_FLOOR = 0.15
"""Share of the typical answer time by which it grew in undisturbed runs, too (docs/soak.md)."""


def trends(windows: Sequence[Window]) -> list[Trend]:
    """Memory of both processes and answer times, judged.

    Args:
        windows: all, in their order.
    """
    host = _points(windows, lambda w: w.session, lambda w: _mib(w.host_rss_bytes))
    by_start = _points(windows, lambda w: w.process, lambda w: _mib(w.target_rss_bytes))
    by_restart = _points(windows, lambda w: w.life, lambda w: _mib(w.target_rss_bytes))
    found = [judge("memory of this program", "MiB", condensed(host), HOST_FLOOR_MIB)]
    if by_start:
        found.append(judge("memory of the target", "MiB", condensed(by_start), TARGET_FLOOR_MIB))
        found.append(judge("memory of the target between restarts", "MiB", condensed(by_restart), TARGET_FLOOR_MIB))
    return [*found, _answers("fastest tenth", windows, lambda t: t.p10), _answers("median", windows, lambda t: t.p50)]


def _answers(name: str, windows: Sequence[Window], value: Callable[[AnswerTimes], float]) -> Trend:
    """A percentile of the answer times; what a busy computer disturbs least is the fastest tenth."""
    points = _points(windows, lambda w: w.session, lambda w: value(w.answers) if w.answers else None)
    floor = ANSWER_FLOOR * median(point.value for point in points) if points else 0.0
    return judge(f"answer time, {name}", "ms", condensed(points), floor)


def _points(
    windows: Sequence[Window], life: Callable[[Window], int], value: Callable[[Window], float | None]
) -> list[Point]:
    points, frames = [], 0
    for window in windows:
        frames += window.frames
        found = value(window)
        if found is not None:
            points.append(Point(life(window), frames, found))
    return points


def _mib(size: int | None) -> float | None:
    return None if size is None else size / MIB


def taken_together(windows: Sequence[Window], most: int = MOST_WINDOWS) -> list[Window]:
    """Windows of which neighbours of one life are one, until there are about so many."""
    size = math.ceil(len(windows) / most)
    if size <= 1:
        return list(windows)
    lives = [list(life) for _, life in groupby(windows, lambda w: (w.session, w.process, w.life))]
    return [_one(life[first : first + size]) for life in lives for first in range(0, len(life), size)]


def _one(part: Sequence[Window]) -> Window:
    """Counts are added; memory is that of the end."""
    counts = Counts()
    for window in part:
        counts = counts.plus(window)
    last = part[-1].model_dump(exclude=set(Counts.model_fields))
    last |= {"window": part[0].window, "answers": _times([w.answers for w in part if w.answers])}
    return Window(**counts.model_dump(), **last)


def _times(found: Sequence[AnswerTimes]) -> AnswerTimes | None:
    """Of several windows: medians of the percentiles, and the largest of all."""
    if not found:
        return None
    middle = {name: median(getattr(times, name) for times in found) for name in ("p10", "p50", "p90", "p99")}
    return AnswerTimes(frames=sum(t.frames for t in found), most=max(t.most for t in found), **middle)
