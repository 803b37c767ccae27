"""Tasks on a computer where tflite-micro is not to be had: the same verdicts, and each says what computed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.graph.reference import INTERPRETER
from support.without_tflm import environment_without_tflm

RECORDING = paths.ROOT / "tests" / "vectors" / "recording.csv"


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
