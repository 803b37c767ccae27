"""The link's C decoder and sessions, under ASan and UBSan, against the Python codec and a model of a session.

The driver echoes payloads reversed, so what it answers tells which request was carried out, and how often.
"""

from __future__ import annotations

import random
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cobs import cobs
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ecgseg.image.programs import LINK_PART
from ecgseg.link.error_table import error_number
from ecgseg.link.framing import FrameCounters, FrameDecoder, encode_frame
from ecgseg.link.messages import BY_COMMAND, request_body
from ecgseg.link.numbers import ANSWER_BIT, PAYLOAD_MAX, Command
from support import drivers

# Smallest and largest payload of the requests that an image for frames knows, as the driver is one: none of streams.
LIMITS = {
    command: (BY_COMMAND[command].smallest, BY_COMMAND[command].largest)
    for command in Command
    if command < Command.START
}


@dataclass(frozen=True)
class Outcome:
    """What the driver did: bytes on the wire and counters."""

    wire: bytes
    executed: int
    frames: int
    answers: int
    repeats: int
    bad_crc: int
    bad_cobs: int
    oversized: int
    too_short: int
    bad_version: int
    stale: int

    @property
    def counted(self) -> FrameCounters:
        return FrameCounters(self.frames, self.bad_crc, self.bad_cobs, self.oversized, self.too_short)


Driver = Callable[..., Outcome]
# Bytes that the port gives at once: one, odd numbers, the interrupt's 16, the application's 64, all there is.
PIECES = (1, 2, 3, 7, 16, 64, 65, 100_000)


@pytest.fixture(scope="module")
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("link") / "link_codec_driver"
    return drivers.build_with(LINK_PART, "link_codec_driver.c", target)


