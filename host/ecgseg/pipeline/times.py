"""Times of waves: where an onset and an offset lie between samples, the one definition for device, scores and pages.

The unit is the tick, half a sample at 100 Hz (5 ms), counted from the first sample of a record or a stream; sample n is
at tick 2 * n. A wave that covers the samples first..last begins half a sample before the first and ends half a sample
after the last: the true ends lie somewhere between a sample of the wave and its neighbour outside, on average in the
middle.
"""

from __future__ import annotations

from ecgseg.pipeline.rates import MODEL_RATE

TICKS_A_SAMPLE = 2
TICK_RATE = TICKS_A_SAMPLE * MODEL_RATE
TICK_MS = 1000 // TICK_RATE


def sample_tick(sample: int) -> int:
    """Tick of a sample at 100 Hz."""
    return TICKS_A_SAMPLE * sample


def onset_tick(first: int) -> int:
    """Tick at which a wave begins whose first sample at 100 Hz this is; never before the record, whose start is 0."""
    return max(TICKS_A_SAMPLE * first - 1, 0)


def offset_tick(last: int) -> int:
    """Tick at which a wave ends whose last sample at 100 Hz this is."""
    return TICKS_A_SAMPLE * last + 1


def milliseconds(tick: int) -> int:
    """Milliseconds of a number of ticks."""
    return TICK_MS * tick


def seconds(tick: int) -> float:
    """Seconds of a number of ticks."""
    return tick / TICK_RATE


def raw_place(tick: int, rate: int) -> float:
    """Where a tick lies among the raw samples of a record, which have this rate in Hz; not always on one of them."""
    return tick * rate / TICK_RATE
