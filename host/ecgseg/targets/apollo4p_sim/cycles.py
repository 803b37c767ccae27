"""Timing model of the Cortex-M4: modelled cycles of straight runs of instructions.

Rules, from Arm's Cortex-M4 Processor Technical Reference Manual (100166_0001, 3.3, tables 3-1 and 3-2):

* data processing, multiplication, multiply-accumulate, DSP: 1; division 2 to 12, taken as DIVIDE_CYCLES;
* LDR 2, STR with immediate offset 1, STR with register offset 2. A load or store behind a load takes one cycle less
  unless that load makes its address; a store with immediate offset takes 1 in any case;
* an address made by the data-processing instruction just before costs one cycle more;
* LDM, STM, PUSH, POP, LDRD, STRD, VLDM, VSTM: 1 + number of words;
* taken branch 1 + P, P the pipeline refill of 1 to 3 cycles. Here P is 1 when the target stands in the instruction, 2
  when it comes from a register, 3 when it comes from memory, and one more (at most 3) when the target is a 32-bit
  instruction that is not aligned to 4. With them SUBS; BNE takes the three cycles that the sheet gives the ROM's delay
  loop [2.3];
* FPU: 1; VMLA, VFMA and their kin 3; VDIV, VSQRT 14; VLDR, VSTR 1 + words;
* exception entry 12, return 10.

MRAM behind the cache: an instruction fetch from a 16-byte line that has not been fetched since the cache was last
invalidated costs MISS_CYCLES, and every line does while the cache is off. Images are smaller than the 64 KB cache:
no line is thrown out again. Data reads from MRAM are taken as hits.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.targets.apollo4p_sim.thumb import Instruction, Kind, decode
from ecgseg.targets.options import TimingCase

DIVIDE_CYCLES = 7
"""In the middle of Arm's 2 to 12."""
DIVIDE_SPREAD = 5
MISS_CYCLES = 10
"""Assumed: no source gives the MRAM's latency."""
LINE_BYTES = 16
EXCEPTION_ENTRY_CYCLES = 12
EXCEPTION_RETURN_CYCLES = 10
REFILL_MIN, REFILL_MAX = 1, 3

_REFILL = {
    Kind.BRANCH: 1,
    Kind.BRANCH_INDIRECT: 2,
    Kind.LOAD_PC: 3,
    Kind.TABLE_BRANCH: 3,
    Kind.MULTIPLE: 3,
}
_WANT_ALIGNED = (Kind.MULTIPLE, Kind.FPU_LOAD, Kind.FPU_STORE)
_STACK_POINTER = 13
_SINGLE_MEMORY = (Kind.LOAD, Kind.STORE, Kind.STORE_INDEXED)


@dataclass(frozen=True)
class BlockCost:
    """What a straight run of instructions costs.

    Attributes:
        cycles: when its last instruction does not branch.
        refill: cycles more when it does, for an aligned target.
        end: address behind its last instruction.
        instructions: how many.
        fpu: needs the floating-point unit.
        misaligned_start: starts with a 32-bit instruction not aligned to 4.
        aligned: address and base register of its instructions that fault when the base is not aligned to 4.
    """

    cycles: int
    refill: int
    end: int
    instructions: int
    fpu: bool
    misaligned_start: bool
    aligned: tuple[tuple[int, int], ...]


def block_cost(code: bytes, address: int, timing: TimingCase = TimingCase.EXPECTED) -> BlockCost:
    """Cost of the instructions in `code`, which lies at `address`.

    Where Arm gives a range, `timing` takes everything at its short end, as described above, or at its long end.
    """
    position = cycles = count = divides = 0
    fpu = False
    aligned: list[tuple[int, int]] = []
    previous: Instruction | None = None
    padded = code + b"\0\0\0\0"
    while position + 2 <= len(code):
        first = int.from_bytes(padded[position : position + 2], "little")
        second = int.from_bytes(padded[position + 2 : position + 4], "little")
        instruction = decode(first, second)
        cycles += instruction_cycles(instruction, previous)
        fpu = fpu or instruction.fpu
        if instruction.kind in _WANT_ALIGNED and instruction.address[0] < _STACK_POINTER:
            aligned.append((address + position, instruction.address[0]))
        divides += instruction.kind == Kind.DIVIDE
        count += 1
        position += instruction.size
        previous = instruction
    misaligned = bool(address & 2) and len(code) >= 2 and code[1] >> 3 in (0b11101, 0b11110, 0b11111)
    refill = _REFILL.get(previous.kind, 1) if previous else 0
    if timing is not TimingCase.EXPECTED:
        best = timing is TimingCase.BEST
        refill = REFILL_MIN if best else REFILL_MAX
        cycles += divides * (-DIVIDE_SPREAD if best else DIVIDE_SPREAD)
        misaligned = misaligned and not best
    return BlockCost(cycles, refill, address + position, count, fpu, misaligned, tuple(aligned))


def instruction_cycles(instruction: Instruction, previous: Instruction | None) -> int:
    """Cycles of one instruction behind another, without the refill of a taken branch."""
    kind = instruction.kind
    cycles = _plain_cycles(instruction)
    if previous is None or not instruction.address:
        return cycles
    if kind in _SINGLE_MEMORY and previous.kind == Kind.LOAD and previous.result not in instruction.address:
        return 1
    if previous.kind == Kind.PLAIN and previous.result in instruction.address:
        return cycles + 1
    return cycles


def _plain_cycles(instruction: Instruction) -> int:
    kind = instruction.kind
    if kind in (Kind.LOAD, Kind.STORE_INDEXED, Kind.LOAD_PC):
        return 2
    if kind == Kind.MULTIPLE:
        return 1 + instruction.count
    if kind in (Kind.FPU, Kind.FPU_LOAD, Kind.FPU_STORE):
        return instruction.count
    if kind == Kind.DIVIDE:
        return DIVIDE_CYCLES
    if kind == Kind.TABLE_BRANCH:
        return 3
    return 1
