"""Guards running normalisation: many records at once as sample by sample, any chunking, gaps, flat lines, rails."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgseg.pipeline import (
    RUNNING_GAP,
    RUNNING_LEAST,
    RUNNING_WINDOW,
    Decimated,
    PreprocessParameters,
    RunningNormaliser,
    normalise,
    normalise_running,
)

PLAIN = PreprocessParameters()


def one_by_one(samples, valid, parameters=PLAIN):
    return RunningNormaliser(parameters).push(samples, valid)


def drawn(seed, length, spread=500):
    rng = np.random.default_rng(seed)
    samples = np.clip(rng.standard_normal(length) * spread + rng.integers(-300, 300), -32767, 32767)
    return samples.astype(np.int16), np.ones(length, dtype=bool)


@settings(deadline=None, max_examples=12)
@given(
    seed=st.integers(0, 2**32),
    spread=st.sampled_from([0, 3, 300, 40000]),
    quantisation=st.sampled_from([(1 / 32, 0), (0.0307, -17)]),
    gaps=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 260)), max_size=4),
)
def test_many_at_once_are_as_one_by_one(seed, spread, quantisation, gaps):
    parameters = PreprocessParameters(scale=quantisation[0], zero_point=quantisation[1])
    samples = np.stack([drawn(seed + row, 700, spread)[0] for row in range(2)])
    valid = np.ones(samples.shape, dtype=bool)
    for start, length in gaps:
        valid[1, start : start + length] = False
    found = normalise_running(samples, valid, parameters)
    for row in range(2):
        assert np.array_equal(found[row], one_by_one(samples[row], valid[row], parameters))


def test_a_sample_is_normalised_like_the_last_of_the_frame_that_ends_with_it():
    samples, valid = drawn(1, 600)
    found = normalise_running(samples[None], valid[None], PLAIN)[0]
    for last in range(RUNNING_WINDOW - 1, 600, 7):
        part = slice(last + 1 - RUNNING_WINDOW, last + 1)
        assert found[last] == normalise(Decimated(samples[part], valid[part], ~valid[part]), PLAIN).data[-1]


def test_any_chunking_gives_the_same():
    samples, valid = drawn(2, 500)
    valid[200:320] = False
    stream = RunningNormaliser(PLAIN)
    cuts = np.sort(np.random.default_rng(0).integers(0, 500, 40))
    parts = [stream.push(*pair) for pair in zip(np.split(samples, cuts), np.split(valid, cuts), strict=True)]
    assert np.array_equal(np.concatenate(parts), one_by_one(samples, valid))


def test_the_start_is_the_zero_point_until_enough_was_seen():
    samples, valid = drawn(3, 300)
    found = one_by_one(samples, valid, PreprocessParameters(zero_point=-17))
    assert np.all(found[: RUNNING_LEAST - 1] == -17)
    assert np.count_nonzero(found[RUNNING_LEAST - 1 :] != -17) > 200


@pytest.mark.parametrize("missing", [1, RUNNING_GAP - 1, RUNNING_GAP, RUNNING_GAP + 300])
def test_a_long_gap_is_a_new_start_and_a_short_one_is_left_out(missing):
    before, after = drawn(4, 400)[0], drawn(5, 400)[0]
    samples = np.concatenate([before, np.full(missing, 9999, np.int16), after])
    valid = np.ones(samples.size, dtype=bool)
    valid[400 : 400 + missing] = False
    found = one_by_one(samples, valid)
    assert not found[400 : 400 + missing].any()
    fresh = one_by_one(after, np.ones(400, dtype=bool))
    joined = one_by_one(np.concatenate([before, after]), np.ones(800, dtype=bool))
    assert np.array_equal(found[400 + missing :], fresh if missing >= RUNNING_GAP else joined[400:])


def test_a_flat_line_is_the_zero_point():
    samples = np.full(600, 1234, dtype=np.int16)
    samples[::2] += 7
    assert not one_by_one(samples, np.ones(600, dtype=bool)).any()
    samples[::2] += 1
    assert one_by_one(samples, np.ones(600, dtype=bool))[RUNNING_LEAST:].any()


def test_rails_are_clamped():
    samples = np.zeros(600, dtype=np.int16)
    samples[100::200] = 32767
    samples[150::200] = -32767
    found = one_by_one(samples, np.ones(600, dtype=bool))
    assert found.max() == 127
    assert found.min() == -128
