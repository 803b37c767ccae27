"""A session goes on: through another lead, another recording, a target that dies, a disk that is full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import wfdb

from ecgseg.errors import DataError, TargetError
from ecgseg.monitor.noise import ELECTRODE_OFF
from ecgseg.monitor.session import Session, Wanted
from ecgseg.monitor.sources import Source
from ecgseg.monitor.state import Phase
from ecgseg.monitor.wishes import Wish
from ecgseg.pipeline import LEAD_OFF
from ecgseg.pipeline.events import EventKind
from support.monitor_double import BenchDouble, Clock, ramp

Act = Callable[[Session], None]


def played(
    folder: Path,
    seconds: float,
    *acts: tuple[float, Act],
    bench: BenchDouble | None = None,
    sources: list[Source] | None = None,
) -> tuple[Session, BenchDouble]:
    """A session of so many seconds in which something is done at some of them."""
    bench = bench or BenchDouble()
    session = Session(bench, sources or [ramp()], Wanted(1.0, "none", folder, seconds), clock=Clock(), nap=0)
    left = list(acts)

    def on_step() -> None:
        if left and session.state.phase == Phase.RUNNING and session.tape.head >= left[0][0] * session.tape.take.rate:
            left.pop(0)[1](session)

    session.run(on_step)
    assert not left
    return session, bench


def wish(what: str, value: int | str | bool) -> Act:
    return lambda session: session.wishes.put(Wish(what, value))


def beats(session: Session) -> list[int]:
    return [told.event.tick for told in session.tape.events(0)[1] if told.event.kind == EventKind.BEAT]


def test_samples_classes_beats_and_figures_of_a_stream(tmp_path: Path) -> None:
    session, bench = played(tmp_path, 6)
    assert session.state.phase == Phase.ENDED
    assert session.state.channels == ("i", "ii", "v1")
    assert session.state.lead == 1
    assert session.tape.head == 600
    assert session.tape.samples(598, 9).values.tolist() == [[598, 1598, 2598], [599, 1599, 2599]]
    assert session.tape.classes(0, 999).values.tolist() == [2] * 600
    assert beats(session) == [100, 300, 500, 700, 900]
    figures = session.state.figures
    assert (figures.heart_rate, figures.pr_ms, figures.signal, figures.formula) == (60.0, 110, "good", "Fridericia")
    assert figures.latency_s == pytest.approx(1.0, abs=0.05)
    assert figures.load is not None
    assert figures.load.a_second == pytest.approx(1000)
    assert np.concatenate(bench.streams[0].got).tolist() == [n % 1000 + 1000 for n in range(600)]


def test_a_recording_begins_again_at_its_end(tmp_path: Path) -> None:
    session, _ = played(tmp_path, 5, sources=[ramp(seconds=2)])
    assert session.tape.samples(0, 999).values[:, 0].tolist() == [n % 200 for n in range(500)]
    assert session.state.length == 200


def test_a_target_that_dies_is_started_again_and_nothing_is_lost_or_told_twice(tmp_path: Path) -> None:
    def kill(session: Session) -> None:
        bench.is_dead = True

    bench = BenchDouble()
    phases: list[Phase] = []
    session, _ = played(
        tmp_path, 20, (12.3, kill), (12.4, lambda session: phases.append(session.state.phase)), bench=bench
    )
    assert bench.starts == [100, 100]
    assert session.state.starts == 2
    assert session.state.trouble is None
    assert session.tape.samples(0, 9999).values[:, 1].tolist() == [n % 1000 + 1000 for n in range(2000)]
    assert beats(session) == list(range(100, 3900, 200))
    # It goes on at 2 s, ten seconds before, so that beats confirm each other.
    assert bench.streams[1].got[0].tolist()[0] == 1200
    assert session.tape.classes(0, 9999).values.size == 2000


def test_a_target_that_cannot_be_started_again_is_tried_until_it_can(tmp_path: Path) -> None:
    troubles: list[str] = []

    def kill(session: Session) -> None:
        bench.is_dead, bench.refuses = True, 3

    bench = BenchDouble()
    session = Session(bench, [ramp()], Wanted(1.0, "none", tmp_path, 8), clock=(clock := Clock()), nap=0)
    lost_at: list[float] = []

    def on_step() -> None:
        if session.tape.head == 400 and not lost_at:
            kill(session)
            lost_at.append(clock.now)
        if session.state.phase == Phase.LOST and session.state.trouble:
            troubles.append(session.state.trouble.what)

    session.run(on_step)
    assert bench.starts == [100] * 5
    assert {"The device does not answer.", "The target cannot be started."} == set(troubles)
    assert clock.now - lost_at[0] > 1 + 2 + 4 + 8
    assert session.state.figures.heart_rate == 60


def test_one_that_does_not_start_at_all_is_an_error(tmp_path: Path) -> None:
    bench = BenchDouble()
    bench.refuses = 1
    with pytest.raises(TargetError, match="cannot be started"):
        played(tmp_path, 5, bench=bench)


def test_another_lead_is_looked_at_from_some_seconds_before_on(tmp_path: Path) -> None:
    session, bench = played(tmp_path, 20, (14, wish("lead", 2)))
    assert session.state.lead == 2
    assert bench.starts == [100]
    assert bench.streams[1].got[0][0] == 2400
    assert session.tape.classes(0, 9999).first == 400
    assert beats(session)[0] == 900
    assert session.tape.samples(0, 9999).first == 0


def test_another_recording_has_its_own_rate_and_target(tmp_path: Path) -> None:
    session, bench = played(tmp_path, 4, (2, wish("record", 1)), sources=[ramp(), ramp(250, label="Another")])
    assert bench.starts == [100, 250]
    assert session.state.source == 1
    assert session.tape.take.rate == 250
    assert session.tape.take.number == 2


def test_a_recording_that_cannot_be_read_leaves_the_one_that_runs(tmp_path: Path) -> None:
    def broken() -> NoReturn:
        raise DataError("There is no recording 'x'.", "It is gone.", "Name another one.")

    session, bench = played(tmp_path, 4, (2, wish("record", 1)), sources=[ramp(), Source("Broken", broken)])
    assert session.state.source == 0
    assert session.state.trouble is not None
    assert session.state.trouble.what == "There is no recording 'x'."
    assert session.tape.head == 400
    assert len(bench.streams) == 1


@pytest.mark.parametrize(("what", "value"), [("record", 99), ("lead", 99), ("lead", 1)])
def test_wishes_for_what_is_not_there_change_nothing(tmp_path: Path, what: str, value: int) -> None:
    session, bench = played(tmp_path, 3, (1, wish(what, value)))
    assert (session.state.source, session.state.lead, len(bench.streams)) == (0, 1, 1)


def test_an_electrode_comes_off_the_lead_alone(tmp_path: Path) -> None:
    session, _ = played(tmp_path, 3, (2, wish("noise", ELECTRODE_OFF)))
    last = session.tape.samples(299, 1).values[0].tolist()
    assert last == [299, LEAD_OFF, 2299]


def test_figures_are_not_shown_when_no_beat_comes_any_more(tmp_path: Path) -> None:
    def silence(session: Session) -> None:
        bench.streams[0]._beats = 10_000

    bench = BenchDouble()
    session, _ = played(tmp_path, 12, (4, silence), bench=bench)
    assert session.state.figures.heart_rate is None
    assert session.state.figures.signal == "looks for beats"


def test_what_is_shown_is_written_as_a_recording_with_its_annotations(tmp_path: Path) -> None:
    session, _ = played(tmp_path, 20, (2.5, wish("write", True)), (10, wish("write", False)))
    base = session.state.written
    assert base
    assert session.state.writing == ""
    record = wfdb.rdrecord(base, physical=False)
    assert record.sig_name == ["i", "ii", "v1"]
    assert record.fs == 100
    # From the whole second before.
    assert record.d_signal[0].tolist() == [200, 1200, 2200]
    assert record.sig_len == pytest.approx(800, abs=10)
    marks = wfdb.rdann(base, "ecgseg")
    peaks = [int(sample) for sample, symbol in zip(marks.sample, marks.symbol, strict=True) if symbol == "N"]
    assert peaks == [50, 150, 250, 350, 450, 550, 650, 750]
    assert {int(channel) for channel in marks.chan} == {1}
    assert len(Path(f"{base}.events.csv").read_text().splitlines()) == 9


def test_the_end_of_a_session_ends_what_is_written(tmp_path: Path) -> None:
    session, _ = played(tmp_path, 5, (2, wish("write", True)))
    assert wfdb.rdrecord(session.state.written).sig_len == 300
    assert not list(tmp_path.glob(".*"))


def test_a_recording_that_ends_as_it_begins_is_not_told_as_recorded(tmp_path: Path) -> None:
    def begin_and_leave(session: Session) -> None:
        wish("write", True)(session)
        wish("record", 0)(session)

    session, _ = played(tmp_path, 5, (2.0, begin_and_leave))
    assert session.state.written == ""
    assert session.recordings == []
    assert not list(tmp_path.iterdir())


def test_two_recordings_of_one_second_have_two_names(tmp_path: Path) -> None:
    acts = [
        (2.0, wish("write", True)),
        (3.0, wish("write", False)),
        (3.5, wish("write", True)),
        (4.0, wish("write", False)),
    ]
    played(tmp_path, 9, *acts)
    assert len(list(tmp_path.glob("*.hea"))) == len(list(tmp_path.glob("*.dat"))) == 2


def test_a_place_that_cannot_be_written_to_is_told_and_the_session_goes_on(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    session, _ = played(blocked / "out", 5, (2, wish("write", True)))
    assert session.state.trouble is not None
    assert "could not be written" in session.state.trouble.what
    assert session.tape.head == 500
