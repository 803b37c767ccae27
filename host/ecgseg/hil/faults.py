"""A faulty wire: a port that loses, changes, repeats and delays bytes, the same ones for the same seed.

Tests and `tools/` put it between a client and a device to show that what arrives is right or an error, never wrong.
"""

from __future__ import annotations

import math
import random
import time
from collections import deque
from dataclasses import dataclass

from ecgseg.errors import UsageError
from ecgseg.link import Port

_SLICE_SECONDS = 0.001
# Further than any test comes; positions are counted in bytes.
_NEVER = 1 << 62


@dataclass(frozen=True)
class FaultPlan:
    """What happens to the bytes of one direction.

    Attributes:
        drop, flip, duplicate, insert: probability per byte, 0..1, that it is lost, that one of its bits changes, that
            it comes twice, and that a random byte comes in front of it.
        swap: probability per byte that it changes places with the one behind it in the same transfer.
        delay: probability per transfer that it, and with it everything after it, is held back for `delay_seconds`.
        delay_seconds: how long a delayed transfer waits.
        cut_every_seconds, cut_seconds: once in so many seconds the direction is dead for so long, the first time after
            `cut_every_seconds`; 0: never.
        flip_at: bytes, counted from 0 over the life of the port, one bit of which changes for certain.
    """

    drop: float = 0.0
    flip: float = 0.0
    duplicate: float = 0.0
    insert: float = 0.0
    swap: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 0.0
    cut_every_seconds: float = 0.0
    cut_seconds: float = 0.0
    flip_at: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        rates = (self.drop, self.flip, self.duplicate, self.insert, self.swap, self.delay)
        if not all(0.0 <= rate <= 1.0 for rate in rates) or self.delay_seconds < 0:
            raise UsageError("A fault rate is a probability from 0 to 1, a delay is not negative.", f"Given: {self}.")


@dataclass
class FaultCounters:
    """Faults that were put in so far."""

    dropped: int = 0
    flipped: int = 0
    duplicated: int = 0
    inserted: int = 0
    swapped: int = 0
    delayed: int = 0
    cut: int = 0

    @property
    def total(self) -> int:
        """All faults together."""
        return self.dropped + self.flipped + self.duplicated + self.inserted + self.swapped + self.delayed + self.cut


@dataclass
class _Fault:
    """What happens to a byte with a probability; drawn is how far it is to the next such byte, not every byte.

    Attributes:
        rate: the probability.
        chance: its own, so that the seed and the bytes alone decide, not how they are cut into transfers.
        at: the next byte that it happens to, counted from 0 over the life of the port.
    """

    rate: float
    chance: random.Random
    at: int = -1

    def __post_init__(self) -> None:
        self._next()

    def takes(self, position: int) -> bool:
        """Whether it happens to this byte; then the next one is drawn."""
        if self.at != position:
            return False
        self._next()
        return True

    def skip(self, position: int) -> None:
        """Bytes in front of this one are gone without it."""
        while self.at < position:
            self._next()

    def _next(self) -> None:
        if self.rate <= 0:
            self.at = _NEVER
        elif self.rate >= 1:
            self.at += 1
        else:
            # Geometric: the number of bytes in between that are spared.
            spared = math.log(1.0 - self.chance.random()) / math.log1p(-self.rate)
            self.at += 1 + int(min(spared, _NEVER))


