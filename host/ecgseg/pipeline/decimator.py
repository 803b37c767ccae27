"""A record that comes in pieces, at 100 Hz: what `decimate` gives for the whole of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline.parameters import LEAD_OFF, RAIL, PreprocessParameters
from ecgseg.pipeline.preprocess import Decimated
from ecgseg.pipeline.rates import MODEL_RATE

_HOLDS, _MISSING, _AT_RAIL = range(3)


class Decimator:
    """Raw samples in, samples at 100 Hz out, as soon as the filter has them.

    Args:
        parameters: rate and filter.
    """

    def __init__(self, parameters: PreprocessParameters) -> None:
        self._resampling = parameters.resampling
        self.start()

    def start(self) -> None:
        """Begins a record."""
        self._last_good = 0
        # Of every raw sample that a window still needs: its value, whether it is missing, whether it is at a rail.
        self._line: npt.NDArray[np.int64] = np.empty((3, 0), np.int64)
        self._is_empty = True
        self._phase = 0  # of the next output, whose window begins with the line

    def push(self, raw: npt.NDArray[np.int16]) -> Decimated:
        """Samples at 100 Hz that these raw samples complete.

        Args:
            raw: int16 [any] at the input rate, LEAD_OFF where there is no contact.
        """
        if raw.size:
            new = self._columns(raw)
            first = np.repeat(new[:, :1], self._resampling.past if self._is_empty else 0, axis=1)
            self._line = np.concatenate((self._line, first, new), axis=1)
            self._is_empty = False
        return self._outputs()

    def end(self) -> Decimated:
        """The samples that are left in the filter; then the next record begins."""
        last = np.repeat(self._line[:, -1:], self._resampling.delay, axis=1)
        self._line = np.concatenate((self._line, last), axis=1)
        outputs = self._outputs()
        self.start()
        return outputs

    def _columns(self, raw: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
        missing = raw == LEAD_OFF
        last = np.maximum.accumulate(np.where(missing, -1, np.arange(raw.size)))
        held = np.where(last < 0, self._last_good, raw[np.maximum(last, 0)]).astype(np.int64)
        self._last_good = int(held[-1])
        return np.stack((held, missing, np.abs(raw.astype(np.int64)) == RAIL))

    def _outputs(self) -> Decimated:
        by = self._resampling
        begun = max(self._line.shape[1] - by.width + 1, 0)  # windows that are whole, one from each raw sample
        count = max(-(-(begun * by.phases - self._phase) // by.factor), 0)
        if not count:
            return Decimated(np.empty(0, np.int16), np.empty(0, np.bool_), np.empty(0, np.bool_))
        starts, phases = np.divmod(self._phase + np.arange(count + 1) * by.factor, by.phases)
        windows = np.lib.stride_tricks.sliding_window_view(self._line, by.width, axis=1)[:, starts[:-1]]
        taps = by.taps.astype(np.int64) if by.rate != MODEL_RATE else np.array([[32768]])
        sums = np.einsum("nw,nw->n", windows[_HOLDS], taps[phases[:-1]])
        self._line, self._phase = self._line[:, starts[-1] :], int(phases[-1])
        samples = np.clip((sums + 16384) >> 15, -RAIL, RAIL).astype(np.int16)
        return Decimated(samples, ~windows[_MISSING].any(axis=1), windows[_AT_RAIL].any(axis=1))
