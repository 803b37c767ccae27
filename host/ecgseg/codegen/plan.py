"""Static memory: where each activation lies in the arena, overlapping where lifetimes allow."""

from __future__ import annotations

from collections.abc import Sequence
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


def plan(buffers: Sequence[Buffer]) -> Plan:
    """Place every buffer so that no two that live at the same time overlap.

    Largest first, each at the lowest offset that is free over its lifetime; ties by order. The result depends on
    the buffers alone. Source of the method: Y. Pisarchyk, J. Lee, "Efficient Memory Management for Deep Neural Net
    Inference", 2020, greedy by size.
    """
    offsets = [0] * len(buffers)
    placed: list[int] = []
    for index in sorted(range(len(buffers)), key=lambda i: (-buffers[i].size, i)):
        mine = buffers[index]
        busy = sorted(
            (offsets[other], offsets[other] + _align(buffers[other].size))
            for other in placed
            if buffers[other].first <= mine.last and mine.first <= buffers[other].last
        )
        offset = 0
        for start, end in busy:
            if offset + _align(mine.size) <= start:
                break
            offset = max(offset, end)
        offsets[index] = offset
        placed.append(index)
    size = max((offsets[i] + _align(buffer.size) for i, buffer in enumerate(buffers)), default=0)
    return Plan(tuple(offsets), size)
