"""The filter from any rate to 100 Hz: what it lets through, where its samples lie, and that pieces are the whole."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg.errors import UsageError
from ecgseg.pipeline import LEAD_OFF, PreprocessParameters, decimate, flush_samples
from ecgseg.pipeline.decimator import Decimator
from ecgseg.pipeline.rates import Resampling, frequency_response, takes_rate
from support.rates import RATES

FIRST_RATES = (200, 500, 1000)
NEW_RATES = tuple(rate for rate in RATES if rate > 100 and rate not in FIRST_RATES)
PASS = np.arange(0.5, 40.01, 0.5)


def decibels(gain: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(20 * np.log10(np.maximum(np.abs(gain), 1e-9)))


def stop_band(rate: int) -> float:
    """The most that comes through from 60 Hz on, with images of the first two multiples of the rate, dB."""
    resampling = Resampling(rate)
    most = rate * min(resampling.phases / 2, 2.5)  # beyond half of the rate of all phases it repeats
    return float(decibels(frequency_response(resampling, np.arange(60.0, most))).max())


@pytest.mark.parametrize("rate", NEW_RATES)
def test_every_rate_passes_what_500_hz_passes(rate: int) -> None:
    wanted = decibels(frequency_response(Resampling(500), PASS))
    assert np.max(np.abs(decibels(frequency_response(Resampling(rate), PASS)) - wanted)) <= 0.1
    # Mains of 50 and 60 Hz are left as much as there.
    for mains in (50.0, 60.0):
        gain, usual = (float(decibels(frequency_response(Resampling(r), np.array([mains])))[0]) for r in (rate, 500))
        assert gain < usual + 0.5 or gain < -39


@pytest.mark.parametrize("rate", [rate for rate in NEW_RATES if rate != 1999])
def test_every_rate_stops_what_the_first_ones_stop(rate: int) -> None:
    assert stop_band(rate) <= max(stop_band(first) for first in FIRST_RATES) < -39


@pytest.mark.parametrize("rate", RATES)
def test_no_sum_leaves_32_bits_and_every_phase_has_a_gain_of_one(rate: int) -> None:
    taps = Resampling(rate).taps.astype(np.int64)
    assert np.abs(taps).sum(axis=1).max(initial=0) < 1.9 * 2**15
    assert set(taps.sum(axis=1).tolist()) <= {32768}
    constant = np.full(rate, -12345, np.int16)
    assert set(decimate(constant, PreprocessParameters(input_rate=rate)).samples.tolist()) == {-12345}


@pytest.mark.parametrize("rate", RATES)
def test_a_sample_stands_for_its_place_exactly(rate: int) -> None:
    def wave(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(20000 * np.sin(2 * np.pi * 3 * seconds))

    raw = np.rint(wave(np.arange(20 * rate) / rate)).astype(np.int16)
    samples = decimate(raw, PreprocessParameters(input_rate=rate)).samples
    assert samples.size == 2000
    # A tenth of a sample at 100 Hz would be 380; gain and images together are less than 0.06 dB.
    assert np.max(np.abs(samples - wave(np.arange(2000) / 100))[20:-20]) < 130


@pytest.mark.parametrize("rate", RATES)
def test_pieces_are_the_whole(rate: int) -> None:
    parameters = PreprocessParameters(input_rate=rate)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        raw = rng.normal(0, 300, int(rng.integers(1, 5 * rate))).astype(np.int16)
        raw[raw.size // 3 : raw.size // 3 + 9], raw[-1:], raw[raw.size // 2] = LEAD_OFF, LEAD_OFF, 32767
        decimator = Decimator(parameters)
        cuts = np.sort(rng.integers(0, raw.size + 1, 30))
        found = [*map(decimator.push, np.split(raw, cuts)), decimator.end()]
        wanted = decimate(raw, parameters)
        for name in ("samples", "valid", "saturated"):
            assert np.array_equal(np.concatenate([getattr(one, name) for one in found]), getattr(wanted, name)), name


def test_the_first_rates_give_what_they_gave() -> None:
    digest = hashlib.sha256()
    for rate in (100, *FIRST_RATES):
        digest.update(Resampling(rate).taps.astype("<i2").tobytes())
    assert digest.hexdigest() == "fc97b2be7291977749e51ed116b3b144b46f3e5eda59061ca6f7ccab14bc8c83"


def test_a_record_has_as_many_samples_as_its_length_holds() -> None:
    for rate, raw, samples in ((50, 3, 6), (512, 512, 100), (512, 513, 101), (360, 1, 1), (360, 4, 2), (100, 7, 7)):
        assert PreprocessParameters(input_rate=rate).samples_of(raw) == samples
        assert decimate(np.zeros(raw, np.int16), PreprocessParameters(input_rate=rate)).samples.size == samples
    assert flush_samples(np.array([5], np.int16), PreprocessParameters(input_rate=512)).size == 21


def test_rates_that_no_device_takes_are_refused() -> None:
    assert [rate for rate in (0, 49, 50, 128.0, 128.5, 2000, 2001, -500) if takes_rate(rate)] == [50, 128.0, 2000]
    for rate in (49, 2001):
        with pytest.raises(UsageError, match=f"{rate} Hz is not supported"):
            PreprocessParameters(input_rate=rate)
    with pytest.raises(UsageError, match="hop of 1"):
        PreprocessParameters(input_rate=50, hop=1)
