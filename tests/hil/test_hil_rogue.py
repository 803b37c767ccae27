"""Every kind of rogue device gets its verdict: the right one or none, in bounded time, with JSON and HTML."""

from __future__ import annotations

import time

import pytest

from hil.rogue_cli import HilTest
from hil.rogue_device import RogueDevice
from hil.rogue_rows import PASSES, REFUSED, Row, rows

ROWS = rows()
ROW_SECONDS = 5.0
"""A row takes less than a third of a second; a busy machine gets more."""


def test_the_table_has_at_least_a_hundred_kinds_each_once() -> None:
    assert len(ROWS) >= 100
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_rogue_device_gets_its_verdict_with_json_and_html(hil: HilTest, row: Row) -> None:
    started = time.monotonic()
    outcome = hil(RogueDevice(row.hook, row.wire))
    assert time.monotonic() - started < ROW_SECONDS
    code, verdict = row.ends
    assert row.says in outcome.text if isinstance(row.says, str) else row.says.search(outcome.text)
    assert outcome.code == code
    # What a device says commands nothing: no control character, and one verdict, which begins its line.
    assert all(character.isprintable() or character == "\n" for character in outcome.text)
    heads = [line.split()[0] for line in outcome.text.splitlines() if line.strip()]
    assert sum(head in ("PASS", "FAIL", "INCOMPLETE") for head in heads) == (verdict is not None)
    if verdict is None:
        assert row.ends == REFUSED
        assert (outcome.result, outcome.page) == (None, "")
        return
    assert outcome.result is not None
    assert outcome.result["verdict"] == verdict
    assert {"pass": "Every byte equal", "fail": "The device differs", "incomplete": "Incomplete"}[
        verdict
    ] in outcome.page
    assert "<script>x" not in outcome.page
    if row.ends == PASSES:
        assert outcome.result["mismatched_bytes"] == 0
        assert outcome.result["segmentation"] is not None
