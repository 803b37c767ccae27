"""Pictures and figures of a recording: what they choose, that they are drawn, and that names in them are data."""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from ecgseg.data.opening import open_recording
from ecgseg.data.recording import Recording
from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.events import Event, EventKind
from ecgseg.report.recording import show_recording
from ecgseg.report.strips import write_strips
from ecgseg.segment.check import Difference
from ecgseg.segment.result import ChannelResult, Done, SegmentResult
from ecgseg.segment.spool import Spool
from ecgseg.segment.strips import Sheet, sheet_of
from support.metronome import beat
from support.recordings import write_recording

RATE = 100
NAME = "$x_{$ [bold]\x1b[2J"


def recording(folder: Path, seconds: int) -> Recording:
    time = np.arange(seconds * RATE) / RATE
    signal = np.exp(-(((time % 1 - 0.5) / 0.02) ** 2)) + 0.5
    signal[: RATE // 2] = np.nan
    return open_recording(write_recording(folder, "day", RATE, signal[:, None], names=("II",)))


def sheet(folder: Path, seconds: int, events: list[Event]) -> Sheet:
    opened = recording(folder, seconds)
    with ExitStack() as kept:
        spool = kept.enter_context(Spool(folder))
        spool.add(b"".join(event.pack() for event in events))
        return sheet_of(opened, Done(opened.channels[0], 1000.0, spool, opened.channels[0].samples), RATE)


def test_a_short_recording_is_shown_as_a_whole(tmp_path: Path) -> None:
    found = sheet(tmp_path, 35, [beat(number) for number in range(35)])
    assert [(strip.start, strip.title, strip.samples.size) for strip in found.strips] == [
        (0, "0:00:00", 1000),
        (10, "0:00:10", 1000),
        (20, "0:00:20", 1000),
        (30, "0:00:30", 500),
    ]
    assert found.rates.size == 0
    assert np.count_nonzero(found.strips[0].samples == LEAD_OFF) == RATE // 2
    assert [event.number for event in found.strips[1].events] == list(range(8, 22))


def test_a_long_one_by_what_one_looks_at_first(tmp_path: Path) -> None:
    events = [beat(number) for number in range(3600)]
    events[100] = beat(100, rate_tenths=1312)
    events[1000] = beat(1000, rr_ms=2310)
    events[2000] = Event(200 * 2000, 2000, 0, EventKind.LEAD_OFF_BEGIN)
    events[2010] = Event(200 * 2012, 2010, 2400, EventKind.LEAD_OFF_END)
    events[3000] = Event(200 * 3000, 3000, 100, EventKind.GAP)
    found = sheet(tmp_path, 3600, events)
    assert [strip.title for strip in found.strips] == [
        "0:00:00  Beginning",
        "0:01:35  Highest heart rate, 131/min",
        "0:16:34  Longest interval, 2.31 s",
        "0:33:17  No contact for 12.0 s",
    ]
    assert found.strips[-1].stretches == [("lead_off", 2000, 2012)]
    assert found.rates.size
    assert np.nanmax(found.rates) > 60


def test_a_recording_without_beats_and_what_shows_the_same_twice(tmp_path: Path) -> None:
    assert [strip.start for strip in sheet(tmp_path, 60, []).strips] == [0]
    events = [beat(number, rate_tenths=700 if number == 57 else 600) for number in range(60)]
    events[58] = beat(58, rr_ms=1200)
    assert [strip.start for strip in sheet(tmp_path, 60, events).strips] == [0, 50]


@pytest.mark.parametrize(("seconds", "scale"), [(60, 1), (1, 0), (1, 30_000)])
def test_every_picture_is_drawn(tmp_path: Path, seconds: int, scale: int) -> None:
    drawn = sheet(tmp_path, seconds, [beat(number) for number in range(seconds)])
    strips = [
        Strip(**{**vars(strip), "samples": np.clip(strip.samples * scale, -32768, 32767).astype(np.int16)})
        for strip in drawn.strips
        for Strip in [type(strip)]
    ]
    hostile = Sheet(NAME, NAME, drawn.seconds, strips, drawn.rates)
    write_strips(hostile, tmp_path / "one.png")
    write_strips(hostile, tmp_path / "two.png")
    content = (tmp_path / "one.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert content == (tmp_path / "two.png").read_bytes()


def channel(**changed: object) -> ChannelResult:
    told = {"channel": 1, "name": NAME, "seconds": 86_400.0, "complete": True, "beats": 123_456, "quality": 91.5}
    told |= {"heart_rate": (31.0, 71.5, 212.9), "p_absent": 0.034, "lone_p": 3}
    told |= {"seconds_of": {"flat": 7.95, "lead_off": 3700.0, "noisy": 99.0, "gap": 0.5, "overrun": 1.0}}
    return ChannelResult.model_validate(told | changed)


def shown(*channels: ChannelResult, checked: bool = False) -> str:
    told = {"recording": "day", "target": "qemu", "model": "m", "model_sha256": "", "rate": 500, "complete": True}
    text = io.StringIO()
    result = SegmentResult.model_validate(told | {"checked": checked, "channels": list(channels)})
    show_recording(result, Console(file=text, width=80))
    return text.getvalue()


def test_figures_fit_a_terminal_of_80_characters() -> None:
    text = shown(channel(), channel(name="", heart_rate=None, p_absent=None, quality=None, beats=0, seconds_of={}))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b[2J" not in text
    for words in ("24:00:00", "123,456", "31-72-213", "3.4 %", "92 %", "off 1:01:40", "noise 99.0 s", "overrun 1.0 s"):
        assert words in text
    assert "equal" not in text


def test_a_difference_is_told_with_its_place() -> None:
    found = Difference(what="event", number=1234, expected="00ff", actual="")
    assert "event 1,234 is not there, expected 00ff." in shown(channel(difference=found), checked=True)
    assert "2,000 bytes compared with Python, every one equal." in shown(
        channel(compared_bytes=1500), channel(compared_bytes=500), checked=True
    )
