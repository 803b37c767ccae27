"""Recordings as other programs write them, through the real firmware: every byte equal, annotations that wfdb opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyedflib
import pytest
import wfdb

from ecgseg.commands import segment
from ecgseg.commands.task import start
from ecgseg.segment.result import SegmentResult
from support.delineator_model import delineator_model
from support.recordings import write_recording
from support.tables import apple, beats, write_edf, write_wav

SECONDS = 12


def _wfdb(folder: Path, rate: int) -> Path:
    return write_recording(folder, "ecg", rate, np.stack([beats(SECONDS * rate, rate) / 1000] * 2, axis=1))


def _edf(folder: Path, rate: int) -> Path:
    return write_edf(folder / "ecg.edf", beats(SECONDS * rate, rate), pyedflib.FILETYPE_EDFPLUS, rate)


def _csv(folder: Path, rate: int) -> Path:
    rows = [f"{n / rate:.6f},{value / 1000:.3f}\n" for n, value in enumerate(beats(SECONDS * rate, rate))]
    (folder / "ecg.csv").write_text("time_s,ecg_mV\n" + "".join(rows))
    return folder / "ecg.csv"


def _apple(folder: Path, rate: int) -> Path:
    (folder / "ecg.csv").write_bytes(apple(beats(SECONDS * rate, rate), f"{rate} hertz"))
    return folder / "ecg.csv"


def _wav(folder: Path, rate: int) -> Path:
    return write_wav(folder / "ecg.wav", rate, beats(SECONDS * rate, rate).astype(np.int16))


WRITTEN: dict[str, tuple[Callable[[Path, int], Path], int, dict[str, str]]] = {
    "WFDB": (_wfdb, 360, {"channel": "all"}),
    "EDF": (_edf, 250, {"channel": "ECG II"}),
    "CSV": (_csv, 128, {}),
    "Apple Health": (_apple, 512, {}),
    "WAV": (_wav, 1000, {"unit": "adu:1000"}),
}


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize(("kind", "target"), [*((kind, "qemu") for kind in WRITTEN), ("WFDB", "host"), ("CSV", "host")])
def test_a_recording_of_any_format_and_rate_is_equal(kind: str, target: str, tmp_path: Path) -> None:
    write, rate, typed = WRITTEN[kind]
    (tmp_path / "levels.tflite").write_bytes(delineator_model())
    words = {"file": str(write(tmp_path, rate)), "tflite": str(tmp_path / "levels.tflite"), "out": str(tmp_path)}
    assert start(segment.run, **words, **typed, target=target, check=True, json=str(tmp_path / "told.json")) == 0
    told = SegmentResult.model_validate_json((tmp_path / "told.json").read_bytes())
    read = wfdb.rdann(str(tmp_path / "ecg"), "ecgseg")
    assert read.fs == told.rate == rate
    for channel in told.channels:
        peaks = read.sample[(np.array(read.symbol) == "N") & (read.chan == channel.channel)]
        assert len(peaks) == channel.beats > 8
        # A beat every 0.8 s, from 0.7 s on.
        assert np.all(np.abs((peaks / rate - 0.3) % 0.8 - 0.4) < 0.05)
        assert channel.compared_bytes >= SECONDS * 100 + 48 * channel.beats
