"""Runs an image: python -m ecgseg.targets.apollo4p_sim IMAGE.bin --elf IMAGE.elf."""

from __future__ import annotations

import hashlib
import os
import sys
import tty

from ecgseg.errors import cause
from ecgseg.targets.apollo4p_sim.command_line import parse
from ecgseg.targets.apollo4p_sim.machine import Machine, SimulationStoppedError
from ecgseg.targets.apollo4p_sim.process import Runner
from ecgseg.targets.apollo4p_sim.serialport import PtyPort
from ecgseg.targets.apollo4p_sim.source import SourceLines

STOPPED = 3
"""Exit code when the program broke a rule of the sheet."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the simulator; returns the exit code."""
    typed = parse(arguments, __doc__)
    try:
        image = typed.image.read_bytes()
    except OSError as error:
        print(f"apollo4p-sim: {typed.image}: {cause(error, 'It cannot be read.')}", file=sys.stderr)
        return 2
    print(f"apollo4p-sim: {typed.image.name}, SHA-256 {hashlib.sha256(image).hexdigest()}", file=sys.stderr, flush=True)
    machine = Machine(image, typed.options, SourceLines(typed.elf))
    try:
        Runner(machine, _port(typed.stdio)).run()
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
