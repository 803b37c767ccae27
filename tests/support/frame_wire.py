"""A wire that handles whole frames: it may keep them from their receiver, or put in others."""

from __future__ import annotations

from collections.abc import Callable

from ecgseg.link import Port
from ecgseg.link.framing import FrameDecoder, encode_frame

# From the body of a frame to the bodies that go on in its place.
Handling = Callable[[bytes], list[bytes]]


def as_it_is(body: bytes) -> list[bytes]:
    """Passes a frame on."""
    return [body]


class FrameWire:
    """A port whose frames go through two functions, one for each direction.

    Args:
        port: the port behind it.
        to_device: handles requests.
        to_host: handles answers.

    `requests` keeps the bodies that the host has sent.
    """

    def __init__(self, port: Port, *, to_device: Handling = as_it_is, to_host: Handling = as_it_is) -> None:
        self._port = port
        self._handle = (to_device, to_host)
        self._decoders = (FrameDecoder(), FrameDecoder())
        self._arrived = bytearray()
        self.requests: list[bytes] = []

    @property
    def timeout(self) -> float | None:
        return self._port.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._port.timeout = seconds

    @property
    def baudrate(self) -> int:
        return self._port.baudrate

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self._port.baudrate = baud

    @property
    def in_waiting(self) -> int:
        return len(self._arrived) or self._port.in_waiting

    def read(self, size: int = 1, /) -> bytes:
        if not self._arrived:
            for body in self._decoders[1].feed(self._port.read(size)):
                for passed in self._handle[1](body):
                    self._arrived += encode_frame(passed)
        data = bytes(self._arrived)
        self._arrived.clear()
        return data

    def write(self, data: bytes, /) -> int:
        for body in self._decoders[0].feed(data):
            self.requests.append(body)
            for passed in self._handle[0](body):
                self._port.write(encode_frame(passed))
        return len(data)

    def close(self) -> None:
        self._port.close()
