"""Recordings of a user's own, as other programs write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import wfdb


def write_recording(
    folder: Path,
    name: str,
    rate: float,
    signals: npt.NDArray[np.float64],
    *,
    fmt: str = "16",
    gain: float = 1000,
    units: Sequence[str] | None = None,
    names: Sequence[str] = ("I", "II", "V1"),
) -> Path:
    """A WFDB recording of one segment; returns its path without a suffix.

    Args:
        folder: where to.
        name: of the recording.
        rate: samples a second.
        signals: float64 [time, channels] in their units, NaN where there is nothing.
        fmt: format of the samples.
        gain: steps of the converter a unit.
        units: of the signals; default mV.
        names: of the signals.
    """
    count = signals.shape[1]
    form: dict[str, Any] = {"fmt": [fmt] * count, "adc_gain": [gain] * count, "baseline": [0] * count}
    wfdb.wrsamp(
        name,
        rate,
        units=list(units or ["mV"] * count),
        sig_name=list(names[:count]),
        p_signal=signals,
        write_dir=str(folder),
        **form,
    )
    return folder / name


def write_segments(folder: Path, name: str, rate: int, segments: Sequence[tuple[str, int]], channels: int) -> Path:
    """The header of a recording of several segments, "~" for a gap; returns its path without a suffix."""
    total = sum(length for _, length in segments)
    lines = [f"{name}/{len(segments)} {channels} {rate} {total}", *(f"{part} {length}" for part, length in segments)]
    (folder / f"{name}.hea").write_text("\n".join(lines) + "\n")
    return folder / name
