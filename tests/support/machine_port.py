"""The simulated board in this process with its port: its time passes only while somebody reads, however busy the
computer is."""

from __future__ import annotations

from ecgseg.targets.apollo4p_sim.machine import Machine

# What an adapter takes to change its rate; a device that has just answered changes its own within that.
_CHANGE_SECONDS = 0.001


class MachinePort:
    """The part of `serial.Serial` that the link uses; `timeout` is in simulated seconds."""

    def __init__(self, machine: Machine, baud: int) -> None:
        self.timeout: float | None = 0.002
        self._machine = machine
        machine.wire.baud = baud

    @property
    def baudrate(self) -> int:
        """Of this end."""
        baud = self._machine.wire.baud
        assert baud is not None
        return baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self._machine.run(_CHANGE_SECONDS)
        self._machine.wire.baud = baud

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""
        return len(self._machine.wire.outgoing)

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes, waiting at most `timeout` for the first."""
        came = self._machine.wire.outgoing
        assert self.timeout is not None
        self._machine.run_until(lambda: bool(came), self.timeout)
        data = bytes(came[:size])
        del came[:size]
        return data

    def write(self, data: bytes, /) -> int:
        """Puts all of `data` on the wire, where it takes its time."""
        self._machine.wire.incoming.extend(data)
        return len(data)

    def close(self) -> None:
        """The machine stands still from now on."""
