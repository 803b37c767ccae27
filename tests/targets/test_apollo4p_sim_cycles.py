"""The timing model against Arm's published instruction timings, and against loops counted by hand.

Sources: Arm Cortex-M4 Processor Technical Reference Manual 100166_0001, tables 3-1 and 3-2 and section 3.3.3.
"""

import pytest
from elftools.elf.elffile import ELFFile

from ecgseg.image.boards import APOLLO4P_EVB, board_of
from ecgseg.image.toolchain import find_tool
from ecgseg.targets.apollo4p_sim.cycles import LINE_BYTES, MISS_CYCLES, block_cost
from ecgseg.targets.apollo4p_sim.machine import Machine
from ecgseg.targets.options import SimulatorOptions
from support import drivers

_HEADER = """
.syntax unified
.cpu cortex-m4
.fpu fpv4-sp-d16
.thumb
.section .text
.word 0x10001000
.word start + 1
"""
_START = """
.thumb_func
start:
    ldr r0, =0xE000ED88
    mov r1, #0x00F00000
    str r1, [r0]
    dsb
    isb
    ldr r0, =0x48000000
    ldr r1, =0x001007E0
    str r1, [r0]
    add r1, r1, #1
    str r1, [r0]
    mov r1, #1
    str r1, [r0, #8]
    ldr r0, =0xE000EDFC
    mov r1, #0x01000000
    str r1, [r0]
    ldr r6, =0xE0001000
    ldr r1, [r6]
    orr r1, r1, #1
    str r1, [r6]
    ldr r0, =0x10002000
    ldr r1, =0x10003000
    ldr r8, [r6, #4]
    movw r7, #ROUNDS
    b loop
.balign 4
loop:
"""
_END = """
    b measured
measured:
    ldr r9, [r6, #4]
    sub r9, r9, r8
    ldr r0, =0x10004000
    str r9, [r0]
done:
    b done
.ltorg
"""
RESULT = 0x10004000
BOARD = board_of(APOLLO4P_EVB)


def _assemble(folder, source):
    """An assembly program, linked to where images lie."""
    text, made, program = folder / "program.s", folder / "program.o", folder / "program.elf"
    text.write_text(source, encoding="utf-8")
    drivers.run([find_tool(BOARD, "as"), str(text), "-o", str(made)])
    drivers.run([find_tool(BOARD, "ld"), "-e", "0", f"-Ttext={BOARD.load_address:#x}", str(made), "-o", str(program)])
    return program


def _image(folder, source):
    """The bytes of an assembly program."""
    return drivers.flat(BOARD, _assemble(folder, source)).read_bytes()


