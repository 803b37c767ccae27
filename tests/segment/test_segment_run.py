"""A recording through a device: what is found, kept and written, also when it stops on the way."""

from __future__ import annotations

import csv
import signal
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path

import numpy as np
import pytest
import wfdb

from ecgseg.data.choice import choose_channels
from ecgseg.data.opening import open_recording
from ecgseg.data.recording import Recording
from ecgseg.errors import LinkError, ModelError, OutputError
from ecgseg.interruption import Stopped
from ecgseg.link.stream import Results
from ecgseg.models import find_model
from ecgseg.pipeline.events import EVENT_BYTES, Event, EventKind
from ecgseg.segment import runner
from ecgseg.segment.files import picture_names, result_files, write_results
from ecgseg.segment.result import ChannelResult, Segmented, channel_result
from ecgseg.segment.runner import SegmentOptions, require_stream
from ecgseg.segment.sending import Samples, Step
from ecgseg.segment.spool import Spool
from support.metronome import beat, metronome
from support.recordings import write_recording

SECONDS = 150


@pytest.fixture
def kept() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def recorded(folder: Path, rate: int = 500, seconds: int = SECONDS) -> Recording:
    signals = np.zeros((seconds * rate, 3))
    signals[::rate] = 1
    return open_recording(write_recording(folder, "day", rate, signals))


def sent(
    recording: Recording, out: Path, kept: ExitStack, channel: str = "all", steps: list[Step] | None = None
) -> Segmented:
    options = SegmentOptions("host", find_model("seg-4-tcn-sm"), out)
    told = [] if steps is None else steps
    return runner.run(recording, choose_channels(recording, channel), options, kept, told.append)


@pytest.mark.parametrize("rate", [100, 200, 500, 1000])
def test_annotations_and_tables_of_all_channels(
    rate: int, tmp_path: Path, kept: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "opened", metronome(rate))
    found = sent(recorded(tmp_path, rate), tmp_path / "new" / "out", kept)
    files = result_files(tmp_path / "new" / "out", "day")
    write_results(files, found.done, rate)
    assert found.error is None
    read = wfdb.rdann(str(files["annotations"].with_suffix("")), "ecgseg")
    assert read.fs == rate
    assert np.all(np.diff(read.sample) >= 0)
    for channel in range(3):
        mine = read.chan == channel
        assert "".join(np.array(read.symbol)[mine][:27]) == "(p)(N)(t)" * 3
        peaks = read.sample[mine & (np.array(read.symbol) == "N")]
        assert peaks.tolist() == [rate * second + rate // 2 for second in range(SECONDS)]
    rows = list(csv.DictReader(files["beats"].open()))
    assert [row["channel"] for row in rows] == ["I"] * SECONDS + ["II"] * SECONDS + ["V1"] * SECONDS
    assert [float(row["r_s"]) for row in rows[:SECONDS]] == [second + 0.5 for second in range(SECONDS)]
    assert [row["what"] for row in csv.DictReader(files["signal"].open())] == ["complete"] * 3
    assert {path.name for path in files["beats"].parent.iterdir()} == {path.name for path in files.values()}


def test_figures_of_a_channel(tmp_path: Path, kept: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def event(number: int) -> Event:
        if number == 100:
            return Event(20_000, number, 0, EventKind.LEAD_OFF_BEGIN)
        if number == 101:
            return Event(20_300, number, 300, EventKind.LEAD_OFF_END)
        return beat(number, rate_tenths=500 + 10 * number)

    monkeypatch.setattr(runner, "opened", metronome(500, event=event))
    (done,) = sent(recorded(tmp_path), tmp_path, kept, "II").done
    assert channel_result(done) == ChannelResult(
        channel=1,
        name="II",
        seconds=SECONDS,
        complete=True,
        beats=SECONDS - 2,
        heart_rate=(50.0, 123.0, 199.0),
        p_absent=37 / 148,
        quality=90.0,
        seconds_of={"lead_off": 1.5},
        lone_p=0,
    )


def test_progress_is_told_in_seconds_of_signal(
    tmp_path: Path, kept: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "opened", metronome(500))
    steps: list[Step] = []
    sent(recorded(tmp_path), tmp_path, kept, "0,2", steps)
    assert {step.channel.name for step in steps if step.done == step.total} == {"I", "V1"}
    assert max(np.diff([step.done for step in steps if step.index == 1])) <= 4
    assert (steps[0].done, steps[-1].done, steps[-1].total) == (0, SECONDS, SECONDS)


def test_progress_is_told_also_where_nothing_is_found(
    tmp_path: Path, kept: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(parts: Iterator[Samples]) -> Iterator[Results]:
        assert sum(part.size for part in parts) == SECONDS * 500
        yield from ()

    monkeypatch.setattr(runner, "opened", lambda *_: nullcontext(silent))
    steps: list[Step] = []
    sent(recorded(tmp_path), tmp_path, kept, "I", steps)
    assert len(steps) > SECONDS // 4


@pytest.mark.parametrize("error", [Stopped(signal.SIGINT), LinkError("The device is gone.")])
def test_what_was_found_until_it_stopped_is_kept(
    error: BaseException, tmp_path: Path, kept: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until(samples: int) -> None:
        if samples > 75 * 500:
            raise error

    monkeypatch.setattr(runner, "opened", metronome(500, on_samples=until))
    found = sent(recorded(tmp_path), tmp_path, kept, "I,II")
    assert found.error is error
    (done,) = found.done
    assert (done.told.seconds, done.told.complete) == (74, False)
    files = result_files(tmp_path, "day")
    write_results(files, found.done, 500)
    assert len(list(csv.DictReader(files["beats"].open()))) == 74
    (row,) = csv.DictReader(files["signal"].open())
    assert tuple(row.values()) == ("I", "stopped", "0.000", "74.000", "74.000")


def test_what_fails_before_the_first_sample_is_raised(
    tmp_path: Path, kept: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(samples: int) -> None:
        raise LinkError("The device is gone.")

    monkeypatch.setattr(runner, "opened", metronome(500, on_samples=at_once))
    with pytest.raises(LinkError):
        sent(recorded(tmp_path), tmp_path, kept)


def test_events_on_disk_are_read_by_several_at_once_and_leave_nothing(tmp_path: Path) -> None:
    events = [beat(number) for number in range(5000)]
    with Spool(tmp_path / "new") as spool:
        for first in range(0, 5000, 7):
            spool.add(b"".join(event.pack() for event in events[first : first + 7]))
        assert [(one, other) for one, other in zip(spool, spool, strict=True)] == [(event, event) for event in events]
        assert list((tmp_path / "new").iterdir()) == []
    assert len(events[0].pack()) == EVENT_BYTES


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"):
        Spool(tmp_path / "file")


def test_every_picture_has_a_name_of_its_own(tmp_path: Path, kept: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "opened", metronome(500))
    base = write_recording(tmp_path, "7", 500, np.zeros((1000, 3)), names=("a/b", "a b", "../II"))
    found = sent(open_recording(base), tmp_path, kept)
    assert picture_names("7", found.done) == ["7.a_b.png", "7.a_b-1.png", "7._II.png"]


@pytest.mark.parametrize("name", ["seg-4-tcn-sm", "seg-2-tcn-sm"])
def test_a_model_of_frames_is_refused_with_what_to_choose(name: str) -> None:
    with pytest.raises(ModelError, match="finds no beats") as caught:
        require_stream(find_model(name))
    assert "stream-" in caught.value.remedy
