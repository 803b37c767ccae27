"""Runs the machine beside a serial port: simulated time follows the work while there is some, and the clock on the wall
while the core sleeps."""

from __future__ import annotations

import time

from ecgseg.targets.apollo4p_sim.bus import UNIT_HZ
from ecgseg.targets.apollo4p_sim.machine import Machine
from ecgseg.targets.apollo4p_sim.serialport import PtyPort

_INCOMING_MAX = 1 << 16
_LONGEST_WAIT_SECONDS = 0.5


class Runner:
    """Joins a machine and a port.

    Args:
        machine: the machine.
        port: its serial port.
    """

    def __init__(self, machine: Machine, port: PtyPort) -> None:
        self._machine = machine
        self._port = port
        machine.poll = self._exchange

    def _exchange(self) -> None:
        wire = self._machine.wire
        if wire.outgoing:
            self._port.write(bytes(wire.outgoing))
            wire.outgoing.clear()
        if len(wire.incoming) < _INCOMING_MAX:
            data = self._port.read()
            if data:
                wire.baud = self._port.baud()
                wire.incoming.extend(data)

    def run(self) -> None:
        """Runs until the port is closed.

        Raises:
            SimulationStoppedError: the program broke a rule of the sheet.
        """
        machine = self._machine
        while not self._port.closed:
            if machine.step(jump=False):
                continue
            if machine.uart.busy:  # the exchange goes on once a simulated millisecond
                machine.step()
                continue
            self._exchange()
            if not machine.wire.incoming:
                self._sleep()

    def _sleep(self) -> None:
        """Nothing to do before the next event: the time on the wall decides."""
        machine = self._machine
        distance = (machine.next_event() - machine.now()) / UNIT_HZ
        before = time.monotonic()
        self._port.wait(max(0.0, min(distance, _LONGEST_WAIT_SECONDS)))
        machine.pass_time(time.monotonic() - before)
