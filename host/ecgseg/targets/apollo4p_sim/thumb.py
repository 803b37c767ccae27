"""Decodes Thumb-2 instructions as far as the timing model needs: class, registers that make the address, result.

Encodings are those of the ARMv7-M Architecture Reference Manual, chapter A5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What decides how long an instruction takes."""

    PLAIN = 0  # data processing, multiply, move, hint: one cycle
    DIVIDE = 1
    LOAD = 2  # one register
    STORE = 3  # one register, immediate offset
    STORE_INDEXED = 4  # one register, register offset
    MULTIPLE = 5  # LDM, STM, PUSH, POP, LDRD, STRD, VLDM, VSTM, VPUSH, VPOP
    BRANCH = 6  # direct
    BRANCH_INDIRECT = 7  # BX, BLX, MOV pc
    LOAD_PC = 8  # LDR pc
    TABLE_BRANCH = 9
    FPU = 10
    FPU_LOAD = 11
    FPU_STORE = 12
    BARRIER = 13


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        size: bytes.
        kind: class.
        count: registers moved (MULTIPLE), or cycles of an FPU operation.
        result: core register written by PLAIN or LOAD, -1 for none.
        address: registers that make up the address of a memory access.
        to_pc: a MULTIPLE that loads the program counter.
        fpu: needs the floating-point unit.
    """

    size: int
    kind: Kind
    count: int = 0
    result: int = -1
    address: tuple[int, ...] = ()
    to_pc: bool = False
    fpu: bool = False


def decode(first: int, second: int) -> Instruction:
    """Decodes the instruction whose first halfword is `first`; `second` follows it in memory."""
    if first >> 11 in (0b11101, 0b11110, 0b11111):
        return _decode32(first, second)
    return _decode16(first)


def _decode16(op: int) -> Instruction:
    top = op >> 12
    if top == 0b0100:
        return _special16(op)
    if top in (0b0101, 0b0110, 0b0111, 0b1000, 0b1001):
        return _memory16(op)
    if top == 0b1011:
        return _misc16(op)
    if top == 0b1100:
        return Instruction(2, Kind.MULTIPLE, (op & 0xFF).bit_count(), address=(op >> 8 & 7,))
    if top == 0b1101:
        return Instruction(2, Kind.BRANCH)
    if op >> 11 == 0b11100:
        return Instruction(2, Kind.BRANCH)
    if top <= 0b0001:
        return Instruction(2, Kind.PLAIN, result=op & 7)
    if top in (0b0010, 0b0011):
        compare = op >> 11 == 0b00101
        return Instruction(2, Kind.PLAIN, result=-1 if compare else op >> 8 & 7)
    return Instruction(2, Kind.PLAIN, result=op >> 8 & 7)  # ADR, ADD Rd, SP


def _special16(op: int) -> Instruction:
    if op >> 11 == 0b01001:
        return Instruction(2, Kind.LOAD, result=op >> 8 & 7, address=(15,))
    if op >> 10 == 0b010000:
        compares = op >> 6 & 15 in (8, 10, 11)  # TST, CMP, CMN
        return Instruction(2, Kind.PLAIN, result=-1 if compares else op & 7)
    if op & 0xFF00 == 0x4700:
        return Instruction(2, Kind.BRANCH_INDIRECT)
    target = op & 7 | op >> 4 & 8
    if op & 0xFF00 == 0x4500:
        return Instruction(2, Kind.PLAIN)
    return Instruction(2, Kind.BRANCH_INDIRECT if target == 15 else Kind.PLAIN, result=target)


def _memory16(op: int) -> Instruction:
    top = op >> 12
    if top == 0b0101:
        registers = (op >> 3 & 7, op >> 6 & 7)
        if op >> 9 & 7 >= 3:
            return Instruction(2, Kind.LOAD, result=op & 7, address=registers)
        return Instruction(2, Kind.STORE_INDEXED, address=registers)
    load = bool(op & 0x0800)
    stack = top == 0b1001
    base = (13,) if stack else (op >> 3 & 7,)
    target = op >> 8 & 7 if stack else op & 7
    return Instruction(2, Kind.LOAD, result=target, address=base) if load else Instruction(2, Kind.STORE, address=base)


def _misc16(op: int) -> Instruction:
    if op & 0xFE00 == 0xB400:
        return Instruction(2, Kind.MULTIPLE, (op & 0x1FF).bit_count(), address=(13,))
    if op & 0xFE00 == 0xBC00:
        return Instruction(2, Kind.MULTIPLE, (op & 0x1FF).bit_count(), address=(13,), to_pc=bool(op & 0x100))
    if op & 0xF500 == 0xB100:
        return Instruction(2, Kind.BRANCH)
    if op & 0xFF00 == 0xB000:
        return Instruction(2, Kind.PLAIN, result=13)
    writes = op & 0xFF00 in (0xB200, 0xBA00)  # extend, reverse
    return Instruction(2, Kind.PLAIN, result=op & 7 if writes else -1)


def _decode32(first: int, second: int) -> Instruction:
    group = first >> 8
    if first >> 10 in (0b111011, 0b111111):
        return _coprocessor(first, second)
    if first >> 9 == 0b1110100:
        return _multiple32(first, second)
    if first >> 11 == 0b11110 and second & 0x8000:
        return _branch32(first, second)
    if group in (0xF8, 0xF9):
        return _single32(first, second)
    if first & 0xFFD0 == 0xFB90:
        return Instruction(4, Kind.DIVIDE, result=second >> 8 & 15)
    target = second >> 8 & 15
    return Instruction(4, Kind.PLAIN, result=-1 if target == 15 else target)


def _multiple32(first: int, second: int) -> Instruction:
    base = (first & 15,)
    if not first & 0x0040:
        to_pc = bool(first & 0x10) and bool(second & 0x8000)
        return Instruction(4, Kind.MULTIPLE, second.bit_count(), address=base, to_pc=to_pc)
    if first & 0xFFF0 == 0xE8D0 and second & 0xFFE0 == 0xF000:
        return Instruction(4, Kind.TABLE_BRANCH, address=(first & 15, second & 15))
    if first & 0xFFE0 == 0xE840 or first & 0xFFE0 == 0xE8C0:  # exclusives are pipelined like LDR
        return Instruction(4, Kind.LOAD, result=second >> 12, address=base)
    return Instruction(4, Kind.MULTIPLE, 2, address=base)


def _branch32(first: int, second: int) -> Instruction:
    if second & 0x5000:  # B.W, BL
        return Instruction(4, Kind.BRANCH)
    if first >> 6 & 0xE != 0xE:  # conditional B.W
        return Instruction(4, Kind.BRANCH)
    if first & 0xFFF0 == 0xF3B0:
        return Instruction(4, Kind.BARRIER)
    if first & 0xFFE0 == 0xF3E0:  # MRS
        return Instruction(4, Kind.PLAIN, result=second >> 8 & 15)
    return Instruction(4, Kind.PLAIN)


def _single32(first: int, second: int) -> Instruction:
    base, target = first & 15, second >> 12
    indexed = base != 15 and not first & 0x80 and second & 0x0FC0 == 0
    registers = (base, second & 15) if indexed else (base,)
    if not first & 0x10:
        return Instruction(4, Kind.STORE_INDEXED if indexed else Kind.STORE, address=registers)
    if target == 15:
        word = first & 0x60 == 0x40
        return Instruction(4, Kind.LOAD_PC if word else Kind.PLAIN, address=registers)
    return Instruction(4, Kind.LOAD, result=target, address=registers)


def _coprocessor(first: int, second: int) -> Instruction:
    if first & 0xFF00 == 0xEE00:
        if second & 0x10:  # core register to or from one FPU register
            target = second >> 12 if first & 0x10 else -1
            return Instruction(4, Kind.FPU, 1, result=target, fpu=True)
        return Instruction(4, Kind.FPU, _fpu_cycles(first, second), fpu=True)
    if first & 0xFFE0 == 0xEC40:
        return Instruction(4, Kind.FPU, 2, fpu=True)
    base = (first & 15,)
    load = bool(first & 0x10)
    if first & 0x0120 == 0x0100:
        words = 2 if second & 0x0100 else 1
        return Instruction(4, Kind.FPU_LOAD if load else Kind.FPU_STORE, 1 + words, address=base, fpu=True)
    return Instruction(4, Kind.MULTIPLE, second & 0xFF, address=base, fpu=True)


def _fpu_cycles(first: int, second: int) -> int:
    """Arm 100166_0001, table 3-2."""
    operation = first >> 4 & 0b1011
    if operation in (0b0000, 0b0001, 0b1001, 0b1010):  # VMLA, VMLS, VNMLA, VNMLS, VFMA, VFMS, VFNMA, VFNMS
        return 3
    if operation == 0b1000:  # VDIV
        return 14
    if operation == 0b1011 and first & 15 == 1 and second >> 6 & 3 == 3:  # VSQRT
        return 14
    return 1
