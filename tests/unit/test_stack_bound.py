"""The tools that look at linked images count what they should, on listings small enough to count by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.drivers import HAS_ARM_COMPILER

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from analysed_images import analysed_images
from image_content import Content, Symbol, read_content
from image_symbols import fault, faults
from stack_bound import (
    EXCEPTION_FRAME,
    Bound,
    Graph,
    UnboundedError,
    bounds_of,
    bounds_of_image,
    functions_of,
    stack_usage,
)

pytestmark = pytest.mark.slow

LISTING = """
00000100 <start>:
 100:\tf7ff fffe \tbl\t200 <loop>
 104:\te7fe      \tb.n\t104 <start+0x4>

00000200 <loop>:
 200:\tb5f0      \tpush\t{r4, r5, r6, r7, lr}
 202:\td001      \tbeq.n\t300 <leaf>
 204:\t4798      \tblx\tr3
 206:\tbdf0      \tpop\t{r4, r5, r6, r7, pc}

00000300 <leaf>:
 300:\te92d 4ff0 \tstmdb\tsp!, {r4, r5, r6, r7, r8, r9, sl, fp, lr}
 304:\ted2d 8b04 \tvpush\t{d8-d9}
 308:\tb084      \tsub\tsp, #16
 30a:\tf84d 0d08 \tstr.w\tr0, [sp, #-8]!
 30e:\t4770      \tbx\tlr

00000400 <pointed>:
 400:\tb510      \tpush\t{r4, lr}

00000500 <port>:
 500:\tb508      \tpush\t{r3, lr}
"""
NAMES = {"start": 0x100, "loop": 0x200, "leaf": 0x300, "pointed": 0x400, "port": 0x500}


def content(*more: Symbol) -> Content:
    """Content of the image of LISTING: its vector table and a constant that points to `pointed`."""
    words = (0x2000_0000, 0x101, 0x501, 0x501, 0x401)
    return Content(
        symbols=(
            *(Symbol(name, address, 4, True) for name, address in NAMES.items()),
            Symbol("vectors", 0x1000, 16, False),
            Symbol("commands.0", 0x1010, 4, False),
            Symbol("__stack_limit", 0x2000_0000, 0, False),
            Symbol("__stack_top", 0x2000_0400, 0, False),
            Symbol("__fault_stack_top", 0x2000_0400, 0, False),
            *more,
        ),
        sections=((0x1000, b"".join(word.to_bytes(4, "little") for word in words)),),
        entry="start",
    )


def graph(listing: str = LISTING, pointers: tuple[str, ...] = ("commands",), usage: str = "") -> Graph:
    return Graph(functions_of(listing), stack_usage([usage]), content(), {"loop": pointers})


def test_what_assembler_takes_is_read_from_its_instructions() -> None:
    assert functions_of(LISTING)[0x300].pushed == 9 * 4 + 2 * 8 + 16 + 8


def test_a_bound_is_the_deepest_way() -> None:
    assert graph().bound(0x100) == 20 + 76
    assert graph().bound(0x400) == 8


def test_the_compilers_word_goes_before_the_instructions() -> None:
    assert graph(usage="a.c:1:5:leaf\t100\tstatic\nb.c:1:5:leaf\t40\tstatic\n").bound(0x100) == 20 + 100


def test_a_pointer_leads_to_the_functions_that_its_constant_holds() -> None:
    assert graph(usage="a.c:1:5:pointed\t200\tstatic\n").bound(0x100) == 20 + 200
    assert graph(pointers=("port",), usage="a.c:1:5:port\t300\tstatic\n").bound(0x100) == 20 + 300


def test_a_pointer_that_is_not_declared_is_refused() -> None:
    with pytest.raises(UnboundedError, match="loop calls through a pointer"):
        Graph(functions_of(LISTING), {}, content(), {}).bound(0x100)


@pytest.mark.parametrize(
    "call",
    ["bl\t200 <loop>", "b.w\t200 <loop>", "bl\t300 <leaf>", "beq.n\t204 <loop+0x4>"],
    ids=["call", "tail call", "itself", "into the middle"],
)
def test_recursion_is_refused(call: str) -> None:
    with pytest.raises(UnboundedError, match=r"Recursion: .*leaf"):
        graph(LISTING.replace("bx\tlr", call)).bound(0x100)


def test_recursion_through_a_pointer_is_refused() -> None:
    with pytest.raises(UnboundedError, match="Recursion: loop -> loop"):
        graph(pointers=("loop",)).bound(0x100)


def test_a_stack_pointer_that_moves_by_a_register_is_refused() -> None:
    with pytest.raises(UnboundedError, match="leaf moves the stack pointer: sub"):
        graph(LISTING.replace("sub\tsp, #16", "sub.w\tsp, sp, r3")).bound(0x100)


def test_an_array_of_variable_length_is_refused() -> None:
    with pytest.raises(UnboundedError, match="leaf takes stack without a bound"):
        stack_usage(["a.c:1:5:leaf\t16\tdynamic\n"])


def test_interrupts_come_on_top_of_the_main_loop_once_each() -> None:
    rows = bounds_of(graph(), content())
    assert rows[0] == Bound("main loop", 96, 1024, "start 0 -> loop 20 -> leaf 76")
    assert [(row.entry, row.used) for row in rows[1:]] == [("port", 8), ("all at once", 96 + 8 + EXCEPTION_FRAME)]


def test_what_no_object_brought_came_from_a_library() -> None:
    image = "00000001 T main\n00000002 T malloc\n00000003 T memcpy\n00000004 b heap\n         w __deregister_frame\n"
    objects = {
        "a.c": "00000001 T main\n00000001 b heap\n         U sqrtf\n         U memcpy\n",
        "b.c": "         U expf\n",
    }
    assert list(faults(image, "", objects, {"a.c"})) == ["malloc (heap)", "a.c asks for sqrtf (libm)"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_malloc_r", "heap"),
        ("free", "heap"),
        ("_sbrk", "heap"),
        ("printf", "stdio"),
        ("_svfiprintf_r", "stdio"),
        ("vsnprintf", "stdio"),
        ("puts", "stdio"),
        ("strtod", "numbers from text"),
        ("__ieee754_sqrtf", "libm"),
        ("expf", "libm"),
        ("abort", "not in ALLOWED"),
    ],
)
def test_heap_stdio_and_libm_are_refused(name: str, kind: str) -> None:
    assert fault(name) == f"{name} ({kind})"


@pytest.mark.parametrize("name", ["memcpy", "memset", "strlen", "__aeabi_ul2f"])
def test_what_moves_bytes_and_counts_is_allowed(name: str) -> None:
    assert fault(name) == ""


@pytest.mark.skipif(not HAS_ARM_COMPILER, reason="no arm-none-eabi-gcc")
def test_every_handler_of_an_image_is_an_entry_and_its_stack_is_the_linker_scripts() -> None:
    image = next(one for one in analysed_images() if one.board == "apollo4p_evb")
    rows = {row.entry: row for row in bounds_of_image(image)}
    assert set(rows) == {"main loop", "cortex_m_fault_handler", "UART0_Handler", "WDT_Handler", "all at once"}
    assert [rows[entry].limit for entry in ("main loop", "cortex_m_fault_handler")] == [16 * 1024, 512]
    assert "handle 0 -> app_bench" in rows["main loop"].way
    assert read_content(image.elf).entry == "Reset_Handler"
