"""Scores, pictures, pages, kept frames and a terminal never run before, stop, or change a verdict."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from ecgseg.hil import judge, result
from ecgseg.link.numbers import Command, ReadKind
from ecgseg.report import html, terminal
from hil.rogue_cli import HilTest
from hil.rogue_device import RogueDevice, flipped
from hil.rogue_rows import DIFFERS, PASSES, changed, read, silent


def right() -> RogueDevice:
    return RogueDevice()


def wrong() -> RogueDevice:
    return RogueDevice(read(ReadKind.SCORES, lambda data: flipped(data, 17)))


DEVICES = pytest.mark.parametrize(("device", "ends"), [(right, PASSES), (wrong, DIFFERS)], ids=["right", "wrong"])
Device = Callable[[], RogueDevice]
Ends = tuple[int, str]


def fail(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError("no such thing")


@DEVICES
@pytest.mark.parametrize(
    ("owner", "name"),
    [(judge, "Prediction"), (judge, "join"), (judge.ScoreCollector, "add"), (result.Segmentation, "of")],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_scoring_that_raises_does_not_change_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, device: Device, ends: Ends, owner: object, name: str
) -> None:
    monkeypatch.setattr(owner, name, fail)
    outcome = hil(device())
    assert (outcome.code, outcome.verdict) == ends
    assert outcome.result is not None
    assert "ZeroDivisionError: no such thing" in str(outcome.result["not_scored"])
    assert "Not scored" in outcome.page


@DEVICES
def test_a_picture_that_raises_leaves_the_page_without_it_and_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, device: Device, ends: Ends
) -> None:
    monkeypatch.setattr(html, "lead_figure", fail)
    outcome = hil(device())
    assert (outcome.code, outcome.verdict) == ends
    assert "ZeroDivisionError: no such thing" in outcome.page


@DEVICES
def test_a_page_that_raises_is_told_and_does_not_change_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, device: Device, ends: Ends
) -> None:
    monkeypatch.setattr(html, "render_page", fail)
    outcome = hil(device())
    assert outcome.verdict == ends[1]
    # A right device passes, but not everything that was asked for is there.
    assert outcome.code == (9 if ends == PASSES else 1)
    assert f"'{hil.html}' could not be made." in outcome.text
    assert outcome.page == ""
    assert ends[1].upper() in outcome.text


@DEVICES
def test_a_summary_that_raises_is_told_and_does_not_change_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, device: Device, ends: Ends
) -> None:
    monkeypatch.setattr(terminal, "summary_rows", fail)
    outcome = hil(device())
    assert outcome.verdict == ends[1]
    assert outcome.code == (9 if ends == PASSES else 1)
    assert f"{ends[1].upper()}: 2 of 2 frames" in outcome.text
    assert "The summary could not be made." in outcome.text
    assert outcome.page != ""


def test_json_is_written_before_anything_that_can_fail(hil: HilTest, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def look(name: str) -> Callable[..., NoReturn]:
        def raising(*_: object, **__: object) -> NoReturn:
            seen.append(f"{name}: {json.loads(hil.json.read_text())['verdict']}")
            fail()

        return raising

    monkeypatch.setattr(html, "render_report", look("page"))
    monkeypatch.setattr(terminal, "Table", look("summary"))
    outcome = hil(wrong())
    assert (outcome.code, outcome.verdict) == DIFFERS
    assert seen == ["page: fail", "summary: fail"]


def test_a_json_that_cannot_be_written_takes_neither_page_nor_exit_code(hil: HilTest) -> None:
    hil.json.mkdir()
    hil.json.joinpath("full").touch()
    outcome = hil(wrong())
    assert outcome.code == 1
    assert "The device differs" in outcome.page
    assert f"{hil.json}" in outcome.text


@pytest.mark.parametrize("kind", ["file", "below a file", "no folder of that name can be made"])
def test_a_vectors_folder_that_cannot_be_written_does_not_change_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = {"file": hil.folder / "f", "below a file": hil.folder / "f" / "v"}.get(kind, Path("/proc/none/vectors"))
    (hil.folder / "f").write_text("in the way")
    monkeypatch.setattr(HilTest, "vectors", place)
    outcome = hil(wrong())
    assert (outcome.code, outcome.verdict) == DIFFERS
    assert outcome.result is not None
    first = outcome.result["mismatches"][0]  # type: ignore[index]
    assert (first["stage"], first["vector"], first["replay"]) == ("model (every layer alone is equal)", None, None)
    assert str(place) in str(outcome.result["notes"])
    assert hil(right()).code == 0


def test_layers_that_cannot_be_looked_at_do_not_change_the_verdict(
    hil: HilTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "first_differing_layer", fail)
    outcome = hil(wrong())
    assert (outcome.code, outcome.verdict) == DIFFERS
    assert "its layers cannot be looked at: no such thing" in outcome.text


def test_a_wrong_hello_and_silence_after_it_are_a_fail(hil: HilTest) -> None:
    def hook(device: RogueDevice, answer: object) -> object:
        return silent(Command.PUSH)(device, changed(Command.HELLO, macs=1)(device, answer))  # type: ignore[arg-type]

    outcome = hil(RogueDevice(hook))  # type: ignore[arg-type]
    assert (outcome.code, outcome.verdict) == DIFFERS
    assert "HELLO: macs is 1" in outcome.text
