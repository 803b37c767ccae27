"""Simulated time: cycles of the core turned into units of 1/192 MHz, and what is planned in it."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from ecgseg.targets.apollo4p_sim.bus import Token

NEVER = 1 << 62


class Clock:
    """What the hook behind every straight run of instructions needs, and nothing else.

    Attributes:
        cycles: of the timing model since power-on.
        deadline: cycles at which execution stops.
        expected: address at which the last run goes on when it does not branch.
        refill: cycles when it does.
        instructions: executed since power-on.
    """

    __slots__ = ("cycles", "deadline", "expected", "instructions", "refill")

    def __init__(self) -> None:
        self.cycles = 0
        self.deadline = 0
        self.expected = 0
        self.refill = 0
        self.instructions = 0


class Agenda:
    """Time and events.

    Args:
        clock: whose cycles make time pass.

    Attributes:
        core_units: units in a core cycle, 1 at 192 MHz and 2 at 96 MHz.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: list[tuple[int, int, Token, Callable[[], None]]] = []
        self._sequence = 0
        self._base_units = 0
        self._base_cycles = 0
        self.core_units = 2

    def now(self) -> int:
        """Time in units."""
        return self._base_units + (self._clock.cycles - self._base_cycles) * self.core_units

    def schedule(self, delay: int, action: Callable[[], None]) -> Token:
        """Plans an event, at least one unit ahead."""
        token = Token()
        self._sequence += 1
        heapq.heappush(self._events, (self.now() + max(delay, 1), self._sequence, token, action))
        return token

    def next_event(self) -> int:
        """Time of the next event that is still planned."""
        while self._events and self._events[0][2].cancelled:
            heapq.heappop(self._events)
        return self._events[0][0] if self._events else NEVER

    def run_due(self, now: int) -> None:
        """Runs the events up to a time."""
        while self.next_event() <= now:
            _, _, token, action = heapq.heappop(self._events)
            token.cancelled = True
            action()

    def cancel_all(self) -> None:
        """Nothing is planned any more."""
        self._events.clear()

    def set_core_units(self, units: int) -> None:
        """The core clock changes."""
        if units != self.core_units:
            self._base_units, self._base_cycles = self.now(), self._clock.cycles
            self.core_units = units

    def advance_to(self, time: int) -> None:
        """Time passes without cycles."""
        if time > self.now():
            self._base_units, self._base_cycles = time, self._clock.cycles
