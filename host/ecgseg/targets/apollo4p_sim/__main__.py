"""Runs an image: python -m ecgseg.targets.apollo4p_sim IMAGE.bin --elf IMAGE.elf."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tty
from pathlib import Path

from ecgseg.targets.apollo4p_sim.cycles import TIMINGS
from ecgseg.targets.apollo4p_sim.machine import Machine, Options, SimulationStoppedError
from ecgseg.targets.apollo4p_sim.process import Runner
from ecgseg.targets.apollo4p_sim.serialport import PtyPort
from ecgseg.targets.apollo4p_sim.source import SourceLines

STOPPED = 3
"""Exit code when the program broke a rule of the sheet."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the simulator; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ecgseg.targets.apollo4p_sim", description=__doc__)
    parser.add_argument("image", type=Path, help="flat image for 0x00018000, the file that is flashed")
    parser.add_argument("--elf", type=Path, help="the same program with symbols, for source lines in messages")
    parser.add_argument("--trim", type=int, default=6, help="INFO1 trim revision of the part (default 6)")
    parser.add_argument("--probe", action="store_true", help="a debug probe is attached: the cycle counter counts")
    parser.add_argument("--deliver-faults", action="store_true", help="faults go to the program instead of stopping")
    parser.add_argument("--timing", choices=TIMINGS, default="expected", help="where Arm gives a range of cycles")
    parser.add_argument("--stdio", action="store_true", help="standard input and output are the serial port")
    chosen = parser.parse_args(arguments)
    try:
        image = chosen.image.read_bytes()
    except OSError as error:
        print(f"apollo4p-sim: {error}", file=sys.stderr)
        return 2
    print(
        f"apollo4p-sim: {chosen.image.name}, SHA-256 {hashlib.sha256(image).hexdigest()}", file=sys.stderr, flush=True
    )
    options = Options(chosen.trim, chosen.probe, chosen.deliver_faults, chosen.timing)
    machine = Machine(image, options, SourceLines(chosen.elf))
    try:
        Runner(machine, _port(chosen.stdio)).run()
    except SimulationStoppedError as stopped:
        print(f"apollo4p-sim: stopped: {stopped}", file=sys.stderr)
        return STOPPED
    except KeyboardInterrupt:
        return 130
    return 0


def _port(stdio: bool) -> PtyPort:
    if stdio:
        return PtyPort(0, 1)
    master, slave = os.openpty()
    tty.setraw(slave)  # stays open: the port is there whether or not somebody uses it
    print(os.ttyname(slave), flush=True)
    return PtyPort(master, master)


if __name__ == "__main__":
    sys.exit(main())
