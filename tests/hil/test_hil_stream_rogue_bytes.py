"""A device with a stream that differs in one byte of an answer gets what is stated for it, with JSON and HTML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from ecgseg.link.numbers import Command
from hil.rogue_bytes import Part
from hil.rogue_cli import HilTest
from hil.rogue_rows import PASSES
from hil.rogue_stream_bytes import stated_of_stream, stream_device, stream_parts
from hil.test_hil_rogue_bytes import NOT_ASKED, OF_A_STREAM

PARTS = [part for part in stream_parts() if part.size]
OF_FRAMES = {Command.RESET_STREAM, Command.PUSH, Command.FRAME, Command.READ, Command.WRITE, Command.INFER}
OF_LAYERS = {Command.TRACE, Command.LAYER}
NEVER_SENT = {Command.GAP}
"""A record of a HIL test has no gaps."""


@pytest.fixture
def hil(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> HilTest:
    return HilTest(monkeypatch, capsys, tmp_path, is_stream=True)


def check(hil: HilTest, part: Part, places: Iterable[tuple[int, int]]) -> None:
    """Changes these bits of these bytes, one after the other."""
    wanted = stated_of_stream(part)
    for offset, bits in places:
        outcome = hil(stream_device(part, offset, bits))
        where = (part.name, offset, bits, outcome.text)
        assert (outcome.code, outcome.verdict) in wanted.ends, where
        assert wanted.says in outcome.text or outcome.verdict == "pass", where
        assert (outcome.page != "") == (outcome.result is not None), where
        assert "Traceback" not in outcome.text


def test_every_answer_of_a_stream_is_changed() -> None:
    left = NOT_ASKED | OF_FRAMES | OF_LAYERS | NEVER_SENT
    assert {part.command for part in PARTS} == set(Command) - left
    assert {part.command for part in PARTS} >= OF_A_STREAM - NEVER_SENT


@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_a_byte_of_every_field_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    check(hil, part, [(0, 0x01)])


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS, ids=[part.name for part in PARTS])
def test_any_byte_that_is_another_gets_what_is_stated(hil: HilTest, part: Part) -> None:
    step = max(1, part.size // 12)
    check(hil, part, [(offset, bits) for offset in range(0, part.size, step) for bits in (0x01, 0x80)])


def test_only_what_the_device_alone_knows_may_be_another_in_a_stream_that_passes() -> None:
    may_pass = {part.name for part in PARTS if PASSES in stated_of_stream(part).ends}
    assert {name for name in may_pass if not name.startswith(("hello", "stats"))} == {
        "start-memory_bytes",
        "start-event_room",
        "start-class_room",
        "feed-ticks",
    }
