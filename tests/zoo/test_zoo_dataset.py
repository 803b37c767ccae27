"""Guards training data: the device's normalisation to the bit, labels that stay on their samples, pure batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import labels
from ecgseg.errors import DataError
from ecgseg.pipeline import UNANNOTATED, Decimated, PreprocessParameters, decimate, frames, normalise
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo import dataset
from ecgseg.zoo.augmentation import augment, contact

STILL = zoo.AugmentationConfiguration(
    time_warp_probability=0,
    polarity_probability=0,
    gain=1,
    wander_probability=0,
    hum_probability=0,
    muscle_probability=0,
    motion_probability=0,
    smoothing_probability=0,
    clipping_probability=0,
    lead_off_probability=0,
)


@pytest.fixture(scope="module")
def records():
    return synthetic_records(6, 2, seed=11)


@pytest.fixture(scope="module")
def bank(records):
    return dataset.SignalBank.of(records, 4)


def source(bank, augmentation=None, seed=1, batch=32):
    return dataset.BatchSource(
        ((bank, 1.0),), augmentation or zoo.AugmentationConfiguration(), PreprocessParameters(), batch, seed
    )


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), gap=st.integers(0, 250), spread=st.sampled_from([0, 1, 4, 300, 20000]))
def test_a_batch_is_normalised_like_on_the_device(seed, gap, spread):
    rng = np.random.default_rng(seed)
    signals = np.clip(rng.standard_normal((3, 250)) * spread + 100, -32767, 32767).astype(np.int16)
    valid = np.ones((3, 250), dtype=bool)
    valid[1, :gap] = False
    parameters = PreprocessParameters()
    batch = dataset.quantise_frames(signals, valid, parameters)
    for row in range(3):
        signal = Decimated(signals[row], valid[row], np.zeros(250, dtype=bool))
        assert np.array_equal(batch[row], normalise(signal, parameters).data)


@pytest.mark.parametrize(("scale", "zero_point"), [(1 / 32, 0), (0.0307, -17)])
def test_what_the_float_model_gets_is_the_int8_frame_and_back(scale, zero_point):
    parameters = PreprocessParameters(scale=scale, zero_point=zero_point)
    every = np.arange(-128, 128, dtype=np.int8)[None]
    assert np.array_equal(dataset.int8_frames(dataset.model_input(every, parameters), parameters), every)
    beyond = np.array([[[-1e3], [1e3]]], dtype=np.float32)
    assert dataset.int8_frames(beyond, parameters).tolist() == [[-128, 127]]


def test_evaluation_frames_are_those_of_the_device_and_label_every_sample_once(records, bank):
    x, y = dataset.evaluation_frames(bank, PreprocessParameters())
    known = sum(np.count_nonzero(_mask(record) != UNANNOTATED) for record in records)
    assert np.count_nonzero(y != UNANNOTATED) == known
    clean = next(i for i, record in enumerate(records) if decimate(record.samples, PreprocessParameters()).valid.all())
    one = dataset.SignalBank.of([records[clean]], 4)
    x, _ = dataset.evaluation_frames(one, PreprocessParameters())
    device = [frame.data for frame in frames(records[clean].samples, PreprocessParameters())]
    assert np.array_equal(np.rint(x[..., 0] * 32).astype(np.int8), np.stack(device))


def _mask(record):
    mask = labels(record, 4, 5)
    mask[~decimate(record.samples, PreprocessParameters()).valid] = UNANNOTATED
    return mask


def test_batches_are_pure_functions_of_seed_and_index(bank):
    x, y = source(bank)(7)
    again_x, again_y = source(bank)(7)
    other_x, _ = source(bank)(8)
    assert np.array_equal(x, again_x)
    assert np.array_equal(y, again_y)
    assert not np.array_equal(x, other_x)
    assert x.shape == (32, 250, 1)
    assert np.abs(x).max() <= 4.0


def test_undisturbed_frames_are_pieces_of_the_records_with_their_labels(records, bank):
    x, y = source(bank, STILL)(0)
    signals = [(record.samples, decimate(record.samples, PreprocessParameters())) for record in records]
    for row in range(8):
        found = False
        for record, (_, signal) in zip(records, signals, strict=True):
            mask = _mask(record)
            for start in range(0, len(mask) - 250 + 1):
                if np.array_equal(mask[start : start + 250], y[row]):
                    cut = Decimated(signal.samples[start : start + 250], np.ones(250, bool), np.zeros(250, bool))
                    data = normalise(cut, PreprocessParameters()).data
                    found |= np.array_equal(data, np.rint(x[row, :, 0] * 32))
        assert found


def test_labels_follow_the_time_warp(bank):
    """A QRS stays on its steepest slope when time is stretched by a fifth."""
    rows = np.array([0])
    centre = (bank.first[0] + bank.last[0]) / 2
    for stretch in (0.8, 1.0, 1.25):
        positions = (centre + stretch * (np.arange(250) - 124.5))[None]
        signal, mask = bank.cut(rows, positions)
        slope = np.abs(np.gradient(signal[0]))
        qrs = mask[0] == 2
        assert slope[qrs].mean() > 5 * slope[mask[0] == 0].mean()


def test_outside_of_a_record_the_edge_is_held_and_nothing_is_labelled(bank):
    signal, mask = bank.cut(np.array([1]), np.arange(-50.0, 200.0)[None])
    assert np.all(mask[0, :50] == UNANNOTATED)
    assert np.all(signal[0, :50] == signal[0, 50])


def test_without_annotated_records_there_is_one_clear_error(records):
    bare = [type(r)(r.record_id, r.lead, r.rate, r.samples, (), r.rhythm, r.source) for r in records]
    with pytest.raises(DataError, match="nothing to train on"):
        dataset.SignalBank.of(bare, 4)


def test_a_gap_is_not_labelled_and_lies_at_the_zero_point(bank):
    lost = STILL.model_copy(update={"lead_off_probability": 1.0})
    x, y = source(bank, lost)(3)
    _, labelled = source(bank, STILL)(3)
    assert np.count_nonzero(y == UNANNOTATED) > np.count_nonzero(labelled == UNANNOTATED)
    gap = (y == UNANNOTATED) & (labelled != UNANNOTATED)
    assert np.all(x[..., 0][gap] == 0)


@pytest.mark.parametrize("kind", ["wander", "hum", "muscle", "motion", "smoothing", "clipping"])
def test_each_disturbance_disturbs_and_only_when_asked(kind):
    rng = np.random.default_rng(0)
    signals = (300 * np.sin(np.arange(250) / 9) * np.ones((16, 1))).astype(np.float32)
    still, valid = augment(signals, STILL, rng)
    assert np.array_equal(still, signals)
    assert valid.all()
    disturbed, _ = augment(signals, STILL.model_copy(update={f"{kind}_probability": 1.0}), rng)
    assert np.all(np.abs(disturbed - signals).max(axis=1) > 0)
    assert np.isfinite(disturbed).all()


def test_polarity_turns_the_signal_over():
    signals = np.random.default_rng(1).standard_normal((4, 250)).astype(np.float32)
    turned, _ = augment(signals, STILL.model_copy(update={"polarity_probability": 1.0}), np.random.default_rng(0))
    assert np.array_equal(turned, -signals)


def test_contact_is_lost_in_one_piece():
    valid = contact((50, 250), 1.0, np.random.default_rng(2))
    for row in valid:
        lost = np.flatnonzero(~row)
        assert lost.size
        assert np.all(np.diff(lost) == 1)


def test_what_lies_beside_a_change_of_the_label_is_not_learned_from_and_the_rest_is():
    masks = np.array([[0, 0, 0, 0, 2, 2, 2, 2, 255, 0, 0], [255, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]], np.int32)
    dataset.forget_borders(masks, 2)
    assert masks.tolist() == [
        [0, 0, 255, 255, 255, 255, 2, 2, 255, 0, 0],
        [255, 1, 1, 1, 1, 1, 1, 1, 255, 255, 255],
    ]


def test_without_a_border_every_label_stays():
    masks = np.array([[0, 0, 2, 2, 255, 3]], np.int32)
    kept = masks.copy()
    dataset.forget_borders(masks, 0)
    assert masks.tolist() == kept.tolist()
