"""Changes of the baud rate, and restarts, with answers that get lost: both ends always find each other again."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecgseg.errors import DeviceError, LinkError
from ecgseg.link import DeviceClient
from ecgseg.link.numbers import ANSWER_BIT, Command
from support import drivers, model_double
from support.pipe_port import PipePort, ending_well

DEAF = 250000
_HEAD = struct.Struct("<II")


class BaudPort(PipePort):
    """A port with a baud rate: what comes at another rate than this side's is noise.

    Attributes:
        lose: commands whose next answer is lost.
    """

    def __init__(self, elf: Path) -> None:
        super().__init__(elf)
        self._received = b""
        self.lose: list[Command] = []

    def write(self, data: bytes, /) -> int:
        super().write(_HEAD.pack(self.baudrate, len(data)) + data)
        return len(data)

    def read(self, size: int = 1, /) -> bytes:
        self._received += super().read(size)
        out = b""
        while len(self._received) >= _HEAD.size:
            baud, length = _HEAD.unpack_from(self._received)
            record = self._received[_HEAD.size : _HEAD.size + length]
            if len(record) < length:
                break
            self._received = self._received[_HEAD.size + length :]
            out += self._heard(baud, record)
        return out

    def _heard(self, baud: int, record: bytes) -> bytes:
        # Delimiter and COBS code, then version and command.
        for command in self.lose:
            if record[3] == command | ANSWER_BIT:
                self.lose.remove(command)
                return b""
        return record if baud == self.baudrate else bytes(byte ^ 0xA5 for byte in record)


@pytest.fixture(scope="module")
def elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baud")
    generated = model_double.write_plain(folder / "generated", 16)
    return drivers.build_app(generated, "baud_board.c", folder / "ecgseg.elf")


@pytest.fixture
def port(elf: Path) -> Iterator[BaudPort]:
    with ending_well(BaudPort(elf)) as port:
        yield port


def connected(port: BaudPort) -> DeviceClient:
    client = DeviceClient(port, answer_seconds=0.1)
    client.hello()
    return client


def test_both_ends_change_the_rate(port: BaudPort) -> None:
    client = connected(port)
    client.set_baud(921600)
    assert port.baudrate == 921600
    assert client.counters.retries == 0
    client.set_baud(115200)
    assert client.stats().bad_crc == 0


def test_a_rate_beyond_the_boards_is_refused_and_nothing_changes(port: BaudPort) -> None:
    client = connected(port)
    for baud in (1000001, 0, 9599):
        with pytest.raises(DeviceError, match="NOT_SUPPORTED"):
            client.set_baud(baud)
    assert port.baudrate == 115200
    client.stats()


@pytest.mark.slow
def test_a_rate_that_does_not_work_is_left_again_by_both_ends(port: BaudPort) -> None:
    client = connected(port)
    with pytest.raises(LinkError, match="does not answer"):
        client.set_baud(DEAF)
    assert port.baudrate == 115200
    client.stats()
    client.set_baud(921600)


@pytest.mark.slow
def test_a_lost_answer_to_set_baud_still_ends_at_the_new_rate(port: BaudPort) -> None:
    client = connected(port)
    port.lose.append(Command.SET_BAUD)
    client.set_baud(460800)
    assert port.baudrate == 460800
    assert not port.lose
    assert client.counters.retries > 0
    client.stats()


def test_a_rate_that_was_never_confirmed_is_left_again(port: BaudPort) -> None:
    client = connected(port)
    client.set_baud(460800)
    # The device changes, but this host does not follow.
    client._transport.request(Command.SET_BAUD, struct.pack("<I", 57600))
    assert client.stats().frames > 0
    assert port.baudrate == 460800


def test_a_lost_answer_to_restart_is_a_restart_all_the_same(port: BaudPort) -> None:
    client = connected(port)
    for _ in range(10):
        client.stats()
    port.lose.append(Command.RESTART)
    client.restart()
    assert not port.lose
    assert client.stats().frames < 10
