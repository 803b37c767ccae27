"""Static memory: where each activation lies in the arena, overlapping where lifetimes allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALIGNMENT = 4


@dataclass(frozen=True)
class Buffer:
    """An activation that needs memory.

    Attributes:
        name: for reports.
        size: bytes.
        first, last: index of the layer that writes it and of the last layer that reads it.
    """

    name: str
    size: int
    first: int
    last: int


@dataclass(frozen=True)
class Plan:
    """Offsets of the buffers, in their order, and the bytes of the whole arena."""

    offsets: tuple[int, ...]
    size: int


def _align(value: int) -> int:
    return -(-value // ALIGNMENT) * ALIGNMENT


def plan(buffers: Sequence[Buffer], clearances: Mapping[tuple[int, int], int] | None = None) -> Plan:
    """Place every buffer so that no two that live at the same time overlap, but for those that may.

    Each goes to the lowest offset that is free over its lifetime: largest first (Y. Pisarchyk, J. Lee, "Efficient
    Memory Management for Deep Neural Net Inference", 2020, greedy by size), and in three other orders, of which
    buffers that overlap often need one; the smallest arena wins. The result depends on the arguments alone.

    Args:
        buffers: what needs memory.
        clearances: (read, written) -> bytes. The buffer `written` may overlap `read` if `read` starts at least that
            many bytes above the start of `written` (below it, if negative): what is overwritten has been read by then.
    """
    numbers = range(len(buffers))
    orders = (
        sorted(numbers, key=lambda i: (-buffers[i].size, i)),
        sorted(numbers, key=lambda i: (-buffers[i].size, -i)),
        sorted(numbers, key=lambda i: (buffers[i].first, -buffers[i].size, i)),
        sorted(numbers, key=lambda i: (-buffers[i].last, -buffers[i].size, i)),
    )
    return min((_place(buffers, clearances or {}, order) for order in orders), key=lambda found: found.size)


def _place(buffers: Sequence[Buffer], clearances: Mapping[tuple[int, int], int], order: Sequence[int]) -> Plan:
    """Place the buffers in an order, each as low as it can."""
    offsets = [0] * len(buffers)
    placed: list[int] = []
    for index in order:
        mine = buffers[index]
        size = _align(mine.size)
        forbidden = []
        for other in placed:
            theirs = buffers[other]
            if theirs.first <= mine.last and mine.first <= theirs.last:
                below, above = size, _align(theirs.size)
                below = min(below, _align(clearances.get((other, index), below)))
                above = min(above, _align(clearances.get((index, other), above)))
                forbidden.append((offsets[other] - below, offsets[other] + above))
        offset = 0
        for low, high in sorted(forbidden):
            if offset <= low:
                break
            offset = max(offset, high)
        offsets[index] = offset
        placed.append(index)
    end = max((offsets[i] + _align(buffer.size) for i, buffer in enumerate(buffers)), default=0)
    return Plan(tuple(offsets), end)
