"""Flashing from end to end: the probe is a stand-in, the board is the simulator with the very image."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecgseg.codegen.render import render
from ecgseg.devices import flash
from ecgseg.errors import LinkError
from ecgseg.image.build import Image, build
from ecgseg.models import ModelFile, find_model
from ecgseg.targets import RunningTarget, TargetOptions, open_target
from ecgseg.targets.apollo4p import Apollo4pTarget
from support import fake_jlink

pytestmark = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None or importlib.util.find_spec("unicorn") is None,
    reason="needs arm-none-eabi-gcc and unicorn",
)


@pytest.fixture(scope="module")
def model() -> ModelFile:
    return find_model()


@pytest.fixture(scope="module")
def image(model: ModelFile, tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("flash")
    render(model.path, folder / "generated", name=model.name)
    return build("apollo4p_evb", folder / "generated", out_dir=folder / "image")


@pytest.fixture(scope="module")
def board(image: Image) -> Iterator[RunningTarget]:
    with open_target("apollo4p-sim", image) as running:
        yield running


@pytest.fixture(autouse=True)
def commander(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    fake_jlink.install(tmp_path)
    record = tmp_path / "record"
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_JLINK", json.dumps({"record": str(record)}))
    return record


def test_after_flashing_the_board_tells_what_it_runs(
    board: RunningTarget, image: Image, model: ModelFile, commander: Path
) -> None:
    result = flash.flash_image(image, model.name, model.sha256, port=board.port_url)
    assert (result.probe, result.port, result.core_hz) == ("1160001234", board.port_url, 96_000_000)
    assert result.last_start == "reset cause 0x2"
    scripts = [json.loads(line)["script"] for line in commander.read_text().splitlines()]
    assert [("loadbin" in script, "mem32" in script) for script in scripts] == [
        (False, False),
        (False, True),
        (True, False),
    ]


def test_another_build_on_the_board_is_told(board: RunningTarget, image: Image, model: ModelFile) -> None:
    other = dataclasses.replace(image, build_id="feedfacefeedface")
    with pytest.raises(LinkError, match="another build") as caught:
        flash.flash_image(other, model.name, model.sha256, port=board.port_url)
    assert image.build_id in caught.value.why


def test_another_model_on_the_board_is_told(board: RunningTarget, image: Image, model: ModelFile) -> None:
    with pytest.raises(LinkError, match="another model"):
        flash.flash_image(image, model.name, "00" * 32, port=board.port_url)


def test_the_board_target_accepts_the_flashed_image_and_no_other(board: RunningTarget, image: Image) -> None:
    options = TargetOptions(port=board.port_url)
    with Apollo4pTarget().open(image, options) as running:
        client = running.connect()
        assert client.info.board == "apollo4p_evb"
        client.close()
    other = dataclasses.replace(image, build_id="feedface")
    with Apollo4pTarget().open(other, options) as running, pytest.raises(LinkError, match="another build"):
        running.connect()
