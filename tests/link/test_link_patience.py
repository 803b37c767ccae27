"""How long the host waits, what it says meanwhile, and what it says when nothing came."""

from __future__ import annotations

import struct
import time

import pytest

from ecgseg.errors import DeviceError, LinkError, TargetError
from ecgseg.link import BenchKind, DeviceClient, transport
from ecgseg.link.error_table import error_number
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.numbers import ANSWER_BIT, Command
from ecgseg.link.transport import NoAnswerError, Transport
from ecgseg.targets import TargetOptions, base
from ecgseg.targets.base import RunningTarget


class Port:
    """Answers every request with what `speak` makes of its body; reading takes a millisecond when there is nothing."""

    timeout: float | None = 0.0
    baudrate = 115200

    def __init__(self) -> None:
        self.data = bytearray()
        self.bodies: list[bytes] = []
        self.decoder = FrameDecoder()

    def speak(self, body: bytes) -> bytes:
        return b""

    @property
    def in_waiting(self) -> int:
        return len(self.data)

    def read(self, size: int = 1, /) -> bytes:
        if not self.data:
            time.sleep(0.001)
        part = bytes(self.data[:size])
        del self.data[:size]
        return part

    def write(self, data: bytes, /) -> int:
        for body in self.decoder.feed(data):
            self.bodies.append(body)
            self.data += self.speak(body)
        return len(data)

    def close(self) -> None:
        self.data.clear()


class Stray(Port):
    """Never stops sending good answers, none of which is to the request."""

    @property
    def in_waiting(self) -> int:
        return 1 << 20

    def read(self, size: int = 1, /) -> bytes:
        assert size <= 1 << 16
        return encode_frame(bytes([1, Command.STATS | ANSWER_BIT, 9, 9, 0, 0])) * 10


class Bench(Port):
    """Takes 10 ms for a repetition; a repetition is 7 ticks."""

    def speak(self, body: bytes) -> bytes:
        repetitions = int.from_bytes(body[7:9], "little")
        time.sleep(0.01 * repetitions)
        head = bytes([1, body[1] | ANSWER_BIT]) + body[2:4] + b"\0\0"
        return encode_frame(head + struct.pack("<Q", 7 * repetitions))


def test_a_message_counts_the_answers_to_other_requests() -> None:
    link = Transport(Stray(), answer_seconds=0.02, attempts=2)
    with pytest.raises(NoAnswerError) as caught:
        link.request(Command.PUSH, b"\0" * 6)
    assert "2 attempts in " in caught.value.why
    assert f"0 damaged frames, {link.counters.stray_answers} answers to other requests came back." in caught.value.why
    assert link.counters.stray_answers > 10


def test_endless_answers_to_other_requests_end_at_the_deadline() -> None:
    started = time.monotonic()
    with pytest.raises(NoAnswerError):
        Transport(Stray(), answer_seconds=0.05, attempts=3).request(Command.STATS)
    assert 0.3 < time.monotonic() - started < 5


def test_a_message_counts_what_came_for_this_request_alone() -> None:
    link = Transport(Stray(), answer_seconds=0.01, attempts=1)
    with pytest.raises(NoAnswerError):
        link.request(Command.STATS)
    link.port = Port()
    with pytest.raises(NoAnswerError, match=r"1 attempt in 0\.\d s; 0 damaged frames, 0 answers"):
        link.request(Command.STATS)


def test_a_silent_port_is_told_after_two_seconds_and_then_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert transport.WAIT_SECONDS == 2.0
    monkeypatch.setattr(transport, "WAIT_SECONDS", 0.05)
    said: list[str] = []
    with pytest.raises(NoAnswerError):
        Transport(Port(), answer_seconds=0.1, attempts=2, on_wait=said.append).request(Command.FRAME)
    assert said[0] == "Waiting for the device's answer to FRAME."
    assert 2 <= len(said) <= 6


