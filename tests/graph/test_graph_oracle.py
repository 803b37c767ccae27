"""The oracle refuses what is no model before TensorFlow Lite Micro sees it."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

from ecgseg.errors import GraphError
from ecgseg.graph.oracle import TflmOracle
from ecgseg.models import find_model


@pytest.mark.parametrize("content", [b"", b"plain text, no model at all", b"\0\0\0\0TFL3" + b"\0" * 40])
def test_what_is_no_model_is_one_clear_error(content: bytes) -> None:
    with pytest.raises(GraphError) as error:
        TflmOracle(content)
    assert error.value.remedy


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_model_is_one_clear_error(share: float) -> None:
    content = find_model().data
    with pytest.raises(GraphError):
        TflmOracle(content[: int(len(content) * share)])


def test_changed_bytes_end_in_a_model_or_one_clear_error() -> None:
    content = find_model().data
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(40):
        damaged = bytearray(content)
        for position in rng.integers(0, len(content), 12):
            damaged[position] = int(rng.integers(0, 256))
        with contextlib.suppress(GraphError):
            TflmOracle(bytes(damaged))
            continue
        refused += 1
    assert refused
