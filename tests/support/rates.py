"""Rates of front ends that tests look at: those that devices have, both ends, and some whose filter has 100 phases."""

from __future__ import annotations

RATES = (50, 60, 75, 99, 100, 101, 120, 125, 128, 200, 250, 256, 333, 360, 400, 499, 500, 512, 1000, 1999, 2000)
# In C each takes a compiler's second.
RATES_IN_C = (50, 125, 128, 200, 250, 256, 333, 360, 400, 500, 512, 1000, 2000)
