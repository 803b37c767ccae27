"""`invoke render --stream`: what a stream keeps is shown, and what cannot stream is told by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.codegen.manifest import StreamManifest
from ecgseg.codegen.stream_program import RECORD_BYTES
from ecgseg.commands import render
from ecgseg.commands.task import start
from ecgseg.errors import GraphError, UsageError
from support.stream_models import SAME, TimeModel


@pytest.fixture
def tflite(tmp_path: Path) -> Path:
    model = TimeModel(channels=1).pad(4).conv(5, stride=2, channels=8).causal(3, 8, channels=8).conv(5, padding=SAME)
    path = tmp_path / "small.tflite"
    path.write_bytes(model.finish())
    return path


def test_state_and_arena_are_shown_and_written(
    tflite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    place = str(tmp_path / "result.json")
    assert not start(render.run, tflite=str(tflite), stream=True, report=True, out=str(tmp_path / "c"), json=place)
    manifest = StreamManifest.model_validate_json(Path(place).read_bytes())
    assert manifest == StreamManifest.model_validate_json((tmp_path / "c" / "stream.json").read_bytes())
    header = (tmp_path / "c" / "ecgseg_stream_model.h").read_text()
    printed = " ".join(capsys.readouterr().out.split())
    for name, size in (("state", manifest.state_bytes), ("arena", manifest.arena_bytes)):
        assert f"_STREAM_{name.upper()}_BYTES {size}" in header
        assert f"{name} {size} bytes" in printed
    # Four samples, and of the strided result 16 rows of 8 channels and the four of the last layer.
    assert [entry.kept_bytes for entry in manifest.kept] == [4, 16 * 8, 4 * 8]
    assert manifest.state_bytes == RECORD_BYTES + sum(
        -(-(entry.kept_bytes + entry.new_bytes) // 4) * 4 for entry in manifest.kept
    )
    assert "An answer comes 4 to 15 positions after its own." in printed


def test_what_a_stream_does_not_compute_in_place_or_twice_is_placed_once(tflite: Path, tmp_path: Path) -> None:
    start(render.run, tflite=str(tflite), stream=True, block=3, out=str(tmp_path))
    manifest = StreamManifest.model_validate_json((tmp_path / "stream.json").read_bytes())
    assert (manifest.block, manifest.block_answers) == (4, 2)
    ends = 0
    for entry in manifest.kept:
        assert entry.offset == ends
        ends += -(-(entry.kept_bytes + entry.new_bytes) // 4) * 4
    assert manifest.state_bytes == RECORD_BYTES + ends


def test_what_cannot_stream_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"CONV_2D \(operator 1\) cannot run as a stream"):
        start(render.run, model="seg-2-tcn-sm", stream=True, out=str(tmp_path / "c"))
    assert not (tmp_path / "c" / "ecgseg_stream_model.c").exists()


@pytest.mark.parametrize("block", [-1, 0, 5000])
def test_a_block_that_is_none_is_refused(block: int, tflite: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"A block of {block} positions"):
        start(render.run, tflite=str(tflite), stream=True, block=block, out=str(tmp_path))