def test_a_silent_target_tells_what_it_waits_for_and_the_true_attempts_and_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(base, "open_port", lambda *_: Port())
    said: list[str] = []
    running = RunningTarget("apollo4p", "/dev/null", TargetOptions(start_seconds=1.0), answer_seconds=0.3)
    with pytest.raises(TargetError) as caught:
        running.connect(said.append)
    attempts, _, seconds = caught.value.why.split(" s;")[0].partition(" attempts in ")
    assert int(attempts) >= 3
    assert float(seconds) >= 1.0
    assert said[0] == "Waiting for the first answer of the target apollo4p, up to 1 s."


def test_a_bench_leaves_a_device_deaf_for_a_second_at_most() -> None:
    port = Bench()
    client = DeviceClient(port, answer_seconds=5.0)
    started = time.monotonic()
    assert client.bench(BenchKind.INFERENCE, 200) == 7 * 200
    assert time.monotonic() - started >= 2.0
    parts = [int.from_bytes(body[7:9], "little") for body in port.bodies]
    assert sum(parts) == 200
    assert parts[0] == 1
    assert max(parts) <= 75


class ShortOfTime(Port):
    """Refuses more than some repetitions at a time as too long; a repetition is 7 ticks."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def speak(self, body: bytes) -> bytes:
        repetitions = int.from_bytes(body[7:9], "little")
        refused = repetitions > self.most
        head = bytes([1, body[1] | ANSWER_BIT]) + body[2:4]
        number = error_number("TOO_LONG") if refused else 0
        return encode_frame(head + struct.pack("<H", number) + (b"" if refused else struct.pack("<Q", 7 * repetitions)))


def test_a_bench_that_takes_a_device_too_long_is_asked_for_in_smaller_parts() -> None:
    port = ShortOfTime(most=300)
    assert DeviceClient(port).bench(BenchKind.INFERENCE, 5000, at_once=5000) == 7 * 5000
    # Halved until it is taken, and no more than that from then on.
    assert len(port.bodies) <= 5 + 5000 // 150 + 1


def test_a_device_that_finds_one_repetition_too_long_ends_the_bench() -> None:
    port = ShortOfTime(most=0)
    with pytest.raises(DeviceError, match="TOO_LONG"):
        DeviceClient(port).bench(BenchKind.INFERENCE, 5000, at_once=5000)
    assert len(port.bodies) <= 14


def test_a_bench_can_be_interrupted_between_its_parts() -> None:
    class Interrupted(Bench):
        def speak(self, body: bytes) -> bytes:
            if len(self.bodies) == 3:
                raise KeyboardInterrupt
            return super().speak(body)

    port = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        DeviceClient(port, answer_seconds=5.0).bench(BenchKind.INFERENCE, 28_000)
    assert len(port.bodies) == 3


@pytest.mark.parametrize("told", [0xFFFFFFFF, 4 << 20, 1001, 999, 0])
def test_a_trace_of_another_size_than_the_host_knows_is_refused_unread(told: int) -> None:
    class Liar(Port):
        def speak(self, body: bytes) -> bytes:
            head = bytes([1, body[1] | ANSWER_BIT]) + body[2:4] + b"\0\0"
            return encode_frame(head + struct.pack("<II", told, 1))

    port = Liar()
    with pytest.raises(LinkError, match="TRACE"):
        DeviceClient(port).trace(0, 1000)
    assert len(port.bodies) == 1


def test_no_tensor_that_a_device_names_reaches_the_runtime_unchecked() -> None:
    import numpy as np

    from ecgseg.errors import ModelError
    from ecgseg.pipeline.segmenter import Segmenter
    from support.small_models import segmenter

    reference = Segmenter(segmenter(2))
    for tensor in (-1, 65535, 1 << 40):
        with pytest.raises(ModelError, match="no tensor"):
            reference.layer(np.zeros(250, np.int8), tensor)
