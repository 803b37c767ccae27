"""Simulated time: whole units of 1/192 MHz, which divide all clocks that the board uses."""

from __future__ import annotations

UNITS_PER_SECOND = 192_000_000
MICROSECOND = UNITS_PER_SECOND // 1_000_000
MILLISECOND = UNITS_PER_SECOND // 1_000
LP_UNITS_PER_CYCLE = 2  # 96 MHz
HP_UNITS_PER_CYCLE = 1  # 192 MHz


def ticks(elapsed: int, hertz: int) -> int:
    """Whole ticks of a clock of `hertz` in `elapsed` units."""
    return elapsed * hertz // UNITS_PER_SECOND


def units(count: int, hertz: int) -> int:
    """Units until a clock of `hertz` has made `count` ticks."""
    return -(-count * UNITS_PER_SECOND // hertz)
