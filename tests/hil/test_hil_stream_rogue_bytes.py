"""A device with a stream that differs in one byte of an answer gets what is stated for it, with JSON and HTML."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.link.numbers import Command
from hil.rogue_bytes import NOT_ASKED, OF_A_STREAM, Part
from hil.rogue_cli import HilTest
from hil.rogue_rows import PASSES
from hil.rogue_stream_bytes import stated_of_stream, stream_device, stream_parts

PARTS = [part for part in stream_parts() if part.size]
OF_FRAMES = {Command.RESET_STREAM, Command.PUSH, Command.FRAME, Command.READ, Command.WRITE, Command.INFER}
OF_LAYERS = {Command.TRACE, Command.LAYER}
NEVER_SENT = {Command.GAP}
"""A record of a HIL test has no gaps."""


@pytest.fixture
def hil(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> HilTest:
    return HilTest(monkeypatch, capsys, tmp_path, is_stream=True)


def test_every_answer_of_a_stream_is_changed() -> None:
    left = NOT_ASKED | OF_FRAMES | OF_LAYERS | NEVER_SENT
    assert {part.command for part in PARTS} == set(Command) - left
    assert {part.command for part in PARTS} >= OF_A_STREAM - NEVER_SENT


@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_a_byte_of_every_field_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    hil.check_bytes(part, stream_device, stated_of_stream(part), [(0, 0x01)])


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_any_byte_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    step = max(1, part.size // 12)
    hil.check_bytes(
        part,
        stream_device,
        stated_of_stream(part),
        [(offset, bits) for offset in range(0, part.size, step) for bits in (0x01, 0x80)],
    )


def test_only_what_the_device_alone_knows_may_be_another_in_a_stream_that_passes() -> None:
    may_pass = {part.name for part in PARTS if PASSES in stated_of_stream(part).ends}
    assert {name for name in may_pass if not name.startswith(("hello", "stats"))} == {
        "start-memory_bytes",
        "start-event_room",
        "start-class_room",
        "feed-ticks",
    }
