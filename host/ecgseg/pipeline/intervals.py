"""Rates and corrected intervals in whole numbers: the reference of firmware/pipeline/ecgseg_intervals.c."""

from __future__ import annotations

# Positions of R are in 1/32 of a sample at 100 Hz.
PARTS = 32
_PARTS_A_MINUTE = 60 * 100 * PARTS


def root(value: int, power: int) -> int:
    """Largest whole number whose power (2 or 3) is not above a value below 2^48."""
    found = 0
    for bit in reversed(range(24 if power == 2 else 16)):
        tried = found | 1 << bit
        if tried**power <= value:
            found = tried
    return found


def rounded(dividend: int, divisor: int) -> int:
    """Quotient of a dividend of any sign and a positive divisor, halves away from zero."""
    quotient = (2 * abs(dividend) + divisor) // (2 * divisor)
    return -quotient if dividend < 0 else quotient


def rr_ms(parts: int) -> int:
    """Milliseconds of an RR interval in 1/32 samples."""
    return (parts * 10 + PARTS // 2) // PARTS


def rate_tenths(parts: int, count: int) -> int:
    """Beats a minute, in tenths, over `count` RR intervals that are `parts` long together."""
    return min(rounded(10 * _PARTS_A_MINUTE * count, parts), 65535)


def fridericia(qt: int, rr: int) -> int:
    """QT / (RR / 1 s)^(1/3), all in ms: L. S. Fridericia, Acta Medica Scandinavica 53 (1920) 469-486."""
    # 256 times the cube root of RR in ms; that of 1000 ms is 10.
    return rounded(qt * 2560, max(root(rr << 24, 3), 1))


def bazett(qt: int, rr: int) -> int:
    """QT / (RR / 1 s)^(1/2), all in ms: H. C. Bazett, Heart 7 (1920) 353-370."""
    # 16 times the square root of 1000 RR; that of 1000 * 1000 ms is 1000.
    return rounded(qt * 16000, max(root(rr * 1000 << 8, 2), 1))
