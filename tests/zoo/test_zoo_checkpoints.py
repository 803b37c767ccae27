"""A checkpoint comes back as it was, and only to the configuration that it belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

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