PUBLISHED = [
    ("add r2, r3, r4", 1),
    ("movw r2, #4660", 1),
    ("mul r2, r3, r4", 1),
    ("mla r2, r3, r4, r5", 1),
    ("smull r2, r3, r4, r5", 1),
    ("smlal r2, r3, r4, r5", 1),
    ("smlad r2, r3, r4, r5", 1),
    ("smmulr r2, r3, r4", 1),
    ("ssat r2, #8, r3", 1),
    ("usat r2, #8, r3", 1),
    ("sxtb16 r2, r3", 1),
    ("pkhbt r2, r3, r4, lsl #16", 1),
    ("clz r2, r3", 1),
    ("bfi r2, r3, #4, #8", 1),
    ("ldr r2, [r1]", 2),
    ("ldrsb r2, [r1, #1]", 2),
    ("str r2, [r1, #4]", 1),
    ("str r2, [r1, r3]", 2),
    ("ldr r2, [r1]; ldr r3, [r0]", 3),
    ("ldr r2, [r1, r3]; str r2, [r0, #20]", 3),
    ("ldr r2, [r1, r3]; str r4, [r0, r3]", 3),
    ("ldr r2, [r1, r5]; ldr r3, [r0]; ldr r4, [r0, #4]", 4),
    ("ldr r2, [r1]; ldr r3, [r2]", 4),
    ("ldm r1, {r2, r3, r4, r5}", 5),
    ("stm r1, {r2, r3, r4, r5, r6, r7}", 7),
    ("ldrd r2, r3, [r1]", 3),
    ("strd r2, r3, [r1]", 3),
    ("push {r2, r3, r4}", 4),
    ("pop {r2, r3, r4}", 4),
    ("vadd.f32 s0, s1, s2", 1),
    ("vmul.f32 s0, s1, s2", 1),
    ("vmla.f32 s0, s1, s2", 3),
    ("vfma.f32 s0, s1, s2", 3),
    ("vdiv.f32 s0, s1, s2", 14),
    ("vsqrt.f32 s0, s1", 14),
    ("vcvt.f32.s32 s0, s0", 1),
    ("vmov s0, r2", 1),
    ("vmov s0, s1, r2, r3", 2),
    ("vldr s0, [r1]", 2),
    ("vstr s0, [r1]", 2),
    ("vldm r1, {s0, s1, s2, s3}", 5),
    ("vpush {s0, s1}", 3),
    ("nop", 1),
]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Modelled cycles of all published cases, from one assembly."""
    body = "".join(
        f"\n.balign 4\ncase{n}: {code.replace(';', chr(10))}\nend{n}:\n" for n, (code, _) in enumerate(PUBLISHED)
    )
    folder = tmp_path_factory.mktemp("published")
    program = _assemble(folder, _HEADER.replace("start + 1", f"{BOARD.load_address + 9:#x}") + body)
    image = drivers.flat(BOARD, program).read_bytes()
    with program.open("rb") as file:
        address = {
            symbol.name: symbol["st_value"] for symbol in ELFFile(file).get_section_by_name(".symtab").iter_symbols()
        }
    found = []
    for n in range(len(PUBLISHED)):
        start, end = address[f"case{n}"], address[f"end{n}"]
        found.append(block_cost(image[start - BOARD.load_address : end - BOARD.load_address], start).cycles)
    return found


@pytest.mark.parametrize(("number", "code", "cycles"), [(n, *case) for n, case in enumerate(PUBLISHED)],
                         ids=[case[0] for case in PUBLISHED])  # fmt: skip
def test_instructions_take_what_arm_publishes(published, number, code, cycles):
    assert published[number] == cycles


def test_an_address_just_computed_costs_a_cycle():
    # add r1, r1, #4 (1d 1d -> adds r1, r1, #4: 0x3104); ldr r2, [r1] (0x680a)
    assert block_cost(bytes.fromhex("04310a68"), BOARD.load_address).cycles == 1 + 2 + 1


ROUNDS = 2000

# Per loop: its body, and the cycles of one round counted by hand.
LOOPS = {
    # SUBS 1, BNE taken 1 + 1: the ROM's delay loop of the sheet, section 2.3
    "delay": ("1: subs r7, r7, #1\n bne 1b", 1 + 2),
    # LDR 2, ADD 1, STR with immediate offset 1, SUBS 1, BNE 2
    "read, add, write": (
        "1: ldr r2, [r0]\n add r2, r2, #3\n str r2, [r1, #4]\n subs r7, r7, #1\n bne 1b",
        2 + 1 + 1 + 1 + 2,
    ),
    # two LDR 2 + 1, two SMLAD 1 each, SUBS 1, BNE 2
    "two dual multiply-accumulates": (
        "1: ldr r2, [r0]\n ldr r3, [r1]\n smlad r4, r2, r3, r4\n smlad r5, r2, r3, r5\n subs r7, r7, #1\n bne 1b",
        3 + 2 + 1 + 2,
    ),
    # LDM of four 5, four ADD 4, STM of four 5, SUBS 1, BNE 2
    "block move": (
        "1: ldm r0, {r2, r3, r4, r5}\n add r2, r2, #1\n add r3, r3, #1\n add r4, r4, #1\n add r5, r5, #1\n"
        " stm r1, {r2, r3, r4, r5}\n subs r7, r7, #1\n bne 1b",
        5 + 4 + 5 + 1 + 2,
    ),
    # VLDR 2, VMUL 1, VFMA 3, VDIV 14, VSTR 2, SUBS 1, BNE 2
    "floating point": (
        "1: vldr s0, [r0]\n vmul.f32 s1, s0, s0\n vfma.f32 s1, s0, s0\n vdiv.f32 s2, s1, s0\n vstr s2, [r1]\n"
        " subs r7, r7, #1\n bne 1b",
        2 + 1 + 3 + 14 + 2 + 1 + 2,
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loops_take_what_a_hand_count_gives(tmp_path, name):
    body, per_round = LOOPS[name]
    image = _image(tmp_path, _HEADER + _START.replace("ROUNDS", str(ROUNDS)) + body + _END)
    machine = Machine(image, SimulatorOptions(probe=True))
    machine.run(ROUNDS * per_round * 1.2 / 96e6)
    cycles = int.from_bytes(machine.uc.mem_read(RESULT, 4), "little")
    assert cycles == pytest.approx(per_round * ROUNDS, rel=0.05)


def test_code_that_is_not_in_the_cache_yet_costs_more(tmp_path):
    image = _image(tmp_path, _HEADER + _START.replace("ROUNDS", "1") + "1: " + "nop\n" * 800 + _END)
    machine = Machine(image, SimulatorOptions(probe=True))
    machine.run(1e-3)
    cycles = int.from_bytes(machine.uc.mem_read(RESULT, 4), "little")
    lines = 800 * 2 / LINE_BYTES
    assert cycles == pytest.approx(800 + lines * MISS_CYCLES, rel=0.05)
