"""The report: one file that needs no network, says the verdict in words, and draws what was compared."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from ecgseg.errors import OutputError
from ecgseg.hil.result import HilRun, Memory, ShownLead
from ecgseg.output import write_text
from ecgseg.pipeline import LEAD_OFF, runs
from ecgseg.report.html import render_report
from ecgseg.report.picture import write_picture
from ecgseg.report.svg import lead_figure
from ecgseg.report.terminal import show_result
from support.pages import check_page, text_of
from support.report_pages import MISMATCH, lead, result


def test_the_report_is_one_well_formed_file_without_network() -> None:
    html = render_report(HilRun(result(), [lead(), lead(differing=True)]))
    check_page(html, scripts=2)
    assert not re.search("https?:", html)


def test_the_report_can_be_read_without_colours_and_without_sight() -> None:
    html = render_report(HilRun(result(), [lead()]))
    assert "prefers-color-scheme: dark" in html
    assert len(re.findall(r'<svg [^>]*role="img" aria-label="Record 1, lead II', html)) == 1
    assert "P</text>" in html
    assert "T</text>" in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ["Every byte equal", "byte for byte", "LUDB 1.0.1"]),
        (
            {"verdict": "fail", "mismatched_bytes": 9, "differing_frames": 1, "mismatches": [MISMATCH]},
            ["The device differs", "9 of 6,200 bytes in 1 frame are", "layer 2 CONV_2D", "0x7f", "--replay"],
        ),
        ({"verdict": "incomplete", "error": "The port is gone."}, ["Incomplete", "The port is gone."]),
        ({"source": "synthetic"}, ["Synthetic ECG", "not of patients"]),
        ({"source": "random", "segmentation": None}, ["Random int8 inputs", "inferences"]),
    ],
)
def test_report_and_terminal_say_the_verdict_and_where_the_ecg_came_from(
    changes: dict[str, object], words: list[str]
) -> None:
    run = HilRun(result(**changes), [lead()])
    text = text_of(render_report(run))
    assert all(word in text for word in words)
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    show_result(run.result, console)
    shown = console.export_text()
    assert run.result.verdict.upper() in shown
    assert f"{run.result.compared_bytes:,} compared" in shown
    if run.result.mismatches:
        assert MISMATCH.replay is not None
        assert MISMATCH.replay in shown
        assert "layer 2 CONV_2D" in shown


def shown(run: HilRun) -> str:
    """What the terminal says of a test."""
    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    show_result(run.result, console)
    return console.export_text()


def test_an_incomplete_test_says_how_much_of_the_whole_it_compared() -> None:
    told = {"frames": 20, "expected_frames": 20, "planned_frames": 160, "planned_records": 40}
    run = HilRun(result(verdict="incomplete", error="Interrupted.", records=[1, 2, 3, 4, 5], **told), [])
    for text in (shown(run), text_of(render_report(run))):
        assert "20 of 160 frames, 5 of 40 records" in " ".join(text.split())


def test_a_stack_that_nobody_measured_is_told_as_such() -> None:
    memory = {"arena_bytes": 4528, "flash_bytes": 27584, "ram_bytes": 32680}
    for size, words in ((0, "stack not measured"), (556, "stack 556 B")):
        run = HilRun(result(memory=Memory(stack_bytes=size, **memory)), [])
        assert words in shown(run)
        assert words in " ".join(text_of(render_report(run)).split())


def test_what_comes_from_data_is_escaped() -> None:
    html = render_report(HilRun(result(model="<b>x</b>"), [lead()]))
    assert "<script>" not in html
    assert "<b>x</b>" not in html


def test_the_figure_draws_every_wave_of_every_mask_where_it_is() -> None:
    shown = lead()
    figure = ElementTree.fromstring(lead_figure(shown))
    waves = [item for item in figure.iter("rect") if (item.get("class") or "").startswith("wave ")]
    for name, mask in (("Python", shown.reference), ("Device", shown.device)):
        titles = [title.text for item in waves for title in item.iter("title") if (title.text or "").startswith(name)]
        assert titles == [
            f"{name}: {('', 'PWAVE', 'QRS', 'TWAVE')[run.label]} {max(10 * run.onset - 5, 0)} to "
            f"{10 * run.offset + 5} ms"
            for run in runs(mask)
        ]
    assert not [item for item in figure.iter("rect") if item.get("class") == "differs"]


def test_the_figure_marks_where_the_device_differs() -> None:
    figure = ElementTree.fromstring(lead_figure(lead(differing=True)))
    marks = [item for item in figure.iter("rect") if item.get("class") == "differs"]
    assert len(marks) == 1
    scale = (1120 - 92 - 16) / 1000
    assert float(marks[0].get("x", "")) == pytest.approx(92 + 411.5 * scale - 1, abs=0.1)
    assert float(marks[0].get("width", "")) == pytest.approx(9 * scale + 2, abs=0.1)


def test_a_lead_without_contact_or_annotation_is_drawn_all_the_same() -> None:
    shown = lead()
    samples = np.where(shown.record.samples == LEAD_OFF, 0, shown.record.samples).astype(np.int16)
    samples[1000:2000] = LEAD_OFF
    gap = replace(shown, record=replace(shown.record, samples=samples, waves=()))
    path = next(ElementTree.fromstring(lead_figure(gap)).iter("path")).get("d", "")
    assert path.count("M") == 2
    nothing = replace(shown, record=replace(shown.record, samples=np.full(5000, LEAD_OFF, dtype=np.int16)))
    assert "NaN" not in lead_figure(nothing)


def test_the_picture_is_a_png_and_the_same_every_time(tmp_path: Path) -> None:
    for name in ("first.png", "second.png"):
        write_picture(lead(), result(), tmp_path / name)
    first = (tmp_path / "first.png").read_bytes()
    assert first.startswith(b"\x89PNG\r\n")
    assert first == (tmp_path / "second.png").read_bytes()


def test_a_report_that_cannot_be_written_says_so() -> None:
    with pytest.raises(OutputError, match="/dev/full"):
        write_text(Path("/dev/full"), render_report(HilRun(result(), [])))


def lasting(seconds: float, value: int = 100) -> ShownLead:
    """A lead of a flat line over so many seconds."""
    shown = lead()
    samples = np.full(int(500 * seconds), value, np.int16)
    mask = np.zeros(int(100 * seconds), np.uint8)
    return ShownLead(replace(shown.record, samples=samples, waves=()), mask, mask, [], 1, True)


@pytest.mark.parametrize("seconds", [2.5, 10, 30, 75, 300])
def test_labels_of_the_time_axis_lie_beside_each_other_whatever_a_record_lasts(seconds: float) -> None:
    figure = ElementTree.fromstring(lead_figure(lasting(seconds)))
    labels = [text for text in figure.iter("text") if text.get("class") == "tick" and (text.text or "").endswith(" s")]
    places = [(float(text.get("x", "")), 7.0 * len(text.text or "")) for text in labels]
    assert 2 <= len(places) <= 20
    assert all(right - left >= (width + next_width) / 2 for (left, width), (right, next_width) in pairwise(places))
    assert len(list(figure.iter("line"))) < 150


@pytest.mark.parametrize("shown", [lasting(0.5), lasting(300), lasting(10, LEAD_OFF)], ids=["short", "long", "no lead"])
def test_a_picture_is_drawn_of_any_record(tmp_path: Path, shown: ShownLead) -> None:
    write_picture(shown, result(), tmp_path / "lead.png")
    assert (tmp_path / "lead.png").stat().st_size > 1000


def test_a_long_trace_is_drawn_by_the_lowest_and_highest_sample_of_each_pixel() -> None:
    shown = lasting(300)
    samples = shown.record.samples.copy()
    samples[::7501] = 900  # Spikes of one sample, at odd places too.
    samples[40_000:60_000] = LEAD_OFF
    drawn = replace(shown, record=replace(shown.record, samples=samples))
    path = next(ElementTree.fromstring(lead_figure(drawn)).iter("path")).get("d", "")
    heights = re.findall(r"[ML][\d.]+ ([\d.]+)", path)
    assert path.count("M") == 2
    assert len(heights) <= 2 * 1012
    visible = int(np.count_nonzero(samples == 900))
    assert heights.count(min(heights, key=float)) == visible == 18


def test_a_short_trace_is_drawn_sample_by_sample_at_250_hz() -> None:
    path = next(ElementTree.fromstring(lead_figure(lasting(10))).iter("path")).get("d", "")
    assert path.count("M") + path.count("L") == 2500


@pytest.mark.parametrize("broken", ["package", "figure"])
def test_a_picture_that_cannot_be_drawn_is_one_error(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_font(*_: object, **__: object) -> None:
        raise RuntimeError("no font")

    if broken == "package":
        monkeypatch.setitem(sys.modules, "matplotlib", None)
    else:
        monkeypatch.setattr("matplotlib.pyplot.subplots", no_font)
    with pytest.raises(OutputError, match=r"lead.png' could not be drawn") as caught:
        write_picture(lead(), result(), tmp_path / "lead.png")
    assert caught.value.why
    assert "make setup" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []
