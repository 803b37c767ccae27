"""Cycles of a Cortex-M4 as Arm publishes them: what a straight piece of code takes, and how branches add to it.

Source: Cortex-M4 Technical Reference Manual (100166), 3.3.1 "Table of processor instructions", 3.3.2 "Load/store timings"
and 7.2.3 "FPU instruction set table", for a system without wait states. The memory side (MRAM behind the 64 KB cache) is
native.c. docs/simulator.md says where the manual leaves a range and what is assumed inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from ecgseg.targets.apollo4p_sim.thumb import FP_KINDS, Instruction, Kind, decode


class Flow(IntEnum):
    """How the last instruction of a block leaves it (native.c)."""

    THROUGH = 0
    DIRECT = 1
    INDIRECT = 2
    LOADED = 3


# Pipeline refill P, "1 to 3 depending on the alignment and width of the target instruction, and whether the processor
# manages to speculate the address early" (3.3.1). An immediate branch is speculated early: 1, which makes the two
# instructions of a delay loop take the 3 cycles that the vendor's delay routine is built on (docs/apollo4p-facts.md, 2.3).
# A register's value is known later: 2. A load to the PC: "three cycles for the pipeline reload" (3.3.2).
REFILL = {Flow.THROUGH: 0, Flow.DIRECT: 1, Flow.INDIRECT: 2, Flow.LOADED: 3}
REFILL_RANGE = {Flow.THROUGH: (0, 0), Flow.DIRECT: (1, 3), Flow.INDIRECT: (1, 3), Flow.LOADED: (3, 3)}
WIDE_REFILL = 1  # a 32-bit target that is not word aligned needs a second fetch
EXCEPTION_ENTRY = 12  # 2.3.2 "exception entry", no wait states
EXCEPTION_RETURN = 10
TAIL_CHAIN = 6
MISS_NANOSECONDS = 60  # assumed; the MRAM's access time is not public (docs/simulator.md)

_FIXED = {
    Kind.ALU: 1,
    Kind.DIVIDE: 2,  # the data-dependent rest: native.c
    Kind.LOAD: 2,
    Kind.LOAD_UPDATE: 2,
    Kind.STORE: 1,
    Kind.STORE_REGISTER: 2,
    Kind.LOAD_DUAL: 3,
    Kind.STORE_DUAL: 3,
    Kind.BRANCH: 1,
    Kind.BRANCH_REGISTER: 1,
    Kind.TABLE_BRANCH: 3,
    Kind.STATUS: 2,
    Kind.BARRIER: 1,
    Kind.ISB: 4,  # 1 + a refill of 3
    Kind.HINT: 1,
    Kind.IT: 1,
    Kind.SYSTEM: 1,
    Kind.FP_ADD: 1,
    Kind.FP_MULTIPLY: 1,
    Kind.FP_MAC: 3,
    Kind.FP_DIVIDE: 14,
    Kind.FP_MOVE: 1,
    Kind.FP_MOVE_DUAL: 2,
}
_PER_WORD = frozenset(
    {
        Kind.LOAD_MULTIPLE,
        Kind.STORE_MULTIPLE,
        Kind.LOAD_PC,
        Kind.FP_LOAD,
        Kind.FP_STORE,
        Kind.FP_LOAD_MULTIPLE,
        Kind.FP_STORE_MULTIPLE,
    }
)
_FLOWS = {
    Kind.BRANCH: Flow.DIRECT,
    Kind.BRANCH_REGISTER: Flow.INDIRECT,
    Kind.LOAD_PC: Flow.LOADED,
    Kind.TABLE_BRANCH: Flow.LOADED,
}
_PIPELINES = frozenset({Kind.LOAD, Kind.STORE_REGISTER})


@dataclass(frozen=True)
class BlockTiming:
    """What a block of instructions costs.

    Attributes:
        cycles: without the refill of a branch that is taken at its end.
        instructions: number of them.
        flow: how its last instruction leaves it.
        wide_start: its first instruction is 32 bits wide and not word aligned.
        uses_fpu: it holds an FPU instruction.
    """

    cycles: int
    instructions: int
    flow: Flow
    wide_start: bool
    uses_fpu: bool


def instructions_of(code: bytes) -> Iterator[Instruction]:
    """Instructions of a piece of code (little-endian halfwords)."""
    offset = 0
    while offset + 2 <= len(code):
        first = int.from_bytes(code[offset : offset + 2], "little")
        second = int.from_bytes(code[offset + 2 : offset + 4], "little")
        instruction = decode(first, second)
        yield instruction
        offset += instruction.size


def instruction_cycles(instruction: Instruction, previous: Instruction | None) -> int:
    """Cycles of an instruction behind `previous` in the same block, without a branch's refill."""
    kind = instruction.kind
    cycles = 1 + instruction.count if kind in _PER_WORD else _FIXED[kind]
    if previous is None:
        return cycles
    if kind in _PIPELINES and previous.kind is Kind.LOAD and not previous.loaded & instruction.address:
        cycles -= 1  # its address phase runs in the data phase of the load before it (3.3.2)
    if instruction.address & previous.result:
        cycles += 1  # no forwarding path from data processing to an address (3.3.2)
    if kind in FP_KINDS and previous.fp_result & instruction.fp_sources:
        cycles += 1  # the result of floating-point arithmetic is consumed at once (7.2.3)
    return cycles


def block_timing(code: bytes, address: int) -> BlockTiming:
    """Timing of the straight code that starts at `address`."""
    cycles = count = 0
    uses_fpu = False
    previous: Instruction | None = None
    for instruction in instructions_of(code):
        cycles += instruction_cycles(instruction, previous)
        uses_fpu = uses_fpu or instruction.kind in FP_KINDS
        previous = instruction
        count += 1
    flow = _FLOWS.get(previous.kind, Flow.THROUGH) if previous is not None else Flow.THROUGH
    first = int.from_bytes(code[:2], "little")
    return BlockTiming(cycles, count, flow, bool(address & 2) and first >> 11 in (0b11101, 0b11110, 0b11111), uses_fpu)
