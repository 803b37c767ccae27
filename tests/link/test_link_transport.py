"""The host's end of the link against a device that says anything at all: an answer, or one clear error."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
import serial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgseg.errors import DeviceError, EcgsegError, LinkError, UsageError
from ecgseg.link import BenchKind, DeviceClient, ReadKind, WrongIndexError
from ecgseg.link.error_table import error_number
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.messages import BY_COMMAND, pack
from ecgseg.link.numbers import ANSWER_BIT, PAYLOAD_MAX, Command
from ecgseg.link.ports import set_baud_rate
from ecgseg.link.transport import Transport

Script = Callable[[bytes], bytes]


class ScriptedPort:
    """A device made of one function: from the body of a request to the bytes on the wire."""

    def __init__(self, script: Script) -> None:
        self.timeout: float | None = 0.0
        self.rate = 115200
        self.script = script
        self.requests: list[bytes] = []
        self.data = bytearray()
        self.decoder = FrameDecoder()

    @property
    def baudrate(self) -> int:
        return self.rate

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        if baud == 12345:
            raise ValueError("Failed to set custom baud rate")
        self.rate = baud

    @property
    def in_waiting(self) -> int:
        return len(self.data)

    def read(self, size: int = 1, /) -> bytes:
        part = bytes(self.data[:size])
        del self.data[:size]
        return part

    def write(self, data: bytes, /) -> int:
        for body in self.decoder.feed(data):
            self.requests.append(body)
            self.data += self.script(body)
        return len(data)

    def close(self) -> None:
        self.data.clear()


def answer(body: bytes, payload: bytes = b"", error: int = 0, version: int = 1) -> bytes:
    """Wire bytes of the answer to a request."""
    return encode_frame(bytes([version, body[1] | ANSWER_BIT]) + body[2:4] + struct.pack("<H", error) + payload)


HELLO = {
    field.name: {"text": "text", "f32": 0.5, "u32[8]": (0,) * 8, "u8[32]": bytes(32)}.get(field.kind, 1)
    for field in BY_COMMAND[Command.HELLO].answer
} | {"payload_max": PAYLOAD_MAX, "input_bytes": 250, "output_bytes": 1000, "frame_length": 250, "class_count": 4}
SIZES = ("payload_max", "tick_hz", "input_bytes", "output_bytes", "frame_length", "class_count", "factor", "hop")


def hello_or(script: Script, **different: object) -> Script:
    """Answers HELLO as it should be, but for what is `different`, and everything else by the script."""
    payload = pack(BY_COMMAND[Command.HELLO].answer, HELLO | different)
    return lambda body: answer(body, payload) if body[1] == Command.HELLO else script(body)


def transport(script: Script, attempts: int = 3, answer_seconds: float = 1.0) -> Transport:
    """A link to a scripted device. Only one that says nothing is worth a short wait: a test may itself have to wait,
    for a processor, and would ask again.
    """
    return Transport(ScriptedPort(script), answer_seconds=answer_seconds, attempts=attempts)


def test_an_answer_is_the_payload_that_came() -> None:
    link = transport(lambda body: answer(body, body[4:][::-1]))
    assert link.request(Command.WRITE, b"abcdef") == b"fedcba"
    assert (link.counters.requests, link.counters.retries) == (1, 0)


def test_a_request_is_repeated_byte_for_byte_until_it_is_answered() -> None:
    seen: list[bytes] = []

    def third_time(body: bytes) -> bytes:
        seen.append(body)
        return answer(body) if len(seen) == 3 else b""

    link = transport(third_time, answer_seconds=0.05)
    link.request(Command.STATS)
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert link.counters.retries == 2


def test_sequence_numbers_count_up_and_wrap() -> None:
    seen: list[int] = []

    def note(body: bytes) -> bytes:
        seen.append(int.from_bytes(body[2:4], "little"))
        return answer(body)

    link = transport(note)
    link._sequence = 0xFFFD
    for _ in range(4):
        link.request(Command.STATS)
    assert seen == [0xFFFE, 0xFFFF, 0, 1]


def test_an_error_answer_is_a_verdict_and_is_not_asked_again() -> None:
    port = ScriptedPort(lambda body: answer(body, error=error_number("ENGINE_FAILED")))
    with pytest.raises(DeviceError) as caught:
        Transport(port).request(Command.INFER)
    assert caught.value.code == error_number("ENGINE_FAILED")
    assert "ENGINE_FAILED" in caught.value.what
    assert caught.value.remedy
    assert len(port.requests) == 1


def test_a_wrong_index_tells_the_expected_one() -> None:
    link = transport(lambda body: answer(body, struct.pack("<I", 4711), error_number("WRONG_INDEX")))
    with pytest.raises(WrongIndexError) as caught:
        link.request(Command.PUSH, bytes(6))
    assert caught.value.expected == 4711
    assert "4711" in caught.value.why


def test_answers_to_other_requests_are_dropped_and_counted() -> None:
    def stray_first(body: bytes) -> bytes:
        sequence = (int.from_bytes(body[2:4], "little") - 1) & 0xFFFF
        old = bytes([1, body[1] | ANSWER_BIT]) + sequence.to_bytes(2, "little") + bytes(2) + b"old"
        other = bytes([1, Command.FRAME | ANSWER_BIT]) + body[2:4] + bytes(2) + b"other"
        return encode_frame(old) + encode_frame(other) + encode_frame(body) + answer(body, b"new")

    link = transport(stray_first)
    assert link.request(Command.STATS) == b"new"
    assert link.counters.stray_answers == 3
    assert link.counters.retries == 0


def test_noise_around_an_answer_does_not_hide_it() -> None:
    link = transport(lambda body: b"\x05noise" + answer(body, b"yes") + b"more\x00")
    assert link.request(Command.STATS) == b"yes"
    assert link.counters.crc_errors == 2


def test_a_device_of_another_version_is_named_as_such() -> None:
    link = transport(lambda body: answer(body, error=error_number("BAD_VERSION"), version=9))
    with pytest.raises(LinkError, match="version 9"):
        link.request(Command.STATS)


def test_a_payload_that_no_device_takes_is_refused_before_it_is_sent() -> None:
    port = ScriptedPort(answer)
    with pytest.raises(UsageError, match="does not fit"):
        Transport(port).request(Command.WRITE, bytes(PAYLOAD_MAX + 1))
    assert not port.requests


@pytest.mark.parametrize("failure", [serial.SerialException("unplugged"), OSError(5, "Input/output error")])
def test_a_port_that_goes_away_is_a_link_error(failure: Exception) -> None:
    def unplugged(body: bytes) -> bytes:
        raise failure

    with pytest.raises(LinkError, match="port is gone"):
        transport(unplugged).request(Command.STATS)


def test_a_port_that_takes_nothing_is_no_answer() -> None:
    def stuck(body: bytes) -> bytes:
        raise serial.SerialTimeoutException("Write timeout")

    with pytest.raises(LinkError, match="does not answer"):
        transport(stuck, answer_seconds=0.002).request(Command.STATS)


def test_a_rate_that_this_computer_cannot_do_is_a_link_error_and_leaves_the_old_one() -> None:
    port = ScriptedPort(answer)
    with pytest.raises(LinkError, match="12345 baud"):
        set_baud_rate(port, 12345)
    assert port.baudrate == 115200


def test_a_read_that_comes_back_short_is_an_error() -> None:
    client = DeviceClient(ScriptedPort(hello_or(lambda body: answer(body, b"short"))))
    with pytest.raises(LinkError, match="5 bytes instead of 250"):
        client.read(ReadKind.MASK, 250)


CALLS: tuple[Callable[[DeviceClient], object], ...] = (
    lambda client: client.hello(),
    lambda client: client.reset_stream(),
    lambda client: client.push(0, np.zeros(10, np.int16)),
    lambda client: client.frame(),
    lambda client: client.infer(np.zeros(250, np.int8)),
    lambda client: client.trace(0, 250),
    lambda client: client.layers(),
    lambda client: client.stats(),
    lambda client: client.bench(BenchKind.INFERENCE, 2),
    lambda client: client.set_clock(96_000_000),
    lambda client: client.require_model("0" * 64),
)

answers = st.tuples(
    st.one_of(st.binary(max_size=60), st.integers(0, 4).map(lambda size: b"\xff" * size)),
    st.sampled_from([0, 0, 0, 0, 7, 15, 16, 0xFFFF]),
    st.sampled_from([1, 1, 1, 1, 0, 2]),
    st.sampled_from(["answer", "answer", "answer", "noise", "cut"]),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CALLS), st.lists(answers, min_size=1, max_size=6), st.booleans())
def test_whatever_a_device_answers_ends_in_a_result_or_one_clear_error(
    call: Callable[[DeviceClient], object], said: list[tuple[bytes, int, int, str]], greets: bool
) -> None:
    turn = iter(said * 4)

    def anything(body: bytes) -> bytes:
        payload, error, version, kind = next(turn, (b"", 1, 1, "answer"))
        if kind == "noise":
            return payload
        wire = answer(body, payload, error, version)
        return wire[: len(wire) // 2] if kind == "cut" else wire

    script = hello_or(anything) if greets else anything
    call_and_judge(call, script)


def call_and_judge(call: Callable[[DeviceClient], object], script: Script) -> None:
    """A result or an error that says what to do; anything else raises."""
    client = DeviceClient(ScriptedPort(script), answer_seconds=0.001, attempts=2)
    refused: EcgsegError | None = None
    try:
        call(client)
    except EcgsegError as error:
        refused = error
    assert refused is None or (refused.what and refused.remedy)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(CALLS),
    st.dictionaries(st.sampled_from(SIZES), st.sampled_from([0, 1, 3, 255, 256, 1000, 65535]), max_size=3),
    st.integers(0, 1200),
)
def test_whatever_sizes_a_device_claims_end_in_a_result_or_one_clear_error(
    call: Callable[[DeviceClient], object], sizes: dict[str, int], length: int
) -> None:
    call_and_judge(call, hello_or(lambda body: answer(body, bytes(length)), **sizes))


@pytest.mark.parametrize(
    "sizes",
    [{"payload_max": 0}, {"payload_max": 65535}, {"tick_hz": 0}, {"hop": 0}, {"output_bytes": 999}, {"input_bytes": 1}],
)
def test_a_device_that_contradicts_itself_is_refused(sizes: dict[str, int]) -> None:
    port = ScriptedPort(hello_or(answer, **sizes))
    with pytest.raises(LinkError, match="contradicts itself"):
        DeviceClient(port).hello()
