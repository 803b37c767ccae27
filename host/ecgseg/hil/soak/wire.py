"""A line whose faults change while it is open."""

from __future__ import annotations

from ecgseg.hil.faults import FaultPlan, FaultyPort
from ecgseg.link import Port


class _Line:
    """A port with the faults of the moment."""

    def __init__(self, port: Port) -> None:
        self.behind = port
        self.now: Port = port

    @property
    def timeout(self) -> float | None:
        """Longest wait of read(), seconds."""
        return self.behind.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self.behind.timeout = seconds

    @property
    def baudrate(self) -> int:
        """Of the port behind."""
        return self.behind.baudrate

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self.behind.baudrate = baud

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""
        return self.now.in_waiting

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes."""
        return self.now.read(size)

    def write(self, data: bytes, /) -> int | None:
        """Sends `data`."""
        return self.now.write(data)

    def close(self) -> None:
        """Closes the port behind."""
        self.behind.close()


class ChangingWire:
    """Puts faults between a client and its port and takes them away again; counts them over all ports."""

    def __init__(self) -> None:
        self._line: _Line | None = None
        self._faulty: FaultyPort | None = None
        self._before = 0

    def __call__(self, port: Port) -> Port:
        """The port, for now without faults."""
        self.set(None)
        self._line = _Line(port)
        return self._line

    @property
    def faults(self) -> int:
        """Faults so far."""
        now = self._faulty
        return self._before + (now.to_device_faults.total + now.to_host_faults.total if now else 0)

    @property
    def faulty(self) -> bool:
        """Whether there are faults now."""
        return self._faulty is not None

    def set(self, plan: FaultPlan | None, seed: int = 0) -> None:
        """Changes the faults.

        Args:
            plan: of both directions; None for none.
            seed: chooses the bytes.
        """
        self._before, self._faulty = self.faults, None
        if self._line is None:
            return
        if plan is not None:
            self._faulty = FaultyPort(self._line.behind, to_device=plan, to_host=plan, seed=seed)
        self._line.now = self._faulty or self._line.behind
