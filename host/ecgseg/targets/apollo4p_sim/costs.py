"""What straight runs of instructions cost, kept from their first execution on, and the hook that has the clock pay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ecgseg.targets.apollo4p_sim.cycles import LINE_BYTES, MISS_CYCLES, REFILL_MAX, BlockCost
from ecgseg.targets.apollo4p_sim.emulator import MRAM_END
from ecgseg.targets.apollo4p_sim.events import Clock


class RunCost:
    """A run as the hook needs it, which comes behind every one of them: slots, no more work than additions.

    Attributes:
        size: bytes; another size at the same address is another run.
        cycles: when it does not branch.
        end: address behind it.
        refill: cycles more when it does branch.
        misaligned: cycles more for a jump to its start.
        instructions: how many.
    """

    __slots__ = ("cycles", "end", "instructions", "misaligned", "refill", "size")

    def __init__(self, size: int, cycles: int, cost: BlockCost) -> None:
        self.size = size
        self.cycles = cycles
        self.end = cost.end
        self.refill = cost.refill
        self.misaligned = int(cost.misaligned_start)
        self.instructions = cost.instructions


class RunCosts:
    """Costs of the code that was executed since the cache last changed.

    Args:
        clock: is moved on.
        first_time: prices a run that is not known, from address and size; None when execution has to stop before it.
    """

    def __init__(self, clock: Clock, first_time: Callable[[int, int], RunCost | None]) -> None:
        self._clock = clock
        self._first_time = first_time
        self._known: dict[int, RunCost] = {}
        self._fetched: set[int] = set()

    def forget(self) -> None:
        """The cache has lost its content or was switched: everything is fetched and priced anew."""
        self._known.clear()
        self._fetched.clear()

    def add(self, address: int, size: int, cost: BlockCost, *, cached: bool) -> RunCost:
        """Prices a run and keeps it. Lines of MRAM cost more: once through the cache, every time without it."""
        cycles = cost.cycles
        if address < MRAM_END:
            lines = range(address // LINE_BYTES, (address + max(size, 1) - 1) // LINE_BYTES + 1)
            if cached:
                self._clock.cycles += MISS_CYCLES * sum(line not in self._fetched for line in lines)
                self._fetched.update(lines)
            else:
                cycles += MISS_CYCLES * len(lines)
        found = RunCost(size, cycles, cost)
        self._known[address] = found
        return found

    def hook(self) -> Callable[..., None]:
        """What Unicorn calls before every run: stops at the clock's deadline, otherwise pays for the whole run."""
        clock, known, first_time = self._clock, self._known, self._first_time

        def on_block(uc: Any, address: int, size: int, _: Any) -> None:
            cycles = clock.cycles
            if cycles >= clock.deadline:
                uc.emu_stop()
                return
            cost = known.get(address)
            if cost is None or cost.size != size:
                cost = first_time(address, size)
                if cost is None:
                    uc.emu_stop()
                    return
                cycles = clock.cycles
            if address != clock.expected:
                refill = clock.refill + cost.misaligned
                cycles += refill if refill < REFILL_MAX else REFILL_MAX
            clock.cycles = cycles + cost.cycles
            clock.expected = cost.end
            clock.refill = cost.refill
            clock.instructions += cost.instructions

        return on_block
