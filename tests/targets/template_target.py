"""Template of a target's tests. It guards `host` as it stands; copy it to tests/targets/test_<target>.py and replace
the constants. Of a target with a real port nothing can be started here: give it a double of its tools, as tests/devices
does, and keep what does not open it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecgseg.errors import TargetError
from ecgseg.image.build import Image, build
from ecgseg.link import TimeBase
from ecgseg.targets import RunningTarget, TargetOptions, TimeQuality, open_target, targets, targets_for
from support import model_double

TARGET, BOARD = "host", "host"
TIME_QUALITY, TIME_BASE = TimeQuality.MEASURED, TimeBase.TICKS


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    folder = tmp_path_factory.mktemp("image")
    return build(BOARD, model_double.write_segmenter(folder / "generated"), out_dir=folder)


def test_it_is_found_by_name_and_by_board_and_says_what_its_times_are_worth() -> None:
    target = targets()[TARGET]
    assert TARGET in targets_for(BOARD)
    assert target.purpose
    assert target.time_quality == TIME_QUALITY
    assert not target.real_port


def test_it_runs_the_image_that_was_built_and_answers_what_its_model_computes(image: Image) -> None:
    with open_target(TARGET, image) as running, running.connect() as client:
        assert client.info.board == BOARD
        assert client.info.build_id == image.build_id
        assert client.info.time_base == TIME_BASE
        assert client.info.fault is None
        (frame,) = client.stream(np.random.default_rng(5).integers(-900, 900, 1300).astype(np.int16))
        assert (frame.scores == model_double.scores(frame.input)).all()


def test_two_of_them_run_at_once(image: Image) -> None:
    with open_target(TARGET, image) as one, open_target(TARGET, image) as other:
        assert one.port_url != other.port_url
        with one.connect() as first, other.connect() as second:
            assert first.info.build_id == second.info.build_id


def test_nothing_is_left_running_after_an_error(image: Image) -> None:
    started: list[RunningTarget] = []

    def interrupted() -> None:
        with open_target(TARGET, image) as running:
            started.append(running)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    process = started[0].process
    assert process is not None
    assert process.poll() is not None


def test_an_image_that_does_not_run_is_a_target_error(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    options = TargetOptions(start_seconds=0.5)
    with pytest.raises(TargetError) as told, open_target(TARGET, Image(absent, None, absent, BOARD, ""), options) as it:
        it.connect()
    assert told.value.remedy