class _Wire:
    """One direction.

    Args:
        plan: its faults.
        seed: chooses the bytes.
    """

    def __init__(self, plan: FaultPlan, seed: str) -> None:
        self.plan = plan
        self.counters = FaultCounters()
        self._position = 0
        self._started = time.monotonic()
        self._chance = random.Random(seed)
        self._insert, self._drop, self._flip, self._duplicate = self._faults = [
            _Fault(rate, random.Random(f"{seed}: {name}"))
            for name, rate in (
                ("insert", plan.insert),
                ("drop", plan.drop),
                ("flip", plan.flip),
                ("duplicate", plan.duplicate),
            )
        ]
        self._certain = sorted(plan.flip_at, reverse=True)

    def pass_on(self, data: bytes) -> bytes:
        """What comes out at the other end."""
        start, self._position = self._position, self._position + len(data)
        if self._is_cut():
            self.counters.cut += len(data)
            self._skip()
            return b""
        out = bytearray()
        done = start
        while (hit := self._soonest()) < self._position:
            out += data[done - start : hit - start]
            out += self._one(hit, data[hit - start])
            done = hit + 1
        if done == start and not self.plan.swap:
            return data
        out += data[done - start :]
        return bytes(self._swapped(out)) if self.plan.swap else bytes(out)

    def delayed_by(self) -> float:
        """Seconds that the next transfer is held back."""
        if not self._happens(self.plan.delay):
            return 0.0
        self.counters.delayed += 1
        return self.plan.delay_seconds

    def _is_cut(self) -> bool:
        every = self.plan.cut_every_seconds
        if not every:
            return False
        running = time.monotonic() - self._started
        return running >= every and running % every < self.plan.cut_seconds

    def _happens(self, rate: float) -> bool:
        return rate > 0 and self._chance.random() < rate

    def _soonest(self) -> int:
        """The next byte that anything happens to."""
        drawn = min(fault.at for fault in self._faults)
        return min(drawn, self._certain[-1]) if self._certain else drawn

    def _skip(self) -> None:
        for fault in self._faults:
            fault.skip(self._position)
        while self._certain and self._certain[-1] < self._position:
            self._certain.pop()

    def _one(self, position: int, byte: int) -> bytes:
        """What becomes of a byte that something happens to."""
        out = bytearray()
        if self._insert.takes(position):
            self.counters.inserted += 1
            out.append(self._insert.chance.randrange(256))
        is_dropped, is_flipped = self._drop.takes(position), self._flip.takes(position)
        is_doubled = self._duplicate.takes(position)
        if self._certain and self._certain[-1] == position:
            self._certain.pop()
            is_flipped = True
        if is_dropped:
            self.counters.dropped += 1
            return bytes(out)
        if is_flipped:
            self.counters.flipped += 1
            byte ^= 1 << self._flip.chance.randrange(8)
        if is_doubled:
            self.counters.duplicated += 1
            out.append(byte)
        out.append(byte)
        return bytes(out)

    def _swapped(self, data: bytearray) -> bytearray:
        for index in range(len(data) - 1):
            if self._happens(self.plan.swap):
                self.counters.swapped += 1
                data[index], data[index + 1] = data[index + 1], data[index]
        return data


class FaultyPort:
    """A port with faults in both directions; in between it is the port it wraps.

    Args:
        port: the open port behind it.
        to_device: faults of what this host sends.
        to_host: faults of what this host receives.
        seed: chooses the faults; the same seed and the same transfers give the same faults.

    `to_device_faults` and `to_host_faults` count what was done.
    """

    def __init__(
        self,
        port: Port,
        *,
        to_device: FaultPlan | None = None,
        to_host: FaultPlan | None = None,
        seed: int = 0,
    ) -> None:
        self._port = port
        self._sending = _Wire(to_device or FaultPlan(), f"{seed} to device")
        self._receiving = _Wire(to_host or FaultPlan(), f"{seed} to host")
        self._held: deque[tuple[float, bytes]] = deque()
        self._due = bytearray()

    @property
    def to_device_faults(self) -> FaultCounters:
        """Faults put into what was sent."""
        return self._sending.counters

    @property
    def to_host_faults(self) -> FaultCounters:
        """Faults put into what was received."""
        return self._receiving.counters

    @property
    def timeout(self) -> float | None:
        """Longest wait of read(), seconds."""
        return self._port.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._port.timeout = seconds

    @property
    def baudrate(self) -> int:
        """Baud rate of the port behind."""
        return self._port.baudrate

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        self._port.baudrate = baud

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""
        self._fetch(self._port.in_waiting)
        return len(self._due)

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes, waiting at most `timeout` seconds for the first."""
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        self._fetch(self._port.in_waiting)
        while not self._due and (deadline is None or time.monotonic() < deadline):
            if self._held:
                # Due later than now: wait for the clock, not for the port.
                time.sleep(_SLICE_SECONDS)
                self._fetch(self._port.in_waiting)
            else:
                self._fetch(1)
        data = bytes(self._due[:size])
        del self._due[:size]
        return data

    def write(self, data: bytes, /) -> int | None:
        """Sends `data` with this direction's faults."""
        wait = self._sending.delayed_by()
        if wait:
            time.sleep(wait)
        damaged = self._sending.pass_on(data)
        if damaged:
            self._port.write(damaged)
        return len(data)

    def close(self) -> None:
        """Closes the port behind."""
        self._port.close()

    def _fetch(self, size: int) -> None:
        """Takes up to `size` bytes from the port behind (waiting for it when they are not there) and what is due."""
        data = self._port.read(size) if size else b""
        now = time.monotonic()
        if data:
            # Nothing overtakes on a wire: behind a delayed transfer everything waits.
            earliest = self._held[-1][0] if self._held else now
            self._held.append((max(earliest, now + self._receiving.delayed_by()), self._receiving.pass_on(data)))
        while self._held and self._held[0][0] <= now:
            self._due += self._held.popleft()[1]
