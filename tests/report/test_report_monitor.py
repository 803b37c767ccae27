"""The live page and its view for a terminal: whole, offline, in 80 columns, and harmless whatever things are called."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ecgseg.monitor.session import Session, Wanted
from ecgseg.monitor.sources import Source
from ecgseg.monitor.state import Figures, Load, Phase
from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.report.monitor import render_monitor
from ecgseg.report.monitor_terminal import Screen, event_line, load_text, showing, sweep_dots
from support import monitor_double
from support.monitor_double import BenchDouble, Clock, Ramp, beat
from support.pages import check_page


def test_the_page_is_whole_and_needs_no_network() -> None:
    page = check_page(render_monitor(), scripts=1)
    ids = {attributes["id"] for _, attributes, _ in page.elements if "id" in attributes}
    asked = set(re.findall(r'byId\("([\w-]+)"\)|set\("(\w+)"', render_monitor()))
    assert {name for pair in asked for name in pair if name} <= ids


def test_no_script_of_the_page_takes_words_for_markup() -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", render_monitor()
    )


def played(
    folder: Path,
    width: int,
    *,
    terminal: bool,
    label: str = "A ramp",
    names: tuple[str, ...] = ("i", "ii"),
    length: int = 60,
) -> str:
    """What a session of 8 s prints, of a recording of so many seconds."""
    source = Source(label, lambda: Ramp(seconds=length, names=names))
    session = Session(BenchDouble(), [source], Wanted(1.0, "none", folder, 8), clock=Clock(), nap=0)
    text = io.StringIO()
    console = Console(file=text, width=width, height=24, force_terminal=terminal, color_system=None)
    with showing(session, console, Clock(0.02)) as on_step:
        session.run(on_step)
    return text.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_shows_sweep_letters_and_figures_within_its_width(tmp_path: Path, width: int) -> None:
    shown = played(tmp_path, width, terminal=True)
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown))
    assert max(map(len, lines)) <= width
    assert any("\u2800" < character <= "\u28ff" for character in shown)
    assert any(set(line.strip()) == {"Q"} for line in lines)
    if width >= 80:
        assert any(re.match(r"60 +110 +80 +390 +390 +90 %", line) for line in lines)
        first = max(index for index, line in enumerate(lines) if line.startswith("A ramp"))
        assert len(lines) - first <= 24


def test_a_pipe_gets_a_line_for_each_beat(tmp_path: Path) -> None:
    lines = played(tmp_path, 80, terminal=False).splitlines()
    assert len(lines) == 7
    assert lines[0] == "     0.500 s  beat   60.0/min  PR 110  QRS  80  QT 390  QTc 390  quality 90 %"


def test_a_pipe_is_told_where_the_recording_begins_again_in_front_of_what_is_behind(tmp_path: Path) -> None:
    lines = played(tmp_path, 80, terminal=False, length=3).splitlines()
    told = [line.split()[:4] for line in lines]
    assert told[2:5] == [
        ["2.500", "s", "beat", "60.0/min"],
        ["3.000", "s", "the", "recording"],
        ["3.500", "s", "beat", "–"],
    ]
    assert [line for line in lines if "begins again" in line] == [
        "     3.000 s  the recording begins again",
        "     6.000 s  the recording begins again",
    ]


def test_a_recording_without_beats_is_told_to_begin_again_when_none_can_come_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor_double, "TOLD_AFTER_S", 100)
    lines = played(tmp_path, 80, terminal=False, length=2).splitlines()
    assert [line.split()[0] for line in lines] == ["2.000", "4.000"]


@pytest.mark.parametrize("width", [40, 80])
def test_a_terminal_marks_where_the_recording_begins_again(width: int, tmp_path: Path) -> None:
    shown = played(tmp_path, width, terminal=True, length=7)
    last = shown[shown.rindex("A ramp") :].splitlines()
    (words,) = (line for line in last if "begins again" in line)
    # The newest second is written over the oldest from the left on, 13 columns a second.
    assert words[7 * 13 % (width - 2) :].startswith("┊begins again")
    assert sum("┊" in line for line in last) == 11


def test_the_messages_say_at_once_what_is_done_and_what_is_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played(tmp_path, 80, terminal=False)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "A ramp, ii: starts the target",
        "A ramp, ii: running",
        "Looks for beats: the first few are told together, once they confirm each other.",
    ]
    assert max(map(len, told)) <= 80


def test_names_command_no_terminal(tmp_path: Path) -> None:
    shown = played(tmp_path, 80, terminal=True, label="\x1b[2Jx[bold]\n\u202e", names=("\x1b]0;title\x07", "[red]"))
    assert "\x1b[2J" not in shown
    assert "\x1b]0;" not in shown
    assert "\u202e" not in shown
    assert "[bold]" in shown


def test_dots_of_a_column_reach_from_its_lowest_to_its_highest_sample() -> None:
    values = np.array([-1000, 1000, LEAD_OFF, 0], np.int32)
    dots = sweep_dots(values, np.array([0, 0, 1, 2]), 3)
    assert dots[:, 0].all()
    assert not dots[:, 1].any()
    assert dots[:, 2].sum() == 1
    assert not sweep_dots(values[2:3], np.array([0]), 3).any()


def test_figures_that_are_not_known_are_dashes() -> None:
    assert load_text(None) == "–"
    assert load_text(Load(0.0, "microseconds", 0.0012, "measured")) == "0.12 %"
    assert load_text(Load(744_924.0, "instructions", None, "counted")) == "745 K instr/s"
    assert Figures().heart_rate is None


def test_events_in_words() -> None:
    assert event_line(Event(200, 0, 0, EventKind.LEAD_OFF_BEGIN)) == "     1.000 s  lead off begins"
    assert event_line(Event(200, 0, 0, EventKind.GAP)) == "     1.000 s  gap"
    assert event_line(Event(200, 0, 0, EventKind.LONE_P)) == ""
    assert event_line(Event(200, 0, 0, 99)) == ""
    assert "PR   –" in event_line(Event(200, 0, 0, EventKind.BEAT, qrs_ms=80))
    assert event_line(beat(100)).startswith("     0.500 s  beat")


def test_a_target_that_is_lost_is_told_with_what_to_do(tmp_path: Path) -> None:
    bench = BenchDouble()
    session = Session(bench, [Source("A ramp", Ramp)], Wanted(1.0, "none", tmp_path, 5), clock=Clock(), nap=0)
    text = io.StringIO()
    console = Console(file=text, width=80)
    shown: list[str] = []
    told: list[object] = []

    def on_step() -> None:
        if session.tape.head == 200:
            bench.is_dead, bench.refuses = True, 1
        if session.state.phase == Phase.LOST and session.state.trouble not in told:
            told.append(session.state.trouble)
            console.print(Screen(session, 80).drawn())
            shown.append(text.getvalue())

    session.run(on_step)
    assert "A ramp, ii: the target is gone; it is started again" in shown[-1]
    assert "The target cannot be started. Try again." in shown[-1]