@pytest.fixture(scope="module")
def driver(binary: Path) -> Driver:
    def run(wire: bytes, piece: int | None = None) -> Outcome:
        # Another piece with other bytes, the same with the same.
        size = piece or PIECES[zlib.crc32(wire) % len(PIECES)]
        done = subprocess.run([binary, str(size)], input=wire, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return Outcome(done.stdout, *map(int, done.stderr.split()))

    return run


REMEMBERED = 16


@dataclass
class SessionModel:
    """docs/protocol.md, section 3, in Python: bodies of requests to bodies of answers."""

    sessions: list[int] = field(default_factory=list)
    newest: int = 0
    newest_body: bytes = b""
    kept: bytes = b""
    executed: int = 0
    answers: list[bytes] = field(default_factory=list)

    def receive(self, body: bytes) -> None:
        version, command, sequence = struct.unpack_from("<BBH", body)
        if version != 1:
            self.refuse(body, "BAD_VERSION")
            return
        hello = struct.unpack_from("<I", body, 4)[0] if command == Command.HELLO and len(body) == 8 else None
        if hello is not None and hello not in self.sessions[-REMEMBERED:]:
            self.sessions.append(hello)
            self.carry_out(command, sequence, body)
        elif not self.sessions:
            self.refuse(body, "NO_SESSION")
        elif sequence == self.newest and body == self.newest_body:
            self.answers.append(self.kept)
        elif self.is_old(hello, sequence):
            self.refuse(body, "STALE_SEQUENCE")
        else:
            self.carry_out(command, sequence, body)

    def is_old(self, hello: int | None, sequence: int) -> bool:
        reopens = hello is not None and hello != self.sessions[-1]
        return reopens or not 0 < (sequence - self.newest) % 0x10000 < 0x8000

    def carry_out(self, command: int, sequence: int, body: bytes) -> None:
        self.newest, self.newest_body = sequence, body
        self.kept = self.execute(command, sequence, body[4:])
        self.answers.append(self.kept)

    def refuse(self, body: bytes, error: str) -> None:
        self.answers.append(
            struct.pack("<BBHH", 1, body[1] | ANSWER_BIT, *struct.unpack("<H", body[2:4]), number(error))
        )

    def execute(self, command: int, sequence: int, payload: bytes) -> bytes:
        head = struct.pack("<BBH", 1, command | ANSWER_BIT, sequence)
        if command not in LIMITS:
            return head + struct.pack("<H", number("UNKNOWN_COMMAND"))
        smallest, largest = LIMITS[Command(command)]
        if not smallest <= len(payload) <= largest:
            return head + struct.pack("<H", number("BAD_LENGTH"))
        self.executed += 1
        if len(payload) == PAYLOAD_MAX:
            # The command byte no longer fits behind the reversed payload.
            return head + struct.pack("<H", number("OUT_OF_RANGE")) + payload[::-1]
        return head + struct.pack("<H", 0) + payload[::-1] + bytes([command])


def number(name: str) -> int:
    return error_number(name)


def expected(bodies: list[bytes]) -> SessionModel:
    model = SessionModel()
    for body in bodies:
        model.receive(body)
    return model


def check(driver: Driver, wire: bytes) -> Outcome:
    """Decoder and session agree with Python about any bytes on the wire."""
    decoder = FrameDecoder()
    bodies = decoder.feed(wire)
    model = expected(bodies)
    outcome = driver(wire)
    assert outcome.frames == len(bodies)
    assert outcome.counted == decoder.counters
    assert outcome.executed == model.executed
    assert outcome.answers == len(bodies), "every request with a good checksum gets exactly one answer"
    assert outcome.wire == b"".join(map(encode_frame, model.answers))
    return outcome


hello = st.builds(
    lambda sequence, session: request_body(Command.HELLO, sequence, struct.pack("<I", session)),
    st.integers(0, 0xFFFF),
    st.integers(0, 2),
)
sequences = st.one_of(st.integers(0, 6), st.sampled_from([0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF]))
payloads = st.one_of(
    st.binary(max_size=40),
    st.integers(240, 260).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    st.integers(PAYLOAD_MAX - 3, PAYLOAD_MAX + 3).map(lambda size: bytes(index % 255 + 1 for index in range(size))),
)
requests = st.builds(
    request_body,
    st.one_of(st.sampled_from(sorted(LIMITS)), st.sampled_from([0, Command.START, Command.FINISH, 0x7F, 0x80, 0xFF])),
    sequences,
    payloads,
    st.sampled_from([1, 1, 1, 1, 2, 0]),
)
frames = st.one_of(hello.map(encode_frame), requests.map(encode_frame))


@st.composite
def damaged_frames(draw: st.DrawFn) -> bytes:
    wire = bytearray(draw(frames))
    position = draw(st.integers(0, len(wire) - 1))
    kind = draw(st.sampled_from(["flip", "cut", "insert", "double", "swap"]))
    if kind == "flip":
        wire[position] ^= 1 << draw(st.integers(0, 7))
    elif kind == "cut":
        del wire[position : position + draw(st.integers(1, 8))]
    elif kind == "insert":
        wire[position:position] = draw(st.binary(min_size=1, max_size=8))
    elif kind == "double":
        wire[position:position] = wire[position : position + 4]
    elif position:
        wire[position - 1], wire[position] = wire[position], wire[position - 1]
    return bytes(wire)


def session_and(command: int) -> bytes:
    """The bytes of HELLO and of one more request without a payload."""
    requests = (request_body(Command.HELLO, 1, bytes(4)), request_body(command, 2, b""))
    return b"".join(map(encode_frame, requests))


pieces = st.one_of(frames, damaged_frames(), st.binary(max_size=300), st.just(bytes(3)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wire=st.lists(pieces, max_size=12).map(b"".join))
@example(wire=session_and(Command.START))
def test_c_and_python_agree_about_any_bytes_on_the_wire(driver: Driver, wire: bytes) -> None:
    check(driver, wire)


def test_c_and_python_agree_about_long_random_streams(driver: Driver) -> None:
    # Few zero bytes: frames of every length up to far beyond the limit.
    for seed in range(20):
        chance = random.Random(seed)
        noise = bytes(chance.randrange(1, 256) for _ in range(chance.randrange(6000)))
        middle = chance.randrange(len(noise) + 1)
        check(driver, noise[:middle] + b"\0" + encode_frame(good(1)) + noise[middle:])


def test_the_pieces_in_which_bytes_come_make_no_difference(driver: Driver) -> None:
    chance = random.Random(4)
    requests = [good(n, Command.WRITE, chance.randbytes(chance.randrange(PAYLOAD_MAX + 3))) for n in range(2, 30)]
    wire = encode_frame(good(1)) + b"".join(map(encode_frame, requests))
    for place in range(0, len(wire), 997):
        wire = wire[:place] + chance.randbytes(3) + wire[place:]
    outcomes = [driver(wire, piece) for piece in PIECES]
    assert outcomes[0].executed > 10
    assert all(outcome == outcomes[0] for outcome in outcomes)


def bitwise_crc(data: bytes) -> int:
    """CRC-32 of IEEE 802.3 by its definition, one bit after the other."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xEDB88320 * (crc & 1)
    return crc ^ 0xFFFFFFFF


def test_the_table_of_c_and_the_library_of_python_compute_the_crc_of_the_definition(binary: Path) -> None:
    data = bytes(range(256)) + random.Random(5).randbytes(200)
    parts = [data[at : at + size] for at in range(len(data)) for size in range(min(9, len(data) - at) + 1)]
    done = subprocess.run([binary, "crc"], input=data, capture_output=True, timeout=60, check=True)
    wanted = [bitwise_crc(part) for part in parts]
    assert [int(line, 16) for line in done.stdout.split()] == wanted
    assert [zlib.crc32(part) for part in parts] == wanted
    assert bitwise_crc(b"123456789") == 0xCBF43926


def good(sequence: int, command: Command = Command.HELLO, payload: bytes = b"\x07\0\0\0") -> bytes:
    return request_body(command, sequence, payload)


@pytest.mark.parametrize("size", [0, 1, 5, 6, 249, 250, 251, 252, 253, 254, 255, 507, 508, 509, PAYLOAD_MAX])
@pytest.mark.parametrize("fill", [0, 1, 0xFF])
def test_payloads_around_a_full_cobs_run_come_back_whole(driver: Driver, size: int, fill: int) -> None:
    # The CRC behind the payload shifts where runs end; all sizes near 254 and 508 are taken.
    outcome = check(driver, encode_frame(good(1)) + encode_frame(good(2, Command.WRITE, bytes([fill]) * size)))
    answers = FrameDecoder().feed(outcome.wire)
    assert len(answers) == 2


def test_a_repeated_request_is_answered_again_but_carried_out_once(driver: Driver) -> None:
    request = encode_frame(good(2, Command.WRITE, b"abcdef"))
    outcome = check(driver, encode_frame(good(1)) + request * 4)
    assert outcome.executed == 2
    assert outcome.repeats == 3
    answers = FrameDecoder().feed(outcome.wire)
    assert len(set(answers[1:])) == 1


def test_a_used_sequence_number_with_another_request_is_refused(driver: Driver) -> None:
    first, second = good(2, Command.WRITE, b"abcdef"), good(2, Command.WRITE, b"ABCDEF")
    outcome = check(driver, b"".join(map(encode_frame, (good(1), first, second, first))))
    assert outcome.stale == 1
    assert outcome.executed == 2


def test_nothing_is_carried_out_before_hello(driver: Driver) -> None:
    outcome = check(driver, encode_frame(good(1, Command.WRITE, b"abcdef")))
    assert outcome.executed == 0
    assert FrameDecoder().feed(outcome.wire)[0][4] == number("NO_SESSION")


def test_a_new_session_accepts_any_sequence_number(driver: Driver) -> None:
    outcome = check(driver, encode_frame(good(500)) + encode_frame(good(3, payload=b"\x08\0\0\0")))
    assert outcome.executed == 2


def test_sequence_numbers_wrap(driver: Driver) -> None:
    outcome = check(driver, encode_frame(good(0xFFFF)) + encode_frame(good(0, Command.STATS, b"")))
    assert outcome.executed == 2


def test_one_flipped_bit_anywhere_costs_no_more_than_its_frame(driver: Driver) -> None:
    """A damaged request is never carried out, and the one behind it always is."""
    opening = encode_frame(good(1))
    middle = encode_frame(good(2, Command.WRITE, b"middle"))
    last = encode_frame(good(3, Command.WRITE, b"abcdef"))
    for position in range(1, len(middle) - 1):
        for bit in range(8):
            wire = bytearray(middle)
            wire[position] ^= 1 << bit
            outcome = check(driver, opening + bytes(wire) + last)
            assert outcome.executed == 2


def test_a_lost_delimiter_costs_at_most_the_frames_it_joins(driver: Driver) -> None:
    opening, one, two = (
        encode_frame(good(n, *rest)) for n, *rest in ((1,), (2, Command.STATS, b""), (3, Command.STATS, b""))
    )
    # Each frame has a delimiter on both sides, so a single lost one joins nothing.
    assert check(driver, opening + one[:-1] + two).executed == 3
    assert check(driver, opening + one[:-1] + two[1:]).executed == 1
    assert check(driver, opening + one[:-1] + two[1:] + encode_frame(good(4, Command.STATS, b""))).executed == 2


def test_a_frame_with_a_good_checksum_that_is_too_long_is_dropped(driver: Driver) -> None:
    body = good(2, Command.WRITE, bytes(PAYLOAD_MAX + 3))
    outcome = check(driver, encode_frame(good(1)) + encode_frame(body) + encode_frame(good(2, Command.STATS, b"")))
    assert outcome.oversized == 1
    assert outcome.executed == 2


def test_a_frame_is_what_the_definition_of_cobs_says() -> None:
    """The Python side itself against the definition, so that both sides cannot be wrong together."""
    body = bytes.fromhex("01030201") + bytes(range(1, 255))
    frame = encode_frame(body)
    assert frame[0] == frame[-1] == 0
    assert 0 not in frame[1:-1]
    assert frame[1] == 0xFF
    assert cobs.decode(frame[1:-1])[:-4] == body
