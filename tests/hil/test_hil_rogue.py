"""Every kind of rogue device gets its verdict: the right one or none, in bounded time, with JSON and HTML."""

from __future__ import annotations

import time

import pytest

from ecgseg.link import DeviceClient
from ecgseg.link.numbers import Command
from ecgseg.link.transport import OnWait
from ecgseg.targets.apollo4p import check_identity
from hil import rogue_cli
from hil.rogue_cli import HilTest, Running
from hil.rogue_device import BUILD_ID, RogueDevice
from hil.rogue_rows import DIFFERS, PASSES, REFUSED, Row, changed, rows

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


class Board(Running):
    """A target that looks at who answers before it lets anybody have the port, as a board's does."""

    def connect(self, on_wait: OnWait | None = None) -> DeviceClient:
        client = super().connect(on_wait)
        check_identity(client.info, BUILD_ID, "host")
        return client


@pytest.mark.parametrize(
    ("field", "value", "what", "remedy"),
    [
        ("build_id", "fedcba9876543210", "The board runs another build", "Flash it: `invoke flash`"),
        ("board", "qemu", "The device is a qemu, not a host.", "Name the board's port with --port"),
    ],
)
def test_a_board_with_another_image_is_a_fail_that_says_what_to_do(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, field: str, value: str, what: str, remedy: str
) -> None:
    monkeypatch.setattr(rogue_cli, "Running", Board)
    device = RogueDevice(changed(Command.HELLO, **{field: value}))
    outcome = hil(device)
    assert (outcome.code, outcome.verdict) == DIFFERS
    assert set(device.asked) == {Command.HELLO}
    assert outcome.result is not None
    (difference,) = outcome.result["mismatches"]  # type: ignore[misc]
    assert difference["stage"].startswith(f"HELLO: {field} is {value}, known is ")
    for text in (what, remedy):
        assert text in outcome.text
        assert text.replace("'", "&#39;") in outcome.page


def test_another_model_on_the_device_is_told_on_the_page_with_what_to_flash(hil: HilTest) -> None:
    outcome = hil(RogueDevice(changed(Command.HELLO, model_sha256=bytes(32))))
    for text in ("what it tells of itself is not what this host knows", "HELLO: model_sha256 is", "flash the firmware"):
        assert text in outcome.page
