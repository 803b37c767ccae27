"""A device that differs in one byte of an answer gets what is stated for it, and never passes with one compared."""

from __future__ import annotations

import pytest

from ecgseg.link.numbers import Command
from hil.rogue_bytes import NOT_ASKED, OF_A_STREAM, Part, device, parts, stated
from hil.rogue_cli import HilTest
from hil.rogue_rows import PASSES

PARTS = [part for part in parts() if part.size]
NAMES = [part.name for part in PARTS]


def test_every_answer_that_a_hil_test_gets_is_changed() -> None:
    assert {part.command for part in PARTS} == set(Command) - NOT_ASKED - OF_A_STREAM
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_a_byte_of_every_field_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    hil.check_bytes(part, device, stated(part), [(0, 0x01)])


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS, ids=NAMES)
def test_any_byte_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    step = max(1, part.size // 40)
    offsets = sorted({*range(0, part.size, step), part.size - 1})
    hil.check_bytes(part, device, stated(part), [(offset, bits) for offset in offsets for bits in (0x01, 0x80)])


def test_only_what_the_host_cannot_know_may_be_another_in_a_device_that_passes() -> None:
    may_pass = {part.name for part in PARTS if PASSES in stated(part).ends}
    assert {name.split("-")[0] for name in may_pass} == {"hello", "frame", "stats", "direct"}
    assert {name for name in may_pass if name.startswith(("frame", "direct"))} == {
        "frame-preprocess_ticks",
        "frame-inference_ticks",
        "frame-postprocess_ticks",
        "direct-infer-inference_ticks",
    }
