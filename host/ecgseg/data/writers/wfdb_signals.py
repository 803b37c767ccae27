"""Writes WFDB signal files of format 16: samples as they come, into a file without a name until all of them are there.

The format: https://wfdb.io/spec/signal-files.html and https://wfdb.io/spec/header-files.html. In format 16 a sample
that is not there is -32768, which is what no contact is among raw samples.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.output import output_error, replacing
from ecgseg.printable import printable

_STEPS_A_MILLIVOLT = 1000


class SignalWriter:
    """Signals that grow on disk.

    Args:
        base: path of the recording without a suffix; its name is letters, digits, `_` and `-`.
        rate: samples a second.
        names: of the signals.

    Attributes:
        samples: how many of each were written.

    Raises:
        OutputError: nothing can be written there; as of `add` and `end`.
    """

    def __init__(self, base: Path, rate: int, names: Sequence[str]) -> None:
        self._base, self._rate, self._names = base, rate, [printable(name) for name in names]
        self.samples = 0
        self._sums = np.zeros(len(names), np.int64)
        self._first: npt.NDArray[np.int16] | None = None
        try:
            base.parent.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=base.parent)  # noqa: SIM115
        except OSError as error:
            raise output_error(base.with_suffix(".dat"), error) from error

    def add(self, samples: npt.NDArray[np.int16]) -> None:
        """Samples int16 [n, signals] in microvolts that follow."""
        if self._first is None and len(samples):
            self._first = samples[0].copy()
        self._sums += samples.sum(axis=0, dtype=np.int64)
        try:
            self._file.write(np.ascontiguousarray(samples, "<i2").tobytes())
        except OSError as error:
            raise output_error(self._base.with_suffix(".dat"), error) from error
        self.samples += len(samples)

    def end(self) -> None:
        """Puts signals and header in their places."""
        with self._file, replacing(self._base.with_suffix(".dat"), self._base.with_suffix(".hea")) as (data, header):
            self._file.seek(0)
            with data.open("wb") as signals:
                shutil.copyfileobj(self._file, signals)
            header.write_text("\n".join(self._header()) + "\n", encoding="utf-8")

    def drop(self) -> None:
        """Leaves nothing behind."""
        self._file.close()

    def _header(self) -> list[str]:
        name = self._base.name
        first = self._first if self._first is not None else np.zeros(len(self._names), np.int16)
        # The sum of all samples in 16 bits with a sign, by which a reader knows that none is damaged.
        sums = self._sums.astype(np.int16)
        return [
            f"{name} {len(self._names)} {self._rate} {self.samples}",
            *(
                f"{name}.dat 16 {_STEPS_A_MILLIVOLT}/mV 16 0 {first[index]} {sums[index]} 0 {signal}"
                for index, signal in enumerate(self._names)
            ),
        ]
