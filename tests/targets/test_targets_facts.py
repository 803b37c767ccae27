"""What targets say about themselves, and that a simulator starts with the options it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.targets import SimulatorOptions, TimeQuality, TimingCase, targets, targets_for
from ecgseg.targets.apollo4p_sim.command_line import arguments, parse
from ecgseg.targets.names import APOLLO4P, APOLLO4P_SIM, DEFAULT_TARGET, HOST, QEMU


def test_each_target_says_how_its_time_is_known_and_whether_it_has_a_real_port() -> None:
    assert {name: (target.time_quality, target.real_port) for name, target in targets().items()} == {
        HOST: (TimeQuality.MEASURED, False),
        QEMU: (TimeQuality.COUNTED, False),
        APOLLO4P_SIM: (TimeQuality.MODELLED, False),
        APOLLO4P: (TimeQuality.MEASURED, True),
    }
    assert targets()[DEFAULT_TARGET].purpose


def test_targets_are_found_by_the_board_whose_images_they_run() -> None:
    assert targets_for("apollo4p_evb") == (APOLLO4P, APOLLO4P_SIM)
    assert targets_for("no board") == ()


@pytest.mark.parametrize(
    "options",
    [
        SimulatorOptions(),
        SimulatorOptions(trim=0xFFFFFFFF, probe=True, timing=TimingCase.WORST),
        SimulatorOptions(trim=2, deliver_faults=True, timing=TimingCase.BEST),
    ],
)
def test_the_simulator_reads_back_the_options_it_is_started_with(options: SimulatorOptions) -> None:
    typed = parse(arguments(Path("a b.bin"), Path("a b.elf"), options))
    assert typed.options == options
    assert isinstance(typed.options.timing, TimingCase)
    assert (typed.image, typed.elf, typed.stdio) == (Path("a b.bin"), Path("a b.elf"), True)
