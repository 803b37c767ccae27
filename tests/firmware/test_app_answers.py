"""What the app tells stands under the right name: a value in the place of another, or one left out, shows.

That C and Python agree about order and width of fields is shown in test_link_messages_c.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from ecgseg.codegen.render import engine_version
from ecgseg.image.build import build
from ecgseg.link import DeviceClient, TimeBase
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.messages import BY_COMMAND, parse_answer, request_body, unpack
from ecgseg.link.numbers import Command
from support import drivers, model_double
from support.pipe_port import PipePort

pytestmark = pytest.mark.slow

INPUTS = 16
HELLO = encode_frame(request_body(Command.HELLO, 1, bytes(4)))
STATS = encode_frame(request_body(Command.STATS, 2, b""))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("double")
    generated = model_double.write_plain(folder / "generated", INPUTS)
    return drivers.build_app(generated, "board_double.c", folder / "double")


@contextmanager
def running(program: Path) -> Iterator[PipePort]:
    """A process that has to end well, without a sanitizer's report."""
    port = PipePort(program)
    try:
        yield port
        assert port.finish() == (0, "")
    finally:
        port.close()


def last_answer(port: PipePort, count: int) -> bytes:
    """Payload of the last of so many answers."""
    decoder, bodies = FrameDecoder(), []
    deadline = time.monotonic() + 20.0
    while len(bodies) < count and time.monotonic() < deadline:
        bodies += decoder.feed(port.read())
    assert len(bodies) == count
    answer = parse_answer(bodies[-1])
    assert answer is not None
    assert answer.error == 0
    return answer.payload


def test_hello_tells_each_value_under_its_own_name(program: Path) -> None:
    with running(program) as port:
        told = asdict(DeviceClient(port).hello())
    assert told == {
        "protocol_version": 1,
        "engine_version": engine_version(),
        "engine_status": 0,
        "payload_max": 1024,
        "time_base": TimeBase.CYCLES,
        "core_hz": 96_000_000,
        "tick_hz": 1000,
        "max_baud": 1_000_000,
        "input_bytes": INPUTS,
        "output_bytes": INPUTS,
        "frame_length": 0,
        "class_count": 0,
        "input_scale": 1 / 32,
        "input_zero_point": -3,
        "output_scale": 1 / 128,
        "output_zero_point": 7,
        "arena_bytes": INPUTS,
        "macs": INPUTS,
        "layer_count": 2,
        "input_rate": 0,
        "factor": 0,
        "hop": 0,
        "delay": 0,
        "flat_uv": 0,
        "reset_cause": 5,
        "fault": {
            "type": 6,
            "registers": (0, 1, 2, 3, 12, 14, 15, 16),
            "cfsr": 0x100,
            "hfsr": 0x200,
            "mmfar": 0x300,
            "bfar": 0x400,
        },
        "model_sha256": model_double.SHA256,
        "board": "double",
        "build_id": "double",
        "model_name": model_double.NAME,
        "backend": "aot",
    }


def test_hello_of_a_segmenter_tells_its_stream(tmp_path: Path) -> None:
    wanted = model_double.parameters(input_rate=1000, hop=125)
    image = build("host", model_double.write_segmenter(tmp_path / "generated", wanted), out_dir=tmp_path / "image")
    with running(image.elf) as port:
        info = DeviceClient(port).hello()
    assert (info.input_bytes, info.output_bytes, info.frame_length, info.class_count) == (250, 1000, 250, 4)
    told = (info.input_rate, info.factor, info.hop, info.delay, info.flat_uv)
    assert told == (1000, 10, 125, wanted.delay, wanted.flat_uv)
    assert len(set(told)) == 5


def test_stats_tell_each_counter_under_its_own_name(program: Path) -> None:
    """Everything that is counted happens another number of times."""
    wire = (
        HELLO * 9
        + encode_frame(b"ab") * 2
        + b"\x00\x09ab\x00" * 3
        + (b"\x00" + b"\x01" * 1200 + b"\x00") * 4
        + (STATS[:-2] + bytes([STATS[-2] ^ 1]) + b"\x00") * 5
        + encode_frame(request_body(Command.STATS, 2, b"", version=9)) * 6
        + encode_frame(request_body(Command.STATS, 0, b"")) * 7
    )
    answers = 9 + 6 + 7
    with running(program) as port:
        port.write(wire + STATS)
        told = unpack(BY_COMMAND[Command.STATS].answer, last_answer(port, answers + 1))
    told.pop("ticks")
    assert told == {
        "stack_high_water": 1234,
        "frames": answers + 1,
        "answers": answers,
        "repeats": 8,
        "too_short": 2,
        "bad_cobs": 3,
        "oversized": 4,
        "bad_crc": 5,
        "bad_version": 6,
        "stale": 7,
        "rx_overruns": 31,
        "rx_framing_errors": 32,
        "rx_breaks": 33,
        "tx_timeouts": 0,
    }
