"""What C and Python make of the one description of the link: the same numbers, limits and bytes."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecgseg.image.programs import LINK_PART
from ecgseg.link import numbers
from ecgseg.link.description import Field, Message
from ecgseg.link.error_table import error_table
from ecgseg.link.messages import MESSAGES, pack, unpack
from support import drivers

Driver = Callable[..., str]
ENUMS = {
    "COMMAND": numbers.Command,
    "READ": numbers.ReadKind,
    "BENCH": numbers.BenchKind,
    "TIME_BASE": numbers.TimeBase,
    "PUSH": numbers.PushFlags,
    "START": numbers.StartOptions,
    "STREAM": numbers.StreamFlags,
    "LOSS": numbers.LossKind,
}


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Driver:
    target = tmp_path_factory.mktemp("messages") / "link_messages_driver"
    binary = drivers.build_with(LINK_PART, "link_messages_driver.c", target, flags=("-DECGSEG_LINK_STREAM",))

    def run(what: str, text: str = "") -> str:
        done = subprocess.run([binary, what], input=text, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_every_number_of_c_is_that_of_python(driver: Driver) -> None:
    found = {name: int(number) for name, number in (line.split() for line in driver("numbers").splitlines())}
    wanted = {name: value for name, value in vars(numbers).items() if isinstance(value, int) and name.isupper()}
    for prefix, enum in ENUMS.items():
        wanted |= {f"{prefix}_{member.name}": int(member) for member in enum}
    for message in MESSAGES:
        wanted |= {f"{message.name}_SMALLEST": message.smallest, f"{message.name}_LARGEST": message.largest}
    wanted |= {f"ERROR_{entry.name}": entry.number for entry in error_table().values()}
    assert found == wanted


def filled(fields: tuple[Field, ...], running: Iterator[int]) -> dict[str, Any]:
    """The values that the driver gives to the fields of an answer."""
    values: dict[str, Any] = {}
    for field in fields:
        if field.kind == "bytes":
            values[field.name] = b""
            continue
        first = next(running)
        kind, _, count = field.kind.rstrip("]").partition("[")
        elements = range(first, first + int(count or 1))
        several: Any = bytes(elements) if kind == "u8" else tuple(elements)
        values[field.name] = several if count else f"t{first}" if kind == "text" else first
    return values


def test_every_answer_that_c_writes_is_read_by_python_field_by_field(driver: Driver) -> None:
    running = itertools.count(1)
    lines = driver("answers").splitlines()
    for message, line in zip(MESSAGES, lines, strict=True):
        name, payload = line.split(" ")
        assert (name, unpack(message.answer, bytes.fromhex(payload))) == (message.name, filled(message.answer, running))


@pytest.mark.parametrize("message", [m for m in MESSAGES if m.request], ids=lambda message: message.name)
def test_every_request_that_python_writes_is_read_by_c_field_by_field(driver: Driver, message: Message) -> None:
    # The highest byte of every field is used, so that a field read too narrow shows.
    values = {field.name: (1 << 8 * field.least - 1) + number for number, field in enumerate(message.request)}
    rest = {field.name: bytes(range(1, 31)) for field in message.request if field.kind == "bytes"}
    told = driver("requests", f"{message.name} {pack(message.request, values | rest).hex()}\n").split()
    wanted = [values[field.name] for field in message.request if field.kind != "bytes"]
    assert told == [message.name, *map(str, wanted), str(30 if rest else 0)]
