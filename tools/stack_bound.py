"""Bound of the stack of the firmware: every way through the call graph, against what the linker script sets aside.

    python tools/stack_bound.py

For every image of tools/analysed_images.py, prints entry, bound and limit in bytes; the exit code is 1 when a bound
lies above its limit, a function calls itself over whatever way, or something cannot be bounded.

Who calls whom is read from the image itself, so that libraries and assembler are in it; what a function takes is what
the compiler says (-fstack-usage), for assembler and libraries the sum of what their instructions take. Entries are
those of the vector table. A call through a pointer goes to every function whose address stands in the object that
POINTERS declares; a pointer that is not declared there is refused.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from analysed_images import Analysed, analysed_images
from image_content import Content, read_content

from ecgseg.errors import EcgsegError
from ecgseg.image.objects import STACK_USAGE
from ecgseg.image.toolchain import output_of

# Function with a call through a pointer: the constants whose functions it may call, or these functions by name.
POINTERS: Mapping[str, tuple[str, ...]] = {
    "handle": ("commands",),
    "ecgseg_session_receive": ("handle", "board_port_write"),
    "refuse": ("board_port_write",),
    "ecgseg_segmenter_init": ("ecgseg_model",),
    "ecgseg_segmenter_infer": ("ecgseg_model",),
    "app_model_init": ("ecgseg_model",),
    "app_model_run": ("ecgseg_model",),
    "app_model_run_to_layer": ("ecgseg_model",),
    "ecgseg_delineator_init": ("ecgseg_stream_model",),
    "pump": ("keep_class",),
    "push_rows": ("ecgseg_stream_model",),
    "finish_before": ("ecgseg_stream_model",),
    "ecgseg_phases_run": ("ecgseg_phases_[1-9]*",),
    "ecgseg_phases_in_parts": ("part_*",),
    # A jump into its own unrolled loop.
    "ecgseg_conv_finish": (),
    "ecgseg_conv_accumulate": (),
    "threes_run": (),
}
# Its own stack: the handler of faults moves the stack pointer before it goes on.
FAULT_HANDLER = "cortex_m_fault_handler"
# What the processor saves on an interrupt: 26 words with those of the floating-point unit, and one to align.
EXCEPTION_FRAME = 27 * 4

_FUNCTION = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_INSTRUCTION = re.compile(r"^ +([0-9a-f]+):\t[0-9a-f ]+\t(\S+)(?:\t(.*))?$")
_TARGET = re.compile(r"\b([0-9a-f]+) <([^>+]+)(\+0x[0-9a-f]+)?>")
_BRANCH = re.compile(r"^(b|bl|b(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|al)|cbn?z)(\.[nw])?$")


class UnboundedError(Exception):
    """Something in an image has no bound."""


@dataclass
class Function:
    """A function of an image.

    Attributes:
        name: in the image.
        calls: addresses of the functions that it branches to.
        pushed: bytes that its instructions take from the stack, all together.
        through_pointer: it calls or jumps through a register.
        moved: an instruction that moves the stack pointer by what cannot be read from it, else empty.
    """

    name: str
    calls: set[int] = field(default_factory=set)
    pushed: int = 0
    through_pointer: bool = False
    moved: str = ""


def functions_of(listing: str) -> dict[int, Function]:
    """Functions of an image by address, from what objdump -d prints."""
    found: dict[int, Function] = {}
    branches: list[tuple[int, str, int]] = []
    current: Function | None = None
    start = 0
    for line in listing.splitlines():
        if head := _FUNCTION.match(line):
            start = int(head[1], 16)
            current = found.setdefault(start, Function(head[2]))
        elif current and (instruction := _INSTRUCTION.match(line)):
            operands = re.split(r"\s@", instruction[3] or "")[0]
            target = _TARGET.search(operands)
            if _BRANCH.match(instruction[2]) and target:
                branches.append((start, instruction[2], int(target[1], 16)))
            _branch(current, instruction[2], operands)
            _push(current, instruction[2], operands)
    _resolve(found, branches)
    return found


def _resolve(functions: dict[int, Function], branches: Iterable[tuple[int, str, int]]) -> None:
    """Enters the functions that branches (function, mnemonic, target) lead into.

    By address: what objdump names beside it may be a number of the linker script that is the same by chance. A branch
    into the middle of another function is as good as one to its beginning.
    """
    starts = sorted(functions)
    for function, name, target in branches:
        index = bisect_right(starts, target) - 1
        reached = starts[index] if index >= 0 else target
        if reached != function or (name == "bl" and target == function):
            functions[function].calls.add(reached)


def _branch(function: Function, name: str, operands: str) -> None:
    if name in ("bx", "blx") and operands != "lr":
        function.through_pointer = True


def _push(function: Function, name: str, operands: str) -> None:
    """Adds what an instruction takes from the stack."""
    base = name.split(".")[0]
    if base in ("push", "vpush") or (base in ("stmdb", "vstmdb") and operands.startswith("sp!")):
        function.pushed += _registers(operands)
    elif base in ("sub", "subw") and re.match(r"sp, (sp, )?#\d+$", operands):
        function.pushed += int(operands.rsplit("#", 1)[1])
    elif base in ("str", "strd") and (offset := re.search(r"\[sp, #-(\d+)\]!$", operands)):
        function.pushed += int(offset[1])
    elif _moves_unknown(base, operands):
        function.moved = f"{name} {operands}"


def _moves_unknown(base: str, operands: str) -> bool:
    """An instruction writes the stack pointer with what cannot be read from it."""
    if base == "msr":
        return operands.startswith("MSP")
    return operands.startswith("sp,") and base != "cmp" and not re.match(r"sp, (sp, )?#\d+$", operands)


def _registers(operands: str) -> int:
    """Bytes of a list of registers."""
    total = 0
    for part in operands[operands.index("{") + 1 : operands.index("}")].split(","):
        first, _, last = part.strip().partition("-")
        many = int(last[1:]) - int(first[1:]) + 1 if last else 1
        total += many * (8 if first.startswith("d") else 4)
    return total


def stack_usage(texts: Iterable[str]) -> dict[str, int]:
    """Bytes per function from what the compiler wrote; of functions of one name the largest.

    Raises:
        UnboundedError: a function takes as much as it likes.
    """
    usage: dict[str, int] = {}
    for line in (line for text in texts for line in text.splitlines()):
        place, size, kind = line.split("\t")
        name = place.rsplit(":", 1)[1]
        if kind not in ("static", "dynamic,bounded"):
            raise UnboundedError(f"{name} takes stack without a bound ({kind}).")
        usage[name] = max(usage.get(name, 0), int(size))
    return usage


class Graph:
    """Call graph of an image.

    Args:
        functions: by address.
        usage: what the compiler says, by name.
        content: symbols of the image and what is in its objects.
        pointers: as POINTERS.
    """

    def __init__(
        self,
        functions: Mapping[int, Function],
        usage: Mapping[str, int],
        content: Content,
        pointers: Mapping[str, tuple[str, ...]] = POINTERS,
    ) -> None:
        self._functions, self._usage, self._content, self._pointers = functions, usage, content, pointers
        self._bounds: dict[int, int] = {}

    def bound(self, address: int, callers: Sequence[int] = ()) -> int:
        """Most bytes that a function and all that it calls take.

        Raises:
            UnboundedError: it calls itself, or calls through a pointer that is not declared.
        """
        function = self._functions.get(address)
        if function is None:
            raise UnboundedError(f"There is no function at 0x{address:08x}.")
        if address in callers:
            way = [self._functions[caller].name for caller in callers[callers.index(address) :]]
            raise UnboundedError(f"Recursion: {' -> '.join([*way, function.name])}.")
        if address not in self._bounds:
            below = [self.bound(called, (*callers, address)) for called in sorted(self._called(address))]
            self._bounds[address] = self._frame(function) + max(below, default=0)
        return self._bounds[address]

    def way(self, address: int) -> str:
        """The deepest way from a function whose bound is known."""
        called = sorted(self._called(address), key=lambda one: -self._bounds[one])
        function = self._functions[address]
        here = f"{function.name} {self._frame(function)}"
        return " -> ".join([here, *([self.way(called[0])] if called else [])])

    def _frame(self, function: Function) -> int:
        # The compiler says 0 of assembler.
        known = self._usage.get(function.name, 0)
        if function.moved and not known and function.name not in (FAULT_HANDLER, self._content.entry):
            raise UnboundedError(f"{function.name} moves the stack pointer: {function.moved}.")
        return known or function.pushed

    def _called(self, address: int) -> set[int]:
        function = self._functions[address]
        if not function.through_pointer:
            return function.calls
        name = function.name.split(".")[0]
        if name not in self._pointers:
            raise UnboundedError(f"{name} calls through a pointer that POINTERS does not declare.")
        reached = {one for declared in self._pointers[name] for one in self._content.functions_named(declared)}
        return function.calls | reached


@dataclass(frozen=True)
class Bound:
    """What an entry takes.

    Attributes:
        entry: what begins there.
        used, limit: bytes.
        way: functions and their bytes on the deepest way.
    """

    entry: str
    used: int
    limit: int
    way: str = ""


def bounds_of(graph: Graph, content: Content) -> list[Bound]:
    """Bounds of the main loop, of every handler, and of all of them at once.

    Raises:
        UnboundedError: one has none.
    """
    stack = content.value("__stack_top") - content.value("__stack_limit")
    # A fault's stack lies above the main one, or is the main one, begun anew.
    fault_stack = content.value("__fault_stack_top") - content.value("__stack_top") or stack
    main, *handlers = content.vectors()
    rows = [Bound("main loop", graph.bound(main), stack, graph.way(main))]
    for handler in handlers:
        used, name = graph.bound(handler), content.name_of(handler)
        limit = fault_stack if name == FAULT_HANDLER else stack
        rows.append(Bound(name, used, limit, graph.way(handler)))
    # An interrupt comes during the main loop or another one, each once at most; of a fault only the frame lies here.
    nested = sum(row.used for row in rows if row.entry != FAULT_HANDLER) + EXCEPTION_FRAME * len(handlers)
    return [*rows, Bound("all at once", nested, stack)]


def bounds_of_image(image: Analysed) -> list[Bound]:
    """Bounds of a built image. Raises UnboundedError, BuildError."""
    listing = output_of([image.plan.tool("objdump"), "-d", str(image.elf)], "The image cannot be disassembled.")
    texts = [made.with_suffix(STACK_USAGE).read_text(encoding="utf-8") for made in image.objects]
    content = read_content(image.elf)
    return bounds_of(Graph(functions_of(listing), stack_usage(texts), content), content)


def main() -> int:
    good = True
    print(f"{'image':<28} {'entry':<24} {'bound':>6} {'limit':>6}")
    try:
        for image in analysed_images():
            for row in bounds_of_image(image):
                print(f"{image!s:<28} {row.entry:<24} {row.used:>6} {row.limit:>6}")
                if row.used > row.limit:
                    good = False
                    print(f"  Too deep: {row.way}")
    except (UnboundedError, EcgsegError) as error:
        print(error)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
