"""Running normalisation of a stream: each sample by mean and spread of the last 2.5 s, as the firmware to the bit.

The steps are the contract of docs/architecture.md, section 3: those of a frame, over the last RUNNING_WINDOW valid
samples up to and including the one that is answered. There is no look-ahead.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline.parameters import RUNNING_GAP, RUNNING_LEAST, RUNNING_WINDOW, PreprocessParameters
from ecgseg.pipeline.preprocess import quantised

Int8 = npt.NDArray[np.int8]
Int64 = npt.NDArray[np.int64]


class RunningNormaliser:
    """One sample in, one int8 out; the twin of firmware/pipeline/ecgseg_running.c.

    Args:
        parameters: scale, zero point and flat-line limit.
    """

    def __init__(self, parameters: PreprocessParameters) -> None:
        self._parameters = parameters
        self.start()

    def start(self) -> None:
        """Begins a record."""
        self._ring: list[int] = []
        self._sum = self._squares = self._gap = 0

    def push(self, samples: npt.NDArray[np.int16], valid: npt.NDArray[np.bool_]) -> Int8:
        """Answers for the next samples of a record.

        Args:
            samples: int16 [n] microvolts at 100 Hz.
            valid: bool [n], False where there is no contact.

        Returns:
            int8 [n].
        """
        pairs = zip(samples.tolist(), valid.tolist(), strict=True)
        return np.array([self._sample(x) if good else self._missing() for x, good in pairs], dtype=np.int8)

    def _missing(self) -> int:
        self._gap += 1
        if self._gap == RUNNING_GAP:
            self._ring.clear()
            self._sum = self._squares = 0
        return self._parameters.zero_point

    def _sample(self, x: int) -> int:
        self._gap = 0
        if len(self._ring) == RUNNING_WINDOW:
            oldest = self._ring.pop(0)
            self._sum -= oldest
            self._squares -= oldest * oldest
        self._ring.append(x)
        self._sum += x
        self._squares += x * x
        n = np.array([len(self._ring)], dtype=np.int64)
        return int(_answers(np.array([x]), n, np.array([self._sum]), np.array([self._squares]), self._parameters)[0])


def normalise_running(
    samples: npt.NDArray[np.int16], valid: npt.NDArray[np.bool_], parameters: PreprocessParameters
) -> Int8:
    """What :class:`RunningNormaliser` answers for whole records, many at a time.

    Args:
        samples: int16 [records, time] microvolts at 100 Hz.
        valid: bool [records, time].
        parameters: scale, zero point and flat-line limit.

    Returns:
        int8 [records, time].
    """
    x = np.where(valid, samples, 0).astype(np.int64)
    seen = np.cumsum(valid, axis=1, dtype=np.int64)
    forgotten = _forgotten(valid, seen)
    first = np.maximum(seen - RUNNING_WINDOW, forgotten)
    total = _since(np.cumsum(x, axis=1), valid, seen, first)
    squares = _since(np.cumsum(x * x, axis=1), valid, seen, first)
    answers = _answers(x, seen - first, total, squares, parameters)
    return np.where(valid, answers, np.int8(parameters.zero_point))


def _forgotten(valid: npt.NDArray[np.bool_], seen: Int64) -> Int64:
    """How many valid samples lie before the last gap that was long enough, int64 [records, time]."""
    time = np.arange(valid.shape[1])
    missing = time - np.maximum.accumulate(np.where(valid, time, -1), axis=1)
    return np.maximum.accumulate(np.where(missing >= RUNNING_GAP, seen, 0), axis=1)


def _since(sums: Int64, valid: npt.NDArray[np.bool_], seen: Int64, first: Int64) -> Int64:
    """Sums without those of the first valid samples, of which `first` says how many."""
    at_count = np.zeros((sums.shape[0], sums.shape[1] + 1), dtype=np.int64)
    rows, columns = np.nonzero(valid)
    at_count[rows, seen[rows, columns]] = sums[rows, columns]
    return np.asarray(sums - np.take_along_axis(at_count, first, axis=1))


def _answers(x: Int64, n: Int64, total: Int64, squares: Int64, parameters: PreprocessParameters) -> Int8:
    """Samples by the count, sum and sum of squares up to them."""
    return quantised(x, n, total, squares, n >= RUNNING_LEAST, parameters)
