"""Every kind of rogue device gets its verdict: the right one or none, in bounded time, with JSON and HTML."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from ecgseg.commands import guard as guard_module
from ecgseg.commands import hil_test
from ecgseg.commands.guard import guard
from ecgseg.data.inputs import Inputs
from ecgseg.hil import runner
from ecgseg.hil.runner import HilOptions
from ecgseg.image.build import Image
from ecgseg.link import DeviceClient
from ecgseg.link.transport import OnWait
from ecgseg.models import ModelFile
from hil.rogue_device import BUILD_ID, MODEL_NAME, RogueDevice, truth
from hil.rogue_rows import PASSES, REFUSED, Row, rows

ROWS = rows()
ROW_SECONDS = 5.0
"""A row takes less than a third of a second; a busy machine gets more."""


@dataclass
class Running:
    """A target that is there already."""

    device: RogueDevice

    def connect(self, on_wait: OnWait | None = None) -> DeviceClient:
        client = DeviceClient(self.device, answer_seconds=0.02, attempts=2, on_wait=on_wait)
        client.hello()
        return client


@dataclass(frozen=True)
class Outcome:
    """Exit code, everything on the terminal, and the two files."""

    code: int
    text: str
    result: dict[str, object] | None
    page: str


Test = Callable[[RogueDevice], Outcome]


@pytest.fixture
def hil(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Test:
    """`invoke hil-test` as it is, but for what would render, build and start something."""
    known = truth()
    path = known.folder / f"{MODEL_NAME}.tflite"
    wide = {"width": 400, "color_system": None}
    monkeypatch.setattr(hil_test, "console", Console(**wide))
    monkeypatch.setattr(hil_test, "messages", Console(stderr=True, **wide))
    monkeypatch.setattr(guard_module, "messages", Console(stderr=True, **wide))
    monkeypatch.setattr(runner, "find_model", lambda *_: ModelFile(MODEL_NAME, path, known.model, False))
    monkeypatch.setattr(runner, "Segmenter", lambda _: known.reference)
    monkeypatch.setattr(runner, "choose_inputs", lambda *_: Inputs("synthetic", (1,), ("ii",), ready=(known.record,)))
    monkeypatch.setattr(runner, "generate", lambda *_: known.folder)
    monkeypatch.setattr(
        runner, "build_image", lambda *_, **__: Image(path, None, path, "host", BUILD_ID, {"flash": 1, "ram": 1})
    )
    page, result = tmp_path / "page.html", tmp_path / "result.json"

    def run(device: RogueDevice) -> Outcome:
        @contextmanager
        def opened(*_: object) -> Iterator[Running]:
            yield Running(device)

        monkeypatch.setattr(runner, "open_target", opened)
        try:
            with guard():
                code = hil_test.perform(HilOptions("host", vectors=tmp_path / "vectors"), html=page, json=result)
        except SystemExit as left:
            code = int(str(left.code))
        said = capsys.readouterr()
        told = json.loads(result.read_text()) if result.exists() else None
        return Outcome(code, said.out + said.err, told, page.read_text() if page.exists() else "")

    return run


def test_the_table_has_at_least_a_hundred_kinds_each_once() -> None:
    assert len(ROWS) >= 100
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_rogue_device_gets_its_verdict_with_json_and_html(hil: Test, row: Row) -> None:
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
