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
TIME_FLOOR = 0.15
"""Share of the typical time by which it grew in undisturbed runs, too (docs/soak.md)."""
QUIET = 0.1
"""Share of a window for which processes may have waited for a core: in others answer times tell of the computer."""


def trends(windows: Sequence[Window]) -> list[Trend]:
    """Memory of both processes and answer times, judged.

    Args:
        windows: all, in their order.
    """
    host = _points(windows, lambda w: w.session, lambda w: _mib(w.host_rss_bytes))
    # An emulator keeps of each restart what it likes; between two of them the program in it is alone.
    target = _points(windows, lambda w: w.life, lambda w: _mib(w.target_rss_bytes))
    found = [judge("memory of this program", "MiB", condensed(host), HOST_FLOOR_MIB)]
    if target:
        found.append(judge("memory of the target", "MiB", condensed(target), TARGET_FLOOR_MIB))
    quiet = [window for window in windows if window.waited_seconds <= QUIET * window.seconds]
    found.append(_times_of("answer time, fastest tenth", quiet, lambda w: w.answers.p10 if w.answers else None))
    found.append(_times_of("answer time, median", quiet, lambda w: w.answers.p50 if w.answers else None))
    return [*found, _times_of("time on a core, median", windows, lambda w: w.on_core.p50 if w.on_core else None)]


def _times_of(name: str, windows: Sequence[Window], value: Callable[[Window], float | None]) -> Trend:
    points = _points(windows, lambda w: w.session, value)
    floor = TIME_FLOOR * median(point.value for point in points) if points else 0.0
    return judge(name, "ms", condensed(points), floor)


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
    last["on_core"] = _times([w.on_core for w in part if w.on_core])
    last["waited_seconds"] = sum(w.waited_seconds for w in part)
    return Window(**counts.model_dump(), **last)


def _times(found: Sequence[AnswerTimes]) -> AnswerTimes | None:
    """Of several windows: medians of the percentiles, and the largest of all."""
    if not found:
        return None
    middle = {name: median(getattr(times, name) for times in found) for name in ("p10", "p50", "p90", "p99")}
    return AnswerTimes(frames=sum(t.frames for t in found), most=max(t.most for t in found), **middle)
