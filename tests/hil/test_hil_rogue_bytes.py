"""A device that differs in one byte of an answer gets what is stated for it, and never passes with one compared."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ecgseg.link.numbers import Command
from hil.rogue_bytes import Part, device, parts, stated
from hil.rogue_cli import HilTest
from hil.rogue_rows import PASSES

PARTS = [part for part in parts() if part.size]
NAMES = [part.name for part in PARTS]
NOT_ASKED = {Command.BENCH, Command.SET_BAUD, Command.SET_CLOCK, Command.RESTART}
"""By no HIL test."""
OF_A_STREAM = {Command.START, Command.FEED, Command.EVENTS, Command.CLASSES, Command.GAP, Command.FINISH}
"""By none of frames (test_hil_stream_rogue.py)."""


def check(hil: HilTest, part: Part, places: Iterable[tuple[int, int]]) -> None:
    """Changes these bits of these bytes, one after the other."""
    wanted = stated(part)
    for offset, bits in places:
        outcome = hil(device(part, offset, bits))
        where = (part.name, offset, bits, outcome.text)
        assert (outcome.code, outcome.verdict) in wanted.ends, where
        assert wanted.says in outcome.text or outcome.verdict == "pass", where
        assert (outcome.page != "") == (outcome.result is not None), where
        assert "Traceback" not in outcome.text


def test_every_answer_that_a_hil_test_gets_is_changed() -> None:
    assert {part.command for part in PARTS} == set(Command) - NOT_ASKED - OF_A_STREAM
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_a_byte_of_every_field_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    check(hil, part, [(0, 0x01)])


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_any_byte_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    step = max(1, part.size // 40)
    offsets = sorted({*range(0, part.size, step), part.size - 1})
    check(hil, part, [(offset, bits) for offset in offsets for bits in (0x01, 0x80)])


def test_only_what_the_host_cannot_know_may_be_another_in_a_device_that_passes() -> None:
    may_pass = {part.name for part in PARTS if PASSES in stated(part).ends}
    assert {name.split("-")[0] for name in may_pass} == {"hello", "frame", "stats", "direct"}
    assert {name for name in may_pass if name.startswith(("frame", "direct"))} == {
        "frame-preprocess_ticks",
        "frame-inference_ticks",
        "frame-postprocess_ticks",
        "direct-infer-inference_ticks",
    }
