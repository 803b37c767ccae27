"""`invoke hil-test --input`: files of a user at their own rate, as frames and as a stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.commands import hil_test
from ecgseg.commands.task import start
from ecgseg.data import inputs_files
from ecgseg.data.inputs_files import inputs_of_files
from ecgseg.data.recording import Told
from ecgseg.hil import runner, stream_runner
from ecgseg.hil.result import HilResult
from ecgseg.hil.runner import HilOptions
from support.delineator_model import delineator_model
from support.stream_images import NAME
from support.tables import apple, beats


def watch(folder: Path) -> Path:
    path = folder / "ecg_2020-02-05.csv"
    path.write_bytes(apple(beats(10 * 512, 512), "512.844 hertz", True))
    return path


@pytest.mark.slow
def test_files_are_sent_as_frames_at_their_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = {"input": [str(watch(tmp_path))], "target": "host", "model": "seg-2-tcn-sm"}
    code = start(hil_test.run, **typed, json=str(tmp_path / "r.json"), html=str(tmp_path / "r.html"))
    assert code == 0
    told = capsys.readouterr()
    assert "Read: channel Lead I in \N{MICRO SIGN}V (1 is 1 microvolts), 512 Hz." in told.err
    result = HilResult.model_validate_json((tmp_path / "r.json").read_bytes())
    assert (result.verdict, result.source, result.frames, result.leads) == ("pass", "file", 4, ["lead_i"])
    assert result.segmentation is None
    assert result.not_scored is None
    assert "Recordings of your own" in (tmp_path / "r.html").read_text()


@pytest.mark.slow
def test_files_are_sent_as_a_stream_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs_files, "PART_SECONDS", 4)
    model = tmp_path / f"{NAME}.tflite"
    model.write_bytes(delineator_model())
    np.save(tmp_path / "ecg.npy", np.stack((beats(5000), -beats(5000))))
    inputs = inputs_of_files([tmp_path / "ecg.npy"], Told(rate=500), "all", "uV")
    result = stream_runner.run(HilOptions("host", tflite=model, vectors=tmp_path), inputs=inputs).result
    assert (result.verdict, result.source, result.streams, result.planned_streams) == ("pass", "file", 6, 6)
    assert result.samples == 2000


def test_what_is_sent_tells_for_what_rate_the_image_is_built(tmp_path: Path) -> None:
    inputs = inputs_of_files([watch(tmp_path)])
    assert runner.rate_of(None, inputs) == 512
    assert runner.rate_of(None, None) == 500
