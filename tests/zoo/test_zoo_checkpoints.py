"""A checkpoint comes back as it was, and only to the configuration that it belongs to."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgseg.errors import ModelError
from ecgseg.zoo import checkpoints
from ecgseg.zoo.checkpoints import Checkpoint, Look

REACHED = Checkpoint(
    step=40,
    state=[np.full((2, index + 1), index, dtype=np.float32) for index in range(12)],
    best=[np.arange(3, dtype=np.float32), np.array(5, dtype=np.int64)],
    history=(Look(20, 0.75, 0.5), Look(40, 0.1 + 0.2, 0.625)),
)


def test_a_checkpoint_comes_back_as_it_was_and_in_its_order(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, REACHED, "abc")
    found = checkpoints.load(tmp_path, "abc")
    assert found is not None
    assert (found.step, found.history) == (REACHED.step, REACHED.history)
    for kept, wanted in ((found.state, REACHED.state), (found.best, REACHED.best)):
        assert [array.dtype for array in kept] == [array.dtype for array in wanted]
        assert all(np.array_equal(a, b) for a, b in zip(kept, wanted, strict=True))


def test_a_checkpoint_of_another_configuration_is_left_alone(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, REACHED, "abc")
    assert checkpoints.load(tmp_path, "abd") is None
    assert checkpoints.load(tmp_path, "abc") is not None


def test_a_folder_without_a_checkpoint_begins_anew(tmp_path: Path) -> None:
    assert checkpoints.load(tmp_path / "nowhere", "abc") is None


def refused(folder: Path) -> str:
    with pytest.raises(ModelError, match="cannot go on from the checkpoint") as caught:
        checkpoints.load(folder, "abc")
    assert "--fresh" in caught.value.remedy
    return caught.value.why


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half an archive", b"no archive"])
def test_what_is_no_checkpoint_is_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / checkpoints.NAME).write_bytes(content)
    assert "archive" in refused(tmp_path)


def test_a_checkpoint_is_read_within_limits(tmp_path: Path) -> None:
    path = tmp_path / checkpoints.NAME
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert f"{1 << 40} bytes" in refused(tmp_path)
    path.unlink()
    os.mkfifo(path)
    assert "a pipe" in refused(tmp_path)
    path.unlink()
    np.savez_compressed(path, **{f"state{number}": np.zeros(1) for number in range(checkpoints.MAX_ARRAYS + 1)})
    assert "arrays, more than" in refused(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"digest": np.array(["abc"])},
        {"digest": np.array(7)},
        {"step": np.array("x")},
        {"step": np.array([1, 2])},
        {"step": np.array(0.5)},
        {"history": np.array("{")},
        {"history": np.array('[{"step": "often"}]')},
        {"history": np.array('[{"step": 1, "loss": 0.5}]')},
        {"history": np.array(5)},
        {"state0": np.array([{"a": 1}], dtype=object)},
        {"state99": np.zeros(3)},
        {"history": None},
        {"state0": None},
    ],
    ids=str,
)
def test_a_checkpoint_with_something_else_in_it_is_one_error(tmp_path: Path, change: dict[str, Any]) -> None:
    checkpoints.save(tmp_path, REACHED, "abc")
    path = tmp_path / checkpoints.NAME
    with np.load(path) as kept:
        arrays = {name: array for name, array in ({**kept, **change}).items() if array is not None}
    np.savez(path, **arrays)
    assert refused(tmp_path)


def test_a_checkpoint_of_other_shapes_is_not_gone_on_from(tmp_path: Path) -> None:
    checkpoints.check_fits(REACHED, tmp_path, REACHED.state, REACHED.best)
    wrong = (
        (REACHED.state[1:], REACHED.best),
        ([*REACHED.state[:-1], np.zeros((2, 13), np.float32)], REACHED.best),
        (REACHED.state, [array.astype(np.float64) for array in REACHED.best]),
    )
    for state, best in wrong:
        with pytest.raises(ModelError, match="cannot go on"):
            checkpoints.check_fits(REACHED, tmp_path, state, best)
