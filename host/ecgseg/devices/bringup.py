"""Settles on a board what docs/apollo4p-facts.md leaves open (section 10), with the bring-up image.

The same questions can be put to the simulator; its answers show that the questions work, and nothing about the part.
"""

from __future__ import annotations

from pydantic import BaseModel

from ecgseg.choices import choose
from ecgseg.devices import jlink
from ecgseg.devices.bringup_port import SilenceError, opened
from ecgseg.devices.bringup_questions import OnMeasure, Point, ask_all
from ecgseg.devices.rig import Rig, find_rig
from ecgseg.image.boards import APOLLO4P_EVB
from ecgseg.image.build import Image, build
from ecgseg.image.programs import BRINGUP
from ecgseg.targets import SimulatorOptions, TargetOptions, open_target, target_of, targets_for
from ecgseg.targets.names import APOLLO4P


class BringUpReport(BaseModel):
    """All points, in the order in which they were asked; `target` says who answered."""

    target: str
    points: list[Point]


def build_bringup() -> Image:
    """Builds the bring-up image.

    Raises:
        ToolMissingError: the compiler is not installed.
        BuildError: it does not compile.
        OutputError: it could not be written.
    """
    return build(APOLLO4P_EVB, program=BRINGUP)


def _start_points(rig: Rig) -> list[Point]:
    """Which ending of a J-Link script starts the application (facts 7.3)."""
    points = []
    for let_go, name in ((False, "r, q"), (True, "r, g, qc")):
        rig.run(jlink.restart_script(let_go=let_go))
        try:
            with opened(rig.port, 0.3):
                found = "starts"
        except SilenceError:
            found = "does not start"
        points.append(Point(name=f"J-Link script ending with {name}", found=found, meaning="facts 7.3"))
    return points


def bring_up(
    target: str = APOLLO4P,
    *,
    port: str | None = None,
    serial_number: str | None = None,
    on_measure: OnMeasure | None = None,
) -> BringUpReport:
    """Builds and flashes the bring-up image and puts all questions to it.

    Args:
        target: apollo4p, or apollo4p-sim to see the questions work.
        port: virtual COM port, when it is not the only one.
        serial_number: of the probe, when it is not the only one.
        on_measure: is told when to read a meter; with it the board also holds still, 10 s each time.

    Raises:
        UsageError: no such target.
        EcgsegError: it could not be built, flashed or asked at all.
    """
    chosen = target_of(choose("target", target, targets_for(APOLLO4P_EVB), "--target"))
    image = build_bringup()
    if not chosen.real_port:
        options = TargetOptions(simulator=SimulatorOptions(deliver_faults=True))
        with open_target(target, image, options) as running, opened(running.port_url, chosen.slowness) as text:
            return BringUpReport(target=target, points=ask_all(text, on_measure))
    assert image.bin is not None
    rig = find_rig(port, serial_number)
    rig.run(jlink.flash_script(image.bin))
    points = _start_points(rig)
    with opened(rig.port, chosen.slowness) as text:
        return BringUpReport(target=target, points=points + ask_all(text, on_measure))
