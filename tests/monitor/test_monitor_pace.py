"""Samples come by the clock, at any speed, and what is late does not pile up."""

from __future__ import annotations

import pytest

from ecgseg.monitor.pace import Pacer


@pytest.mark.parametrize("speed", [0.5, 1.0, 8.0])
def test_so_much_signal_is_given_out_as_time_passes(speed: float) -> None:
    pacer, given, now = Pacer(500, speed), 0, 10.0
    while now < 20.0:
        given += pacer.due(now)
        now += max(pacer.wait(now), 1e-4)
    assert given == pytest.approx(10 * 500 * speed, abs=pacer.block)
    assert pacer.slipped == 0


def test_nothing_is_due_before_its_time_and_a_little_delay_is_made_up_for() -> None:
    pacer = Pacer(500, 1.0)
    assert pacer.due(0.0) == 0
    assert pacer.wait(0.0) == pytest.approx(0.04)
    assert [pacer.due(0.3) for _ in range(8)] == [20] * 7 + [0]


def test_what_is_late_by_more_is_late_for_good() -> None:
    pacer = Pacer(500, 1.0)
    pacer.due(0.0)
    assert pacer.due(5.0) == 20
    assert pacer.slipped == pytest.approx(4.96)
    assert pacer.due(5.0) == 0


def test_a_rest_is_no_delay() -> None:
    pacer = Pacer(500, 1.0)
    pacer.due(0.0)
    pacer.due(0.05)
    pacer.rest()
    assert pacer.due(100.0) == 0
    assert pacer.due(100.05) == 20
    assert pacer.slipped == 0
