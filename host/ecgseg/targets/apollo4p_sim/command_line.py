"""The simulator's command line, as it is written by the target and read by the process."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg.targets.apollo4p import LOAD_ADDRESS
from ecgseg.targets.options import SimulatorOptions, TimingCase


@dataclass(frozen=True)
class Typed:
    """What stands on the command line.

    Attributes:
        image: flat image for the load address.
        elf: the same program with symbols, None without.
        options: of the part.
        stdio: standard input and output are the serial port.
    """

    image: Path
    elf: Path | None
    options: SimulatorOptions
    stdio: bool


def arguments(image: Path, elf: Path, options: SimulatorOptions) -> list[str]:
    """What `parse` reads back as these options, with standard input and output as the serial port."""
    switches = {"--probe": options.probe, "--deliver-faults": options.deliver_faults}
    return [
        str(image),
        *("--elf", str(elf)),
        *("--trim", str(options.trim)),
        *("--timing", options.timing),
        *(name for name, on in switches.items() if on),
        "--stdio",
    ]


def parse(given: Sequence[str] | None = None, about: str | None = None) -> Typed:
    """Reads arguments, those of this process when none are given; leaves with exit code 2 when they make no sense."""
    default = SimulatorOptions()
    parser = argparse.ArgumentParser(prog="python -m ecgseg.targets.apollo4p_sim", description=about)
    parser.add_argument("image", type=Path, help=f"flat image for 0x{LOAD_ADDRESS:08X}, the file that is flashed")
    parser.add_argument("--elf", type=Path, help="the same program with symbols, for source lines in messages")
    parser.add_argument(
        "--trim", type=int, default=default.trim, help=f"INFO1 trim revision of the part (default {default.trim})"
    )
    parser.add_argument("--probe", action="store_true", help="a debug probe is attached: the cycle counter counts")
    parser.add_argument("--deliver-faults", action="store_true", help="faults go to the program instead of stopping")
    parser.add_argument(
        "--timing",
        choices=tuple(map(str, TimingCase)),
        default=default.timing,
        help="where Arm gives a range of cycles",
    )
    parser.add_argument("--stdio", action="store_true", help="standard input and output are the serial port")
    chosen = parser.parse_args(given)
    options = SimulatorOptions(chosen.trim, chosen.probe, chosen.deliver_faults, TimingCase(chosen.timing))
    return Typed(chosen.image, chosen.elf, options, chosen.stdio)
