"""Training and validation frames: every record decimated once by the device's filter, kept in memory, cut anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import Record, labels
from ecgseg.errors import DataError
from ecgseg.pipeline import FRAME_LENGTH, MODEL_RATE, UNANNOTATED, PreprocessParameters, decimate, quantised
from ecgseg.zoo.augmentation import augment, interval_clock, scale_waves
from ecgseg.zoo.recipe import AugmentationConfiguration

Float32 = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

# Frames that hold less annotated signal than this teach nothing and are not cut.
_LEAST_ANNOTATED = 100


@dataclass(frozen=True)
class SignalBank:
    """Records at 100 Hz, one after the other.

    Attributes:
        samples: float32 microvolts, all records joined.
        masks: uint8 labels, all records joined.
        starts, lengths: int64 [records].
        first, last: first and last annotated sample of each record, int64 [records].
        siblings: for each record one past and first index of the records of the same patient, int64 [records, 2].
        border: how many samples on either side of a change of the label are not to be learned from.
    """

    samples: Float32
    masks: Labels
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    siblings: npt.NDArray[np.int64]
    border: int = 0

    @staticmethod
    def of(records: Sequence[Record], class_count: int, border: int = 0) -> SignalBank:
        """Decimates records and makes their label masks; records without annotations are left out.

        Args:
            records: what to make frames of.
            class_count: 2 or 4.
            border: samples on either side of a change of the label that are not to be learned from.

        Raises:
            DataError: nothing usable is left.
        """
        signals: list[Float32] = []
        masks: list[Labels] = []
        owners: list[tuple[str, int]] = []
        for record in records:
            parameters = PreprocessParameters(input_rate=record.rate)
            signal = decimate(record.samples, parameters)
            mask = labels(record, class_count, record.step)
            mask[~signal.valid] = UNANNOTATED
            if signal.samples.size >= FRAME_LENGTH and np.count_nonzero(mask != UNANNOTATED) >= _LEAST_ANNOTATED:
                signals.append(signal.samples.astype(np.float32))
                masks.append(mask)
                owners.append((record.source, record.record_id))
        if not signals:
            raise DataError(
                "There is nothing to train on.",
                f"None of {len(records)} records holds an annotated frame of 2.5 s.",
                "Check data.training and data.leads in the configuration.",
            )
        lengths = np.array([len(mask) for mask in masks])
        known = [np.flatnonzero(mask != UNANNOTATED) for mask in masks]
        return SignalBank(
            np.concatenate(signals),
            np.concatenate(masks),
            np.concatenate(([0], np.cumsum(lengths)[:-1])),
            lengths,
            np.array([where[0] for where in known]),
            np.array([where[-1] for where in known]),
            _siblings(owners),
            border,
        )

    def __len__(self) -> int:
        return len(self.starts)

    def cut(self, rows: npt.NDArray[np.int64], positions: npt.NDArray[np.float64]) -> tuple[Float32, Labels]:
        """Samples and labels of records at fractional positions.

        Args:
            rows: record of each frame, int64 [batch].
            positions: float64 [batch, time], in samples of the record; outside of it the edge is held, unlabelled.

        Returns:
            float32 microvolts (Catmull-Rom interpolation) and uint8 labels (nearest), both [batch, time].
        """
        last = (self.lengths[rows] - 1)[:, None]
        start = self.starts[rows][:, None]
        whole = np.floor(positions).astype(np.int64)
        t = (positions - whole).astype(np.float32)
        p0, p1, p2, p3 = (self.samples[start + np.clip(whole + shift, 0, last)] for shift in (-1, 0, 1, 2))
        cubic = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
        nearest = np.rint(positions).astype(np.int64)
        mask = self.masks[start + np.clip(nearest, 0, last)]
        mask[(nearest < 0) | (nearest > last)] = UNANNOTATED
        return cubic.astype(np.float32), mask


def forget_borders(masks: npt.NDArray[np.int32], border: int) -> None:
    """Makes the samples next to a change from one known label to another unknown, in place.

    Args:
        masks: labels [frames, time], 255 where nothing is known.
        border: how many samples on either side.
    """
    known = masks != UNANNOTATED
    rows, changes = np.nonzero((masks[:, 1:] != masks[:, :-1]) & known[:, 1:] & known[:, :-1])
    for shift in range(1 - border, border + 1):
        masks[rows, np.clip(changes + shift, 0, masks.shape[1] - 1)] = UNANNOTATED


def _siblings(owners: Sequence[tuple[str, int]]) -> npt.NDArray[np.int64]:
    bounds: dict[tuple[str, int], list[int]] = {}
    for index, owner in enumerate(owners):
        bounds.setdefault(owner, [index, index + 1])[1] = index + 1
    return np.array([bounds[owner] for owner in owners])


def quantise_frames(
    signals: npt.NDArray[np.int16], valid: npt.NDArray[np.bool_], parameters: PreprocessParameters
) -> npt.NDArray[np.int8]:
    """:func:`ecgseg.pipeline.normalise` for a batch, to the bit.

    Args:
        signals: int16 [batch, time] microvolts at 100 Hz.
        valid: bool [batch, time].
        parameters: scale, zero point and flat-line limit.

    Returns:
        int8 [batch, time].
    """
    x = np.where(valid, signals, 0).astype(np.int64)
    n = valid.sum(axis=1, keepdims=True).astype(np.int64)
    total = x.sum(axis=1, keepdims=True)
    squares = (x * x).sum(axis=1, keepdims=True)
    return quantised(x, n, total, squares, valid & (2 * n >= signals.shape[1]), parameters)


def model_input(quantised: npt.NDArray[np.int8], parameters: PreprocessParameters) -> Float32:
    """What the float model gets for int8 frames [batch, time]: float32 [batch, time, 1], in standard deviations."""
    shifted = quantised.astype(np.float32) - np.float32(parameters.zero_point)
    return np.asarray((shifted * np.float32(parameters.scale))[..., None])


def int8_frames(frames: Float32, parameters: PreprocessParameters) -> npt.NDArray[np.int8]:
    """The other way: float32 [frames, time, 1] of the float model to int8 [frames, time], clamped to the range."""
    rounded = np.rint(frames[..., 0] / np.float32(parameters.scale)) + parameters.zero_point
    return np.asarray(np.clip(rounded, -128, 127), dtype=np.int8)


# From int16 microvolts and valid, both [batch, time], to the int8 of the device's preprocessor.
Normalise = Callable[[npt.NDArray[np.int16], npt.NDArray[np.bool_], PreprocessParameters], npt.NDArray[np.int8]]


@dataclass(frozen=True)
class Cutting:
    """What is cut from records, and how it is normalised.

    Attributes:
        length: samples of a frame, or of a window of a stream.
        context: how many samples at the start of a window are only there so that the others have a past.
        normalise: quantise_frames, or normalise_running for a stream.
    """

    length: int = FRAME_LENGTH
    context: int = 0
    normalise: Normalise = quantise_frames


FRAMES = Cutting()


@dataclass(frozen=True)
class BatchSource:
    """Batch number i as a pure function of (seed, i): training can go on anywhere after a kill.

    Attributes:
        banks: signals and the share of the frames that comes from them.
        augmentation: what is done to them.
        parameters: the device's preprocessor.
        batch: frames per batch.
        seed: of everything drawn.
        cutting: what a frame is.
    """

    banks: tuple[tuple[SignalBank, float], ...]
    augmentation: AugmentationConfiguration
    parameters: PreprocessParameters
    batch: int
    seed: int
    cutting: Cutting = FRAMES

    def __call__(self, index: int) -> tuple[Float32, npt.NDArray[np.int32]]:
        """Model input float32 [batch, length, 1] and labels int32 [batch, length], 255 where nothing is known."""
        rng = np.random.default_rng([self.seed, index])
        shares = np.array([share for _, share in self.banks])
        counts = rng.multinomial(self.batch, shares / shares.sum())
        parts = [self._draw(bank, int(count), rng) for (bank, _), count in zip(self.banks, counts, strict=True)]
        targets = np.concatenate([part[1] for part in parts]).astype(np.int32)
        signals = np.concatenate([part[0] for part in parts])
        scale_waves(signals, targets, self.augmentation.wave_probability, self.augmentation.waves, rng)
        end = 0
        for (bank, _), count in zip(self.banks, counts, strict=True):
            forget_borders(targets[end : end + count], bank.border)
            end += count
        signals, valid = augment(signals, self.augmentation, rng)
        targets[~valid] = UNANNOTATED
        fixed = np.clip(np.rint(signals), -32767, 32767).astype(np.int16)
        return model_input(self.cutting.normalise(fixed, valid, self.parameters), self.parameters), targets

    def _draw(self, bank: SignalBank, count: int, rng: np.random.Generator) -> tuple[Float32, Labels]:
        rows = rng.integers(0, len(bank), count)
        warp = np.log1p(self.augmentation.time_warp)
        chosen = rng.random(count) < self.augmentation.time_warp_probability
        stretch = np.exp(np.where(chosen, rng.uniform(-warp, warp, count), 0.0))
        centre = rng.uniform(bank.first[rows], bank.last[rows] + 1)
        half = stretch * (self.cutting.length - 1) / 2
        centre = np.clip(centre, half, np.maximum(bank.lengths[rows] - 1 - half, half))
        # Without a warp the samples are the record's own, not interpolated ones.
        begin = np.where(chosen, centre - half, np.floor(centre - half)) + self._late(count, rng)
        positions: npt.NDArray[np.float64] = begin[:, None] + stretch[:, None] * np.arange(self.cutting.length)
        self._change_intervals(bank, rows, positions, rng)
        signals, mask = bank.cut(rows, positions)
        mixed = np.flatnonzero(rng.random(count) < self.augmentation.lead_mix_probability)
        if mixed.size:
            low, high = bank.siblings[rows[mixed]].T
            other, _ = bank.cut(rng.integers(low, high), positions[mixed])
            signals[mixed] += (
                rng.uniform(-1, 1, (mixed.size, 1)).astype(np.float32) * self.augmentation.lead_mix * other
            )
        return signals, mask

    def _change_intervals(
        self,
        bank: SignalBank,
        rows: npt.NDArray[np.int64],
        positions: npt.NDArray[np.float64],
        rng: np.random.Generator,
    ) -> None:
        """Intervals of some windows by gains of their own, each another one's; positions are changed in place.

        A window keeps its beginning, lest it reach in front of its record; its end comes earlier or later.
        """
        if not self.augmentation.interval_probability:
            return
        chosen = np.flatnonzero(rng.random(len(rows)) < self.augmentation.interval_probability)
        most = np.log(self.augmentation.intervals)
        gains = np.exp(rng.uniform(-most, most, (chosen.size, len(most))))
        length = self.cutting.length
        step = positions[chosen, 1:2] - positions[chosen, :1]
        # So much of the record that it fills the window even where all of it is shortened.
        enough = math.ceil(length * max(self.augmentation.intervals))
        longer = positions[chosen, :1] + step * np.arange(enough + 1)
        _, masks = bank.cut(rows[chosen], longer)
        for row, mask, where, gain in zip(chosen, masks, longer, gains, strict=True):
            positions[row] = np.interp(np.arange(length), interval_clock(mask, gain), where)

    def _late(self, count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
        """Whole samples by which windows begin later: what is behind the record is held and unlabelled."""
        if not self.augmentation.late_probability:
            return np.zeros(count)
        chosen = rng.random(count) < self.augmentation.late_probability
        return np.where(chosen, np.floor(rng.random(count) * self.augmentation.late * MODEL_RATE), 0.0)


def evaluation_frames(
    bank: SignalBank, parameters: PreprocessParameters, cutting: Cutting = FRAMES
) -> tuple[Float32, npt.NDArray[np.int32]]:
    """Undisturbed frames as the device cuts them: one after the other from the start of each record.

    The last one is aligned to the end of the record; what it shares with the one before is labelled once. Windows of a
    stream overlap by their context, of which only the first window of a record has labels.

    Returns:
        Model input float32 [frames, length, 1] and labels int32 [frames, length].
    """
    rows: list[int] = []
    begins: list[int] = []
    hidden: list[int] = []
    length, time = cutting.length, np.arange(cutting.length)
    for row in range(len(bank)):
        end, start = int(bank.lengths[row]), 0
        while start < end:
            begin = max(min(start - cutting.context, end - length), 0)
            if start <= bank.last[row] and begin + length > bank.first[row]:
                rows.append(row)
                begins.append(begin)
                hidden.append(start - begin)
            start = begin + length
    where = np.array(begins, dtype=np.float64)[:, None] + time
    signals, mask = bank.cut(np.array(rows), where)
    mask[time[None, :] < np.array(hidden)[:, None]] = UNANNOTATED
    fixed = np.rint(signals).astype(np.int16)
    valid = np.ones(fixed.shape, dtype=np.bool_)
    return model_input(cutting.normalise(fixed, valid, parameters), parameters), mask.astype(np.int32)
