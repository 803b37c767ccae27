"""What a soak sends is drawn by its seed alone, and its line has faults when they are wanted."""

from __future__ import annotations

import pytest

from ecgseg.hil.faults import FaultPlan
from ecgseg.hil.soak.plan import Plan
from ecgseg.hil.soak.wire import ChangingWire

SIZES = [5000] * 30
ALWAYS = FaultPlan(flip=1.0)


class Written:
    """A port that keeps what it is sent."""

    def __init__(self) -> None:
        self.timeout: float | None = 0.0
        self.baudrate = 115200
        self.in_waiting = 0
        self.written = b""

    def read(self, size: int = 1, /) -> bytes:
        return b""

    def write(self, data: bytes, /) -> int:
        self.written += data
        return len(data)

    def close(self) -> None:
        pass


def plan(seed: int = 1, *, faulty: float = 0.1, restarts: float = 0.05, power: bool = True) -> Plan:
    return Plan(seed, SIZES, 100, faulty, restarts, power)


def test_a_window_is_the_same_whoever_draws_it_and_whatever_was_drawn_before() -> None:
    first = [list(plan().window(number)) for number in range(5)]
    assert list(plan().window(3)) == first[3]
    assert list(plan(2).window(3)) != first[3]
    assert first[0] != first[1]


def test_leads_faults_and_restarts_come_as_often_as_they_are_asked_for() -> None:
    sent = [one for number in range(200) for one in plan().window(number)]
    assert {one.lead for one in sent} == set(range(len(SIZES)))
    assert sum(one.faults is not None for one in sent) / len(sent) == pytest.approx(0.1, rel=0.1)
    assert sum(one.restart is not None for one in sent) / len(sent) == pytest.approx(0.05, rel=0.15)
    assert {one.restart for one in sent} == {None, "told", "power"}
    assert all(0 < one.samples <= 5000 and (one.samples == 5000 or one.restart) for one in sent)


def test_faults_of_every_kind_are_drawn() -> None:
    sent = [one for number in range(20) for one in plan(faulty=1.0).window(number)]
    rates = [one.faults for one in sent if one.faults is not None]
    for kind in ("drop", "flip", "duplicate", "insert", "delay"):
        assert any(getattr(faults, kind) for faults in rates)


def test_a_process_that_is_ended_ends_its_window() -> None:
    windows = [list(plan(restarts=0.5).window(number)) for number in range(20)]
    assert any(len(window) < 100 for window in windows)
    for window in windows:
        assert all(one.restart != "power" for one in window[:-1])


def test_what_is_not_wanted_does_not_come() -> None:
    sent = [one for number in range(50) for one in plan(faulty=0, restarts=0).window(number)]
    assert all(one.faults is None and one.restart is None and one.samples == 5000 for one in sent)
    assert len(sent) == 5000
    told = [one.restart for number in range(20) for one in plan(restarts=0.5, power=False).window(number)]
    assert set(told) == {None, "told"}


def test_faults_are_in_the_line_while_they_are_wanted_and_counted_over_all_ports() -> None:
    wire, port = ChangingWire(), Written()
    line = wire(port)
    line.write(b"\0\0")
    assert (port.written, wire.faults, wire.faulty) == (b"\0\0", 0, False)
    wire.set(ALWAYS, 1)
    line.write(b"\0\0")
    assert port.written[2:] != b"\0\0"
    assert (wire.faults, wire.faulty) == (2, True)
    other = Written()
    line = wire(other)
    line.write(b"\0")
    assert (other.written, wire.faults, wire.faulty) == (b"\0", 2, False)
    wire.set(ALWAYS, 1)
    line.write(b"\0")
    wire.set(None)
    assert wire.faults == 3
