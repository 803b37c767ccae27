"""A recording that begins again: no interval and no rate is over the place where its ends meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ecgseg.monitor.joints import Joints, joints
from ecgseg.monitor.session import Session, Wanted
from ecgseg.monitor.wishes import Wish
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from support.monitor_double import BenchDouble, Clock, beat, ramp

RATE, LENGTH = 100, 1000
"""10 s: the recording begins again at ticks 2000, 4000 and so on."""


def real(*events: Event, second: int = 0, length: int = LENGTH) -> list[Event]:
    return list(Joints(length, RATE, second).real(events))


def regular(first: int, count: int, rr_ms: int = 1000) -> list[Event]:
    """Beats as a device tells them that knows of no joint; the first has one before it."""
    rate = 600_000 // rr_ms
    return [replace(beat(first + number * rr_ms // 5), rr_ms=rr_ms, rate_tenths=rate) for number in range(count)]


def test_seconds_at_which_a_recording_begins_again() -> None:
    assert joints(LENGTH, RATE, 0, 35) == [10, 20, 30]
    assert joints(LENGTH, RATE, 10, 30) == [20, 30]
    assert joints(LENGTH, RATE, -5, 9.99) == []
    assert joints(33, RATE, 0.5, 1) == [0.66, 0.99]


def test_beats_far_from_a_joint_are_as_the_device_tells_them() -> None:
    events = [*regular(300, 4), Event(1300, 0, 0, EventKind.NOISY_BEGIN), Event(1350, 0, 0, EventKind.NOISY_END)]
    assert real(*events) == events


def test_an_interval_over_a_joint_is_none_and_the_rate_is_over_those_behind_it() -> None:
    before, (over, *behind) = regular(1500, 2, 800), regular(2100, 10)
    # As the device has it: the mean of the last eight, those of before among them.
    told = real(*before, over, *(replace(event, rate_tenths=666) for event in behind))
    assert told[:2] == before
    assert told[2] == replace(
        over, flags=over.flags & ~int(EventFlag.RR | EventFlag.QTC), rr_ms=0, rate_tenths=0, qtc_ms=0
    )
    assert [event.rate_tenths for event in told[3:]] == [600] * 8 + [666]


def test_a_stream_that_began_later_has_the_joints_of_the_take() -> None:
    (told,) = real(beat(1100), second=5)
    assert not told.has(EventFlag.RR)
    assert real(beat(1300), second=5) == [beat(1300)]


@pytest.mark.parametrize(
    ("tick", "changed", "lost"),
    [
        (1950, {"t_off": 0, "qt_ms": 0, "qtc_ms": 0}, EventFlag.T_OFF | EventFlag.QTC),
        (
            1970,
            {"t_on": 0, "t_off": 0, "qt_ms": 0, "qtc_ms": 0},
            EventFlag.T_ON | EventFlag.T_OFF | EventFlag.QTC,
        ),
        (2010, {"p_on": 0, "p_off": 0, "pr_ms": 0}, EventFlag.P_ON | EventFlag.P_OFF),
        (2020, {"p_on": 0, "pr_ms": 0}, EventFlag.P_ON),
    ],
)
def test_waves_beyond_a_joint_belong_to_no_beat(tick: int, changed: dict[str, int], lost: EventFlag) -> None:
    # Its own interval is over none.
    event = replace(beat(tick), rr_ms=40)
    (told,) = real(event)
    assert told == replace(event, flags=event.flags & ~int(lost), **changed)


def test_a_complex_over_a_joint_is_no_beat_and_no_interval_begins_at_it() -> None:
    torn, *behind = regular(2003, 3)
    told = real(torn, *behind)
    assert [event.tick for event in told] == [2203, 2403]
    assert [event.has(EventFlag.RR) for event in told] == [False, True]


def test_a_lone_p_wave_over_a_joint_is_none() -> None:
    flags = int(EventFlag.P_ON | EventFlag.P_OFF)
    over, behind = (Event(tick, 0, 0, EventKind.LONE_P, flags=flags, p_off=20) for tick in (1990, 2010))
    assert real(over, behind) == [behind]


def test_a_device_that_knows_no_interval_has_forgotten_those_before_the_joint() -> None:
    fresh = replace(beat(2400), flags=0, rr_ms=0, rate_tenths=0)
    after = replace(beat(2600), rate_tenths=666)
    assert real(beat(2050), fresh, after)[1:] == [fresh, after]


def shown(folder: Path, act: Callable[[Session, BenchDouble], None], seconds: float = 30) -> list[Event]:
    """Beats of a recording of 12 s, with something done at 14 s."""
    bench = BenchDouble()
    session = Session(bench, [ramp(seconds=12)], Wanted(1.0, "none", folder, seconds), clock=Clock(), nap=0)
    done: list[bool] = []

    def on_step() -> None:
        if session.tape.head == 1400 and not done:
            done.append(True)
            act(session, bench)

    session.run(on_step)
    return [told.event for told in session.tape.events(0)[1]]


def die(session: Session, bench: BenchDouble) -> None:
    bench.is_dead = True


def choose(session: Session, bench: BenchDouble) -> None:
    session.wishes.put(Wish("lead", 2))


@pytest.mark.parametrize("act", [lambda session, bench: None, die, choose], ids=["on", "died", "lead"])
def test_a_session_shows_no_interval_over_a_joint(act: Callable[[Session, BenchDouble], None], tmp_path: Path) -> None:
    told = {event.tick: event for event in shown(tmp_path, act)}
    over = [tick for tick, event in told.items() if not event.has(EventFlag.RR)]
    assert over == [2500, 4900]
    assert told[2700].rate_tenths == 600


def test_the_heart_rate_is_not_known_right_behind_a_joint(tmp_path: Path) -> None:
    session = Session(BenchDouble(), [ramp(seconds=2)], Wanted(1.0, "none", tmp_path, 3.6), clock=Clock(), nap=0)
    session.run()
    assert session.state.figures.heart_rate is None
    assert session.state.figures.pr_ms == 110
