"""Tasks on a computer where tflite-micro is not to be had: the same verdicts, and each says what computed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ecgseg import paths
from ecgseg.export.subject import subject_of
from ecgseg.export.vectors import vectors_of
from ecgseg.graph.reference import INTERPRETER
from ecgseg.models import ModelFile
from support.small_models import alone
from support.without_tflm import environment_without_tflm, hide_tflm


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "hiding"
    folder.mkdir()
    return environment_without_tflm(folder)


def invoke(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=paths.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.slow
@pytest.mark.parametrize("model", ["seg-2-tcn-sm", "stream-4-tcn-sm"])
def test_one_record_is_compared_and_the_result_names_the_oracle(
    model: str, environment: dict[str, str], tmp_path: Path
) -> None:
    kept, page = tmp_path / "result.json", tmp_path / "result.html"
    words = ("--model", model, "--records", "1", "--leads", "ii", "--json", str(kept), "--html", str(page))
    done = invoke(environment, "hil-test", "--target", "host", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(kept.read_text())
    assert result["verdict"] == "pass"
    assert result["oracle"] == INTERPRETER
    assert "tflite-micro" not in result["provenance"]["versions"]["packages"]
    assert INTERPRETER in done.stdout
    assert "ecgseg&#39;s interpreter" in page.read_text()


@pytest.mark.slow
def test_a_recording_is_segmented_and_compared(environment: dict[str, str], tmp_path: Path) -> None:
    file, kept = tmp_path / "ecg.npy", tmp_path / "result.json"
    samples = np.round(400 * np.sin(2 * np.pi * np.arange(5000) / 500)).astype(np.int16)
    np.save(file, samples)
    words = ("--channel", "all", "--unit", "uV", "--rate", "500", "--check", "--json", str(kept))
    done = invoke(environment, "segment", str(file), "--target", "host", *words, "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(kept.read_text())
    assert (result["complete"], result["oracle"]) == (True, INTERPRETER)
    assert f"every one equal.\nOracle: {INTERPRETER}." in done.stdout


@pytest.mark.slow
def test_what_a_board_needs_is_built_and_flash_tells_its_script(environment: dict[str, str]) -> None:
    done = invoke(environment, "flash", "--model", "seg-2-tcn-sm", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loadbin" in done.stdout


@pytest.mark.slow
def test_a_library_is_exported(environment: dict[str, str], tmp_path: Path) -> None:
    done = invoke(environment, "export", "--model", "seg-2-tcn-sm", "--out", str(tmp_path / "ecg"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert any("vector_classes" in path.read_text() for path in (tmp_path / "ecg").rglob("*.[ch]"))


@pytest.mark.slow
def test_training_refuses_before_it_begins(environment: dict[str, str]) -> None:
    done = invoke(environment, "train", "--model", "smoke")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "is not installed" in done.stderr


def test_the_answers_in_a_library_are_the_same_and_it_names_what_computed_them(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = subject_of(ModelFile("alone", Path("none.tflite"), alone(), from_zoo=False))
    micro = vectors_of(subject)
    hide_tflm(monkeypatch)
    own = vectors_of(subject)
    assert own.arrays == micro.arrays
    assert "what TensorFlow Lite Micro answers" in micro.about
    assert f"what {INTERPRETER} answers" in own.about
