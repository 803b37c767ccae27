"""What the app asks of a board: core clock, restart, fault record, an answer that did not go out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ecgseg.errors import DeviceError
from ecgseg.link import DeviceClient, Fault
from ecgseg.link.error_table import error_number
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.messages import parse_answer, request_body
from ecgseg.link.numbers import Command
from support import drivers, model_double
from support.pipe_port import PipePort

REFUSED_BAUD = 444444


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("double")
    generated = model_double.write_plain(folder / "generated", 16)
    return drivers.build_app(generated, "board_double.c", folder / "double")


@contextmanager
def device(program: Path, told: list[str]) -> Iterator[DeviceClient]:
    """A client; when it is done, `told` holds what the board was asked for."""
    port = PipePort(program)
    try:
        yield DeviceClient(port, answer_seconds=0.3)
        code, errors = port.finish()
        told += errors.splitlines()
        assert code == 0, errors
    finally:
        port.close()


def test_a_baud_rate_that_the_port_refuses_changes_nothing(program: Path) -> None:
    told: list[str] = []
    with device(program, told) as client:
        client.hello()
        client.set_baud(REFUSED_BAUD)
        assert client.stats().frames == 4
    assert told == [f"baud {REFUSED_BAUD}"]


@pytest.mark.parametrize("baud", [0, 9599, 1000001, 0xFFFFFFFF])
def test_a_baud_rate_out_of_range_never_reaches_the_port(program: Path, baud: int) -> None:
    told: list[str] = []
    with device(program, told) as client:
        client.hello()
        with pytest.raises(DeviceError) as caught:
            client.set_baud(baud)
        assert caught.value.code == error_number("NOT_SUPPORTED")
    assert told == []


def test_the_core_clock_changes_or_is_refused_and_stays(program: Path) -> None:
    told: list[str] = []
    with device(program, told) as client:
        assert client.hello().core_hz == 96_000_000
        assert client.set_clock(192_000_000) == 192_000_000
        assert client.info.core_hz == 192_000_000
        assert client.info.units(1000) == 192_000_000
        with pytest.raises(DeviceError) as caught:
            client.set_clock(100_000_000)
        assert caught.value.code == error_number("NOT_SUPPORTED")
        assert client.hello().core_hz == 192_000_000
    assert told == ["clock 192000000", "clock 100000000"]


def test_hello_tells_the_fault_record_as_often_as_it_is_asked(program: Path) -> None:
    with device(program, []) as client:
        fault = Fault(6, (0, 1, 2, 3, 12, 14, 15, 16), 0x100, 0x200, 0x300, 0x400)
        assert [client.hello().fault for _ in range(2)] == [fault, fault]
        assert client.info.reset_cause == 5
        assert client.stats().stack_high_water == 1234


def test_an_answer_that_did_not_go_out_is_sent_for_the_repetition(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOARD_DOUBLE_MUTE", "1")
    with device(program, []) as client:
        assert client.hello().board == "double"
        assert client.counters.retries == 1
        stats = client.stats()
        assert (stats.tx_timeouts, stats.repeats, stats.frames, stats.answers) == (1, 1, 3, 1)


def test_restart_comes_after_its_answer(program: Path) -> None:
    process = PipePort(program)
    try:
        process.write(encode_frame(request_body(Command.HELLO, 1, bytes(4))))
        process.write(encode_frame(request_body(Command.RESTART, 2, b"")))
        decoder, bodies = FrameDecoder(), []
        for _ in range(1000):
            bodies += decoder.feed(process.read())
            if len(bodies) == 2:
                break
        answer = parse_answer(bodies[1])
        assert answer is not None
        assert (answer.command, answer.sequence, answer.error) == (Command.RESTART, 2, 0)
        assert process.finish() == (0, "restart 0\n")
    finally:
        process.close()
