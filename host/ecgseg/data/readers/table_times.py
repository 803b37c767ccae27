"""What a column of times tells: the rate, and where samples are missing. Jitter moves no sample, a gap leaves room.

A sample is where it is because of how many come before it, not because of its time, so rounding and a clock that drifts
do no harm. A step of half a sample more than one, and more than the times' own rounding, is a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ecgseg.data.readers.column_names import Column
from ecgseg.data.readers.common import rate_question
from ecgseg.errors import ContentError, DataError
from ecgseg.files import plain

Numbers = npt.NDArray[np.float64]

# By so much the rate that times tell may differ from the one that is told.
_NEAR = 0.02
_UNITS = (1.0, 1e-3, 1e-6, 1e-9)
_GAP_STEPS = 1.5
_MOST_GAPS = 1_000_000
_DAY_SECONDS = 86_400.0
CLOCK_UNIT = "h:min:s"
"""Unit of times as a clock tells them: in seconds, from 0 again at midnight."""


class Clock(NamedTuple):
    """How times are read.

    Attributes:
        rate: samples a second.
        seconds: of the unit of the times.
        resolution: seconds to which they are rounded.
        wraps: they begin anew at midnight.
    """

    rate: float
    seconds: float
    resolution: float
    wraps: bool = False


def clock_of(
    path: Path, column: Column, times: Numbers, lines: Sequence[int], resolution: float, told: int | None
) -> Clock:
    """Rate and unit of times.

    Args:
        path: for questions.
        column: of the times.
        times: the first of them, in order.
        lines: their numbers in the file.
        resolution: to which they are rounded, in their unit.
        told: samples a second, where the user says it.

    Raises:
        ContentError: they do not rise, or there are too few.
        DataError: a question that `--rate` answers, or it contradicts them.
    """
    wraps = column.unit == CLOCK_UNIT
    steps = _steps(times, wraps=wraps)
    if not steps.size:
        raise ContentError("it has one row, whose time tells no rate")
    if not np.all(steps > 0):
        raise _falling(times, lines, int(np.argmin(steps > 0)) + 1)
    even = steps[steps <= np.median(steps) * _GAP_STEPS + resolution]
    step = float(even.mean())
    seconds = 1.0 if wraps else column.seconds or _unit_of(path, column, step, told)
    found = 1 / (step * seconds)
    if told is None:
        # What rounding of the first and the last time of each stretch can do to the mean.
        doubt = found * max(resolution * (1 + steps.size - even.size) / float(even.sum()), 1e-6)
        if doubt >= 0.5:
            raise rate_question(path, f"Its first {times.size} times, rounded as they are, tell about {found:.4g}.")
        whole = round(found)
        rate = float(whole) if whole and abs(found - whole) <= doubt else found
    elif abs(found / told - 1) > _NEAR:
        raise DataError(
            f"The times in '{plain(str(path))}' tell {found:.6g} samples a second, not {told}.",
            f"Their steps are {step:.6g} {column.unit or 'units'}.",
            "Leave out --rate, or pass over the column of times: --columns with - in its place.",
        )
    else:
        rate = float(told)
    return Clock(rate, seconds, resolution * seconds, wraps)


def _unit_of(path: Path, column: Column, step: float, told: int | None) -> float:
    """Seconds of a unit that is not named: the one with which the rate is the one that is told."""
    near = [unit for unit in _UNITS if told and abs(step * unit * told - 1) <= _NEAR]
    if not near:
        raise _unit_question(path, column, told)
    return near[0]


def _steps(times: Numbers, *, wraps: bool) -> Numbers:
    steps = np.diff(times)
    return np.where(steps < -_DAY_SECONDS / 2, steps + _DAY_SECONDS, steps) if wraps else steps


def _falling(times: Numbers, lines: Sequence[int], row: int) -> ContentError:
    return ContentError(f"its times do not rise: line {lines[row]} tells {times[row]:.12g}, not after the one before")


def _unit_question(path: Path, column: Column, told: int | None) -> DataError:
    unit = f"'{column.unit}', which is no unit of time that is known" if column.unit else "nothing that it tells"
    why = f"The column '{column.name}' is counted in {unit}."
    if told is not None:
        why += f" With {told} samples a second it would be none of s, ms, us and ns."
    return rate_question(path, f"{why} `--columns time_ms,...` says its unit, too.")


class Times:
    """Goes through times, one block behind the other.

    Args:
        clock: how they are read.
    """

    def __init__(self, clock: Clock) -> None:
        self._scale = clock.rate * clock.seconds
        self._rounding = clock.rate * clock.resolution
        self._wraps = clock.wraps
        self._last: float | None = None
        self._gaps = 0

    def push(self, times: Numbers, lines: Sequence[int]) -> npt.NDArray[np.int64]:
        """Takes the times of more rows; returns int64 [n, 2], rows in front of which samples are missing, and how many.

        Raises:
            ContentError: they do not rise, or go on in steps much smaller than a sample.
        """
        before = times[:1] if self._last is None else np.array([self._last])
        steps = _steps(np.concatenate((before, times)), wraps=self._wraps) * self._scale
        if self._last is None:
            steps[0] = 1.0
        self._last = float(times[-1])
        self._check(steps, times, lines)
        rows = np.flatnonzero(steps - 1 > max(_GAP_STEPS - 1, self._rounding * 1.01))
        self._gaps += rows.size
        if self._gaps > _MOST_GAPS:
            raise ContentError(f"its times have more than {_MOST_GAPS} gaps: they are not those of even samples")
        missing = np.rint(np.minimum(steps[rows], 2.0**40)).astype(np.int64) - 1
        return np.stack((rows, missing), axis=1)

    def _check(self, steps: Numbers, times: Numbers, lines: Sequence[int]) -> None:
        wrong = np.flatnonzero(~(steps > 0))
        if wrong.size:
            raise _falling(times, lines, int(wrong[0]))
        wrong = np.flatnonzero(1 - steps > max(0.5, self._rounding * 1.01))
        if wrong.size:
            row = int(wrong[0])
            raise ContentError(
                f"its samples are not even: line {lines[row]} comes {steps[row]:.2g} samples after the one before; "
                "if only its times are not, pass them over with - in --columns and say --rate"
            )
