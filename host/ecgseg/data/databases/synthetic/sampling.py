"""What every synthetic recording has in common: 10 s at 500 Hz."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import DEFAULT_INPUT_RATE

Float64 = npt.NDArray[np.float64]
Rng = np.random.Generator

RATE = DEFAULT_INPUT_RATE
DURATION_S = 10.0
