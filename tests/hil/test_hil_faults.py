"""The faulty wire: it does what its plan says, and the same for the same seed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ecgseg.errors import UsageError
from ecgseg.hil.faults import FaultPlan, FaultyPort


class Loop:
    """What is written can be read."""

    def __init__(self) -> None:
        self.timeout: float | None = 0.0
        self.baudrate = 115200
        self.data = bytearray()

    @property
    def in_waiting(self) -> int:
        return len(self.data)

    def read(self, size: int = 1, /) -> bytes:
        part = bytes(self.data[:size])
        del self.data[:size]
        return part

    def write(self, data: bytes, /) -> int:
        self.data += data
        return len(data)

    def close(self) -> None:
        self.data.clear()


MESSAGE = bytes(range(256)) * 4


def through(to_device: FaultPlan, seed: int = 1) -> tuple[bytes, FaultyPort]:
    loop = Loop()
    port = FaultyPort(loop, to_device=to_device, seed=seed)
    port.write(MESSAGE)
    return bytes(loop.data), port


def test_a_wire_without_faults_changes_nothing() -> None:
    out, port = through(FaultPlan())
    assert out == MESSAGE
    assert port.to_device_faults.total == 0


def test_flip_at_changes_one_bit_of_exactly_that_byte() -> None:
    loop = Loop()
    port = FaultyPort(loop, to_device=FaultPlan(flip_at=frozenset({5})))
    port.write(MESSAGE[:4])
    port.write(MESSAGE[4:])
    differing = [i for i, (a, b) in enumerate(zip(loop.data, MESSAGE, strict=True)) if a != b]
    assert differing == [5]
    assert (loop.data[5] ^ MESSAGE[5]).bit_count() == 1


@pytest.mark.parametrize("kind", ["drop", "flip", "duplicate", "insert", "swap"])
def test_each_fault_happens_about_as_often_as_asked_and_is_counted(kind: str) -> None:
    out, port = through(FaultPlan(**{kind: 0.05}))
    assert out != MESSAGE
    assert 20 < port.to_device_faults.total < 100
    lost = port.to_device_faults.dropped
    gained = port.to_device_faults.duplicated + port.to_device_faults.inserted
    assert len(out) == len(MESSAGE) - lost + gained


def test_the_seed_decides_the_faults() -> None:
    plan = FaultPlan(drop=0.02, flip=0.02, duplicate=0.02)
    assert through(plan, seed=7)[0] == through(plan, seed=7)[0]
    assert through(plan, seed=7)[0] != through(plan, seed=8)[0]


def test_received_bytes_have_their_own_faults() -> None:
    loop = Loop()
    port = FaultyPort(loop, to_host=FaultPlan(flip_at=frozenset({0})))
    port.write(b"ab")
    assert bytes(loop.data) == b"ab"
    received = port.read(2)
    assert received != b"ab"
    assert received[1:] == b"b"
    assert port.to_host_faults.flipped == 1


def test_a_delayed_transfer_is_not_readable_before_its_time_and_nothing_overtakes_it() -> None:
    loop = Loop()
    port = FaultyPort(loop, to_host=FaultPlan(delay=1.0, delay_seconds=0.05))
    port.write(b"first")
    assert port.in_waiting == 0
    port.write(b"second")
    port.timeout = 10.0
    received = b""
    while len(received) < len(b"firstsecond"):
        received += port.read(64)
    assert received == b"firstsecond"
    assert port.to_host_faults.delayed == 2


def test_a_rate_that_is_no_probability_is_refused() -> None:
    with pytest.raises(UsageError):
        FaultPlan(drop=1.5)


@pytest.mark.parametrize("rate", [0.0, 0.02, 0.5, 1.0])
def test_how_bytes_are_cut_into_transfers_changes_no_fault(rate: float) -> None:
    plan = FaultPlan(drop=rate, flip=rate, duplicate=rate, insert=rate, flip_at=frozenset({3, 700}))
    whole, port = through(plan, seed=5)
    loop = Loop()
    parts = FaultyPort(loop, to_device=plan, seed=5)
    for start in range(0, len(MESSAGE), 7):
        parts.write(MESSAGE[start : start + 7])
    assert bytes(loop.data) == whole
    assert parts.to_device_faults == port.to_device_faults


@pytest.mark.parametrize("kind", ["drop", "flip", "duplicate", "insert"])
def test_a_certain_fault_meets_every_byte_and_a_vanishing_one_none(kind: str) -> None:
    assert through(FaultPlan(**{kind: 1.0}))[1].to_device_faults.total == len(MESSAGE)
    assert through(FaultPlan(**{kind: 5e-324}))[0] == MESSAGE


def test_distances_between_faults_are_those_of_chance_at_every_byte() -> None:
    loop = Loop()
    port = FaultyPort(loop, to_device=FaultPlan(flip=0.1))
    for _ in range(100):
        port.write(bytes(1000))
    hit = [index for index, byte in enumerate(loop.data) if byte]
    gaps = [after - before for before, after in pairwise(hit)]
    # Geometric: a tenth of the gaps is 1, 0.9 ** 20 of them longer than 20.
    assert 9500 < len(hit) < 10500
    assert 0.08 < sum(gap == 1 for gap in gaps) / len(gaps) < 0.12
    assert 0.10 < sum(gap > 20 for gap in gaps) / len(gaps) < 0.145
