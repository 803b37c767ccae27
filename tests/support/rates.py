"""Rates of front ends that tests look at: those that devices have, both ends, and some whose filter has 100 phases."""

from __future__ import annotations

RATES = (50, 60, 75, 99, 100, 101, 120, 125, 128, 200, 250, 256, 333, 360, 400, 499, 500, 512, 1000, 1999, 2000)
# Those that have no divisor in common with the others: fewer samples than at 100 Hz, few phases, many phases.
FEW_RATES = (50, 360, 512)
