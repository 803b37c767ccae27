"""Every byte of a device's is compared with Python's, whatever the device is and however its answers are cut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg.link.stream import Results
from ecgseg.pipeline.delineator import Delineator
from ecgseg.segment.check import Comparison
from support.delineator_model import delineator_model

RATE = 200
MODEL = delineator_model()
PARTS = 6


def parts() -> Iterator[npt.NDArray[np.int16]]:
    random = np.random.default_rng(5)
    for _ in range(PARTS):
        yield random.integers(-1000, 1000, random.integers(1, 300)).astype(np.int16)


def answers() -> list[Results]:
    """What a right device answers to each part, and at the end."""
    twin = Delineator(MODEL, RATE)
    found = [twin.push(part) for part in parts()]
    found.append(twin.end())
    return [Results(0, one.classes, 0, b"".join(event.pack() for event in one.events)) for one in found]


def compared(told: list[Results]) -> Comparison:
    comparison = Comparison(MODEL, RATE, after_bazett=False)
    for part, results in zip(parts(), told, strict=False):
        comparison.sent(part)
        comparison.answered(results)
    for results in told[PARTS:]:
        comparison.answered(results)
    comparison.ended()
    return comparison


def test_a_right_device_is_equal_whenever_it_answers() -> None:
    told = answers()
    sizes = sum(one.classes.size + len(one.events) for one in told)
    late = [Results(0, np.empty(0, np.uint8), 0, b"")] * PARTS
    whole = Results(0, np.concatenate([one.classes for one in told]), 0, b"".join(one.events for one in told))
    for device in (told, [*late, whole]):
        comparison = compared(device)
        assert comparison.difference is None
        assert comparison.compared_bytes == sizes > 300


@pytest.mark.parametrize("part", [0, 3, PARTS])
def test_a_class_that_differs_is_told_with_its_number(part: int) -> None:
    told = answers()
    first = sum(one.classes.size for one in told[:part])
    place = told[part].classes.size // 2
    bent = told[part].classes.copy()
    bent[place] ^= 1
    told[part] = replace(told[part], classes=bent)
    found = compared(told).difference
    assert found is not None
    assert (found.what, found.number) == ("class", first + place)
    assert int(found.actual, 16) ^ int(found.expected, 16) == 1


def test_an_event_too_many_or_too_few_is_told() -> None:
    told = answers()
    more = [*told[:-1], replace(told[-1], events=told[-1].events + bytes(48))]
    count = sum(len(one.events) for one in told) // 48
    found = compared(more).difference
    assert found is not None
    assert (found.what, found.number, found.expected, found.actual) == ("event", count, "", "00" * 48)
    found = compared([*told[:-1], replace(told[-1], classes=told[-1].classes[:-1])]).difference
    assert found is not None
    assert (found.what, found.actual) == ("class", "")
