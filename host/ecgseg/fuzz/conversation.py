"""A whole conversation with a device, and a device that answers what an input says."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum

import numpy as np
import serial

from ecgseg.errors import DeviceError, EcgsegError
from ecgseg.fuzz.records import records
from ecgseg.link import DeviceClient, NoAnswerError
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.numbers import ANSWER_BIT, PROTOCOL_VERSION, REQUEST_HEADER_BYTES, BenchKind
from ecgseg.link.stream import Gap, delineate

_ANSWER_SECONDS = 0.002
_SAMPLES = 3200  # at 500 Hz: more than two frames of the zoo's models
_LARGEST_INPUT = 1 << 15  # bytes that are worth writing


class ClientRecord(IntEnum):
    """Kinds of a client's input, modulo their number: what the device does when it is asked.

    Attributes:
        RAW: bytes as they come off the wire; the next record follows at once.
        ANSWER: error in one byte, payload: the answer to what was asked, as a good frame.
        FRAME: a whole body as a good frame; the next record follows at once.
        SILENCE: nothing comes.
    """

    RAW = 0
    ANSWER = 1
    FRAME = 2
    SILENCE = 3


class ScriptedPort:
    """A port behind which a device answers by records; it is gone after the last.

    Args:
        script: the input.
    """

    def __init__(self, script: bytes) -> None:
        self.timeout: float | None = 0.0
        self.baudrate = 115200
        self._script = records(script)
        self._pending = bytearray()
        self._requests = FrameDecoder()

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read."""
        return len(self._pending)

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes, without waiting."""
        part = bytes(self._pending[:size])
        del self._pending[:size]
        return part

    def write(self, data: bytes, /) -> int:
        """Takes requests and answers them. Raises SerialException after the last record."""
        for body in self._requests.feed(data):
            self._answer(body)
        return len(data)

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, request: bytes) -> None:
        for number, content in self._script:
            kind = ClientRecord(number % len(ClientRecord))
            if kind is ClientRecord.RAW:
                self._pending += content
            elif kind is ClientRecord.FRAME:
                self._pending += encode_frame(content)
            else:
                if kind is ClientRecord.ANSWER:
                    head = bytes([PROTOCOL_VERSION, request[1] | ANSWER_BIT]) + request[2:REQUEST_HEADER_BYTES]
                    self._pending += encode_frame(head + content[:1].ljust(2, b"\0") + content[1:])
                return
        raise serial.SerialException("the script has ended")


def converse(client: DeviceClient, parts: Iterable[Part]) -> None:
    """Opens a session and asks a device for things; what it refuses, or does not answer, is passed over.

    Raises:
        LinkError: the port is gone, or an answer makes no sense.
    """
    client.hello()
    for part in parts:
        try:
            part(client)
        except (DeviceError, NoAnswerError):
            continue


def _frames(client: DeviceClient) -> None:
    time = np.arange(_SAMPLES)
    samples = (800 * np.sin(time / 40) + 300 * np.sin(time / 7)).astype(np.int16)
    if client.info.frame_length and client.info.input_rate and client.max_chunk:
        deque(client.stream(samples), maxlen=0)


def _stream(client: DeviceClient) -> None:
    time = np.arange(_SAMPLES)
    samples = (800 * np.sin(time / 40) ** 9 + 30 * np.sin(time / 7)).astype(np.int16)
    if client.info.delineates:
        deque(delineate(client, [samples, Gap(500), samples]), maxlen=0)


def _layers(client: DeviceClient) -> None:
    for layer in client.layers():
        if layer.index < 2 and layer.bytes <= _LARGEST_INPUT:
            client.trace(layer.index, layer.bytes)


def _infer(client: DeviceClient) -> None:
    size = client.info.input_bytes
    if size <= _LARGEST_INPUT:
        client.infer(np.zeros(size, dtype=np.int8))


def _bench(client: DeviceClient) -> None:
    for kind in BenchKind:
        client.bench(kind, 1)


Part = Callable[[DeviceClient], object]
PARTS: Mapping[str, Part] = {
    "frames": _frames,
    "stream": _stream,
    "layers": _layers,
    "infer": _infer,
    "bench": _bench,
    "stats": lambda client: client.stats(),
    "clock": lambda client: client.set_clock(96_000_000),
    "baud": lambda client: client.set_baud(115200),
    "restart": lambda client: client.restart(),
}
"""What a device is asked for, by name."""


def client(data: bytes) -> None:
    """One input of the kind `client`. Raises whatever escapes that is no EcgsegError."""
    try:
        with DeviceClient(ScriptedPort(data), answer_seconds=_ANSWER_SECONDS, attempts=2) as device:
            converse(device, PARTS.values())
    except EcgsegError:
        return
