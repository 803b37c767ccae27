"""Classical delineators from PyPI behind the same interface as a model, so that the same code scores them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np

from ecgseg.data.records import WAVE_LABELS, Record
from ecgseg.errors import ToolMissingError
from ecgseg.preprocess import LEAD_OFF, MODEL_RATE, Segment
from ecgseg.zoo.evaluate import Prediction

# NeuroKit2's names of the waves' ends; it calls the QRS complex R.
_NEUROKIT_WAVES = {"P": "ECG_P", "T": "ECG_T", "QRS": "ECG_R"}
NEUROKIT_METHODS = ("prominence", "dwt")


class NeuroKit:
    """NeuroKit2's R-peak detection and delineation, as its documentation uses them.

    D. Makowski et al., "NeuroKit2: A Python toolbox for neurophysiological signal processing", Behavior Research
    Methods 53 (2021) 1689-1696. MIT licence.

    Args:
        method: "prominence" or "dwt".
        class_count: 2 (QRS alone) or 4.

    Raises:
        ToolMissingError: NeuroKit2 is not installed.
    """

    def __init__(self, method: str, class_count: int) -> None:
        try:
            import neurokit2
        except ImportError as error:
            raise ToolMissingError(
                "The peers need NeuroKit2, which is not installed.",
                str(error),
                "Run `make setup EXTRAS=dev,peers`.",
            ) from error
        self._neurokit: Any = neurokit2
        self._method = method
        self.class_count = class_count

    @property
    def name(self) -> str:
        """Name and version for tables."""
        return f"NeuroKit2 {metadata.version('neurokit2')} {self._method}"

    def __call__(self, record: Record) -> Prediction:
        """Mask and segments at 100 Hz; nothing where NeuroKit2 gives up on a record."""
        length = -(-record.samples.size * MODEL_RATE // record.rate)
        mask = np.zeros(length, dtype=np.uint8)
        waves = self._delineate(record)
        found = []
        for kind, label in WAVE_LABELS[self.class_count].items():
            prefix = _NEUROKIT_WAVES[kind]
            for onset, offset in pairs(waves.get(f"{prefix}_Onsets", ()), waves.get(f"{prefix}_Offsets", ())):
                first = math.ceil(onset * MODEL_RATE / record.rate)
                last = min(math.floor(offset * MODEL_RATE / record.rate), length - 1)
                if last >= first:
                    found.append(Segment(label, first, last))
        # QRS last: where a wave overlaps it, the mask says QRS.
        for segment in sorted(found, key=lambda s: s.label == WAVE_LABELS[self.class_count]["QRS"]):
            mask[segment.onset : segment.offset + 1] = segment.label
        return Prediction(mask, sorted(found, key=lambda s: s.onset))

    def _delineate(self, record: Record) -> dict[str, Sequence[float]]:
        signal = np.where(record.samples == LEAD_OFF, 0, record.samples) / 1000.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # It raises whatever its signal processing stumbles over (no beats, too few beats, empty slices).
            try:
                clean = self._neurokit.ecg_clean(signal, sampling_rate=record.rate)
                _, peaks = self._neurokit.ecg_peaks(clean, sampling_rate=record.rate)
                _, waves = self._neurokit.ecg_delineate(
                    clean, peaks["ECG_R_Peaks"], sampling_rate=record.rate, method=self._method
                )
            except (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError):
                return {}
        return dict(waves)


def pairs(onsets: Sequence[float], offsets: Sequence[float]) -> list[tuple[float, float]]:
    """Onsets and offsets that belong together: both there, in order.

    Args:
        onsets, offsets: raw samples, one entry a beat, NaN where none was found.
    """
    return [
        (float(onset), float(offset))
        for onset, offset in zip(onsets, offsets, strict=False)
        if onset == onset and offset == offset and 0 <= onset <= offset
    ]
