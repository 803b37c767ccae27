"""Times of waves, against the wave that they stand for."""

from __future__ import annotations

import numpy as np

from ecgseg.data.records import Record, Wave, labels
from ecgseg.pipeline import milliseconds, offset_tick, onset_tick, raw_place, runs, sample_tick, seconds


def test_a_wave_reaches_half_a_sample_beyond_its_samples() -> None:
    assert [milliseconds(tick) for tick in (onset_tick(100), offset_tick(108))] == [995, 1085]
    assert (sample_tick(100), seconds(sample_tick(100))) == (200, 1.0)
    # One sample has the width of one sample.
    assert milliseconds(offset_tick(7) - onset_tick(7)) == 10


def test_no_wave_begins_before_its_record() -> None:
    assert [onset_tick(first) for first in (0, 1)] == [0, 1]


def test_a_tick_has_its_place_among_the_raw_samples_of_every_rate() -> None:
    assert [raw_place(onset_tick(100), rate) for rate in (100, 200, 500, 1000)] == [99.5, 199.0, 497.5, 995.0]


def test_the_mask_of_a_wave_gives_the_wave_back_without_bias() -> None:
    errors = []
    for shift in range(5):
        wave = Wave("QRS", 500 + shift, 520 + shift, 540 + 2 * shift)
        record = Record(1, "ii", 500, np.zeros(1000, dtype=np.int16), (wave,), "Sinus rhythm", "ludb")
        mask = labels(record, 2, 5)
        mask[mask == 255] = 0
        (run,) = runs(mask)
        assert wave.onset is not None
        assert wave.offset is not None
        onset_ms, offset_ms = 2 * wave.onset, 2 * wave.offset
        errors.append(
            (milliseconds(onset_tick(run.onset)) - onset_ms, milliseconds(offset_tick(run.offset)) - offset_ms)
        )
    assert np.abs(errors).max() <= 5
    assert np.abs(np.mean(errors, axis=0)).max() <= 1
