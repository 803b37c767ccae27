"""The bring-up image answers every question, and its records survive a reset; shown on the simulator."""

from __future__ import annotations

import importlib.util
import shutil

import pytest

from ecgseg.devices import bringup_questions, jlink
from ecgseg.devices.bringup import bring_up, build_bringup
from ecgseg.devices.bringup_port import opened
from ecgseg.devices.bringup_questions import RATES, Point
from ecgseg.targets import open_target

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("arm-none-eabi-gcc") is None or importlib.util.find_spec("unicorn") is None,
        reason="needs arm-none-eabi-gcc and unicorn",
    ),
]


@pytest.fixture(scope="module")
def points() -> dict[str, Point]:
    return {point.name: point for point in bring_up("apollo4p-sim").points}


def test_every_question_has_a_result(points: dict[str, Point]) -> None:
    assert [point.name for point in points.values() if point.found in ("no result", "no answer")] == []


def test_the_part_is_identified(points: dict[str, Point]) -> None:
    assert points["core revision"].meaning == "Cortex-M4 r0p1"
    assert points["SSRAM at entry"].meaning.startswith("disagree")
    assert points["MAINPTR"].found == "0x00018000"


def test_the_cycle_counter_stands_without_a_probe(points: dict[str, Point]) -> None:
    assert points["CYCCNT"].meaning == "stands as found"


def test_the_oscillator_is_measured_against_the_crystal(points: dict[str, Point]) -> None:
    assert float(points["HFRC"].found.split()[0]) == pytest.approx(96.0, rel=2e-4)


def test_the_core_reaches_192_mhz(points: dict[str, Point]) -> None:
    assert points["192 MHz"].found == "192 MHz"


def test_no_byte_is_lost_at_any_rate(points: dict[str, Point]) -> None:
    assert {points[f"{rate} baud"].found for rate in RATES} == {"all bytes came back"}


def test_memory_and_fault_record_come_through_a_reset(points: dict[str, Point]) -> None:
    assert points["top of the TCM over a reset"].found == "16 of 16 words"
    assert points["provoked usage fault"].found.startswith("type 6 at 0x000")


def test_the_watchdog_bites_and_says_so(points: dict[str, Point]) -> None:
    assert points["watchdog"].found.endswith("cause 0x40")


@pytest.mark.parametrize("kind", ["sleep", "deep"])
def test_the_core_comes_back_from_sleep_with_its_port_and_regulator(kind: str) -> None:
    image = build_bringup()
    with open_target("apollo4p-sim", image) as running, opened(running.port_url, 4.0) as port:
        assert port.ask(f"{kind} 1", 5.0) == {"slept_seconds": "1"}
        assert port.ask(f"{kind} 1", 5.0) == {"slept_seconds": "1"}
        assert port.ask("clock 192")["core_hz"] == "192000000"


def test_both_endings_of_a_script_can_be_tried() -> None:
    assert jlink.restart_script(let_go=False).endswith("r\nq\n")
    assert jlink.restart_script(let_go=True).endswith("r\ng\nSleep 600\nqc\n")


def test_a_meter_is_announced_before_each_time_the_board_holds_still(monkeypatch: pytest.MonkeyPatch) -> None:
    # A busy core is what costs a simulator its time, and on a machine with other work an answer would come too late.
    monkeypatch.setattr(bringup_questions, "MEASURE_SECONDS", 0)
    monkeypatch.setattr(bringup_questions, "_QUESTIONS", ())
    told: list[tuple[str, int]] = []
    report = bring_up("apollo4p-sim", on_measure=lambda what, seconds: told.append((what, seconds)))
    assert told == [("core busy", 0), ("sleep, port on", 0), ("deep sleep, port off", 0)]
    assert [point.name for point in report.points] == [f"current: {what}" for what, _ in told]
    assert {point.found for point in report.points} == {"read it off the meter"}
