"""BENCH leaves the device deaf for about a second of its own clock at most, whatever a host asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ecgseg.errors import DeviceError
from ecgseg.link import BenchKind, DeviceClient, ReadKind
from ecgseg.link.error_table import error_number
from ecgseg.link.messages import BY_COMMAND, pack, unpack
from ecgseg.link.numbers import Command
from ecgseg.link.transport import Transport
from support import drivers, model_double
from support.pipe_port import PipePort

TICKS_A_SECOND = 1000
"""Of the board double, whose time passes by being asked for."""
LONGEST_REPETITION = 100
"""Ticks: one hop of the preprocessor takes 40, and as many again are for the requests around it."""
KINDS = pytest.mark.parametrize("kind", list(BenchKind), ids=lambda kind: kind.name.lower())


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    generated = model_double.write_segmenter(folder / "generated")
    return drivers.build_app(generated, "board_double.c", folder / "double", stream=True)


@contextmanager
def running(program: Path) -> Iterator[PipePort]:
    """A process that has to end well, without a sanitizer's report."""
    port = PipePort(program)
    try:
        yield port
        assert port.finish() == (0, "")
    finally:
        port.close()


def ask(link: Transport, command: Command, **values: Any) -> dict[str, Any]:
    """One request, with no client that knows better than to send it."""
    message = BY_COMMAND[command]
    return unpack(message.answer, link.request(command, pack(message.request, values)))


def error_of(link: Transport, command: Command, **values: Any) -> int:
    with pytest.raises(DeviceError) as caught:
        ask(link, command, **values)
    return caught.value.code


@KINDS
def test_what_takes_more_than_a_second_is_ended_and_refused(program: Path, kind: BenchKind) -> None:
    with running(program) as port:
        link = Transport(port)
        ask(link, Command.HELLO, session=1)
        before = ask(link, Command.STATS)["ticks"]
        assert error_of(link, Command.BENCH, kind=kind, layer=0, repetitions=0xFFFF) == error_number("TOO_LONG")
        passed = ask(link, Command.STATS)["ticks"] - before
        assert TICKS_A_SECOND <= passed <= TICKS_A_SECOND + LONGEST_REPETITION


@KINDS
def test_what_takes_less_than_a_second_is_answered(program: Path, kind: BenchKind) -> None:
    with running(program) as port:
        link = Transport(port)
        ask(link, Command.HELLO, session=1)
        once, often = (ask(link, Command.BENCH, kind=kind, layer=0, repetitions=count)["ticks"] for count in (1, 20))
        assert often == 20 * once > 0


def test_a_refused_bench_leaves_no_result_and_a_stream_that_begins_anew(program: Path) -> None:
    with running(program) as port:
        link = Transport(port)
        ask(link, Command.HELLO, session=1)
        for kind in BenchKind:
            error_of(link, Command.BENCH, kind=kind, layer=0, repetitions=0xFFFF)
            assert error_of(link, Command.FRAME) == error_number("NO_FRAME")
            asked = {"kind": ReadKind.SCORES, "offset": 0, "length": 1}
            assert error_of(link, Command.READ, **asked) == error_number("NO_RESULT")
        assert ask(link, Command.PUSH, first_index=0, samples=bytes(2))["samples_seen"] == 1


def test_a_client_asks_for_less_at_a_time_and_gets_all_repetitions(program: Path) -> None:
    with running(program) as port:
        client = DeviceClient(port)
        client.hello()
        once = client.bench(BenchKind.INFERENCE)
        assert client.bench(BenchKind.INFERENCE, 5000, at_once=5000) == 5000 * once
