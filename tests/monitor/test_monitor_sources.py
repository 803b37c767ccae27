"""What can be shown: any recording that is read, in pieces that join, whatever it is called and whatever it lacks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecgseg.errors import DataError, UsageError
from ecgseg.monitor.messages import about
from ecgseg.monitor.noise import ELECTRODE_OFF, NO_NOISE, NOISES, Noise
from ecgseg.monitor.sources import MOST_CHANNELS, Feed, Source, sources_of
from ecgseg.pipeline import LEAD_OFF
from support.monitor_double import Ramp, ramp
from support.recordings import write_recording


def test_any_stretch_is_the_same_in_any_pieces() -> None:
    feed = Feed(ramp(seconds=13))
    whole = feed.read(0, 4000)
    assert whole[:, 0].tolist() == [n % 1300 % 1000 for n in range(4000)]
    rng, at = np.random.default_rng(1), 0
    while at < 3900:
        size = int(rng.integers(1, 700))
        assert np.array_equal(feed.read(at, at + size), whole[at : at + size]) or at + size > 4000
        at += int(rng.integers(1, 500))
    assert feed.read(5, 5).shape == (0, 3)


def test_the_lead_is_lead_ii_or_the_one_that_is_named() -> None:
    assert Feed(ramp()).lead == 1
    assert Feed(Source("x", lambda: Ramp(), "v1")).lead == 2
    with pytest.raises(UsageError, match="no channel 'v9'"):
        Feed(Source("x", lambda: Ramp(), "v9"))
    with pytest.raises(UsageError, match="several"):
        Feed(Source("x", lambda: Ramp(), "i,ii"))


def test_of_many_channels_twelve_are_shown_and_the_lead_is_one_of_them() -> None:
    names = tuple(f"c{number}" for number in range(40))
    feed = Feed(Source("x", lambda: Ramp(names=names), "c33"))
    assert len(feed.channels) == MOST_CHANNELS
    assert feed.channels[feed.lead].name == "c33"


def test_a_gap_is_no_contact_in_its_channel_alone(tmp_path: Path) -> None:
    signals = np.zeros((500, 2))
    signals[100:300, 0] = np.nan
    path = write_recording(tmp_path, "gaps", 100, signals, names=("I", "II"))
    feed = Feed(sources_of([path])[0])
    samples = feed.read(0, 500)
    assert (samples[100:300, 0] == LEAD_OFF).all()
    assert (samples[:, 1] == 0).all()


def test_a_recording_without_a_voltage_is_refused(tmp_path: Path) -> None:
    path = write_recording(tmp_path, "resp", 100, np.zeros((500, 1)), units=["NU"], names=("Resp",))
    with pytest.raises(DataError, match="Is it an ECG"):
        Feed(sources_of([path])[0])


def test_names_of_files_are_data(tmp_path: Path) -> None:
    hostile = tmp_path / "<img src=x onerror=alert(1)>\x1b[2J\n\u202e.csv"
    hostile.write_text("time_s,ecg_mV\n" + "".join(f"{n / 100},{n % 10}\n" for n in range(500)))
    (source, *_) = sources_of([hostile])
    assert source.label.startswith("<img src=x onerror=alert(1)>\\x1b[2J\\n\\u202e")
    assert json.loads(about([source], {}))["records"] == [source.label]
    assert set(Feed(source).name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def test_there_is_always_something_to_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecgseg.monitor.sources.find_ludb", lambda option: None)
    sources = sources_of([])
    assert sources[0].label == "Synthetic: sinus"
    feed = Feed(sources[0])
    assert (len(feed.channels), feed.rate, feed.lead) == (12, 500, 1)
    assert np.ptp(feed.read(0, 1000)[:, 1].astype(int)) > 300


@pytest.mark.parametrize("kind", NOISES)
def test_noise_is_the_same_at_the_same_sample_and_spares_what_is_not_there(kind: str) -> None:
    noise = Noise(kind, 500, 2)
    samples = np.zeros((12_000, 2), np.int16)
    samples[7] = LEAD_OFF
    noisy = noise.added(samples, 1000, 1)
    assert noisy[7].tolist() == [LEAD_OFF, LEAD_OFF]
    assert np.array_equal(noise.added(samples[50:70], 1050, 1), noisy[50:70])
    assert (samples[8:] == 0).all()
    if kind == NO_NOISE:
        assert (noisy[8:] == 0).all()
    elif kind == ELECTRODE_OFF:
        assert (noisy[8:, 1] == LEAD_OFF).all()
        assert (noisy[8:, 0] == 0).all()
    else:
        assert 50 < noisy[8:].std() < 400
