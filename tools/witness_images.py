"""Builds programs that others measured, runs them on the simulated part and reads the modelled cycles of their parts.

Their files are read from the git repositories that the user has, at the commits that are named; nothing of them stays.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from image_content import Content, read_content

from ecgseg import paths
from ecgseg.errors import BuildError, UsageError
from ecgseg.image.boards import APOLLO4P_EVB, CORTEX_M4F_FLAGS, CPP_FLAGS, board_of
from ecgseg.image.toolchain import find_tool, run_tool
from ecgseg.output import write_bytes
from ecgseg.targets.apollo4p_sim.machine import Machine
from ecgseg.targets.options import SimulatorOptions, TimingCase

OWN = paths.ROOT / "tools" / "witness"
SECONDS = 30.0
"""Of simulated time, in which every program ends."""
_GOOD, _WRONG = 1, 2
_FLAGS = ("-O2", "-ffunction-sections", "-fdata-sections", "-Wall")
_LINK = (
    "-nostartfiles",
    "--specs=nano.specs",
    "--specs=nosys.specs",
    "-Wl,--gc-sections",
    "-Wl,--defsym=end=__bss_end",
)


@dataclass(frozen=True)
class Checkout:
    """A repository at a commit.

    Attributes:
        folder: a clone of it, with or without a work tree.
        commit: full SHA-1.
        address: where to get it.
    """

    folder: Path
    commit: str
    address: str

    def require(self) -> None:
        """Raises UsageError when the commit is not there."""
        if not self.folder.is_dir() or self._git("cat-file", "-e", f"{self.commit}^{{commit}}").returncode:
            raise UsageError(
                f"'{self.folder}' has no commit {self.commit[:12]}.",
                f"It has to be a clone of {self.address}.",
                f"Run: git clone {self.address} {self.folder}",
            )

    def read(self, path: str) -> bytes:
        """Content of a file. Raises UsageError when it is not there, as files of a shallow copy may not be."""
        found = self._git("cat-file", "blob", f"{self.commit}:{path}")
        if found.returncode:
            raise UsageError(
                f"{self.address} at {self.commit[:12]} has no {path} in '{self.folder}'.",
                found.stderr.decode(errors="replace").strip(),
                f"Clone it in full: git clone {self.address}",
            )
        return found.stdout

    def below(self, folder: str) -> list[str]:
        """Paths of all files below a folder."""
        listed = self._git("ls-tree", "-r", "-z", "--name-only", self.commit, "--", f"{folder}/").stdout
        return [name for name in listed.decode().split("\0") if name]

    def write(self, wanted: Sequence[str], target: Path) -> dict[str, str]:
        """Writes files into a folder by their own names; their SHA-256 by path."""
        sums = {}
        for path in wanted:
            data = self.read(path)
            place = target / PurePosixPath(path)
            write_bytes(place, data)
            sums[path] = hashlib.sha256(data).hexdigest()
        return sums

    def sums(self, *wanted: str) -> dict[str, str]:
        """SHA-256 of files by path. Raises UsageError when one is not there."""
        return {path: hashlib.sha256(self.read(path)).hexdigest() for path in wanted}

    def _git(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["git", "-C", str(self.folder), *arguments], capture_output=True, check=False)


def from_keil(text: str) -> str:
    """Assembly of Keil's armasm, as far as the witnesses use it, as GNU as reads it.

    Instructions stay as they are. Conditions, symbols, areas, procedures, numeric labels and comments are rewritten.
    """
    rewritten = [
        (r";", "@"),
        (r"^\s*gbla\b.*$", ""),
        (r"^(\w+)\s+seta\s+(\d+)", r".set \1, \2"),
        (r"^\s*if\b", ".if"),
        (r"^\s*else\b", ".else"),
        (r"^\s*endif\b", ".endif"),
        (r"^\s*area\b.*$", ".text"),
        (r"^\s*align\b", ".balign"),
        (r"^\s*export\b", ".global"),
        (r"^(\w+)\s+proc\b", r".type \1, %function" + "\n" + r"\1:"),
        (r"^(\w+) @label definition", r"\1:"),
        (r"^\s*(?:endp|end|frame\b.*)$", ""),
        (r"^(\d+)\s*$", r"\1:"),
        (r"%b(\d+)", r"\1b"),
        (r"%f(\d+)", r"\1f"),
    ]
    text = text.replace("\r\n", "\n")
    for pattern, replacement in rewritten:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    # Halves of double registers, which GNU as knows for larger FPUs alone, are single registers.
    text = re.sub(r"\bd(\d+)\[([01])\]", lambda found: f"s{2 * int(found[1]) + int(found[2])}", text)
    return "\t.syntax unified\n\t.thumb\n" + text


def build(folder: Path, sources: Sequence[Path], flags: Sequence[str] = (), libraries: Sequence[Path] = ()) -> Path:
    """An ELF for the simulated part of our start and these sources.

    Args:
        folder: where it is built.
        sources: C, C++ and assembly.
        flags: for all of them.
        libraries: static ones.

    Raises:
        BuildError, ToolMissingError: as of a firmware image.
    """
    board = board_of(APOLLO4P_EVB)
    common = [*CORTEX_M4F_FLAGS, *_FLAGS, f"-I{OWN}", *flags]
    objects = []
    for number, source in enumerate((OWN / "start.c", *sources)):
        made = folder / f"{number}-{source.stem}.o"
        is_cpp = source.suffix == ".cc"
        kind = CPP_FLAGS if is_cpp else ("-std=c11",) if source.suffix == ".c" else ()
        command = [find_tool(board, "g++" if is_cpp else "gcc"), *common, *kind, "-c", str(source), "-o", str(made)]
        run_tool(command, f"{source.name} does not compile.", "See the message; the commit may not be the one named.")
        objects.append(str(made))
    elf = folder / "witness.elf"
    linker = find_tool(board, "g++" if libraries else "gcc")
    command = [linker, *CORTEX_M4F_FLAGS, *objects, *map(str, libraries), *_LINK, f"-T{board.script}", "-o", str(elf)]
    run_tool(command, "The witness does not link.", "See the message; the commit may not be the one named.")
    return elf


def modelled_parts(elf: Path, timing: TimingCase = TimingCase.EXPECTED) -> list[int]:
    """Modelled core cycles of every part that a program told, run from a warm cache.

    Raises:
        BuildError: it does not end, or says that what it computed is wrong.
        SimulationStoppedError: it broke a rule of the part.
    """
    image = elf.with_suffix(".bin")
    board = board_of(APOLLO4P_EVB)
    run_tool([find_tool(board, "objcopy"), "-O", "binary", str(elf), str(image)], "No flat image.", "See the message.")
    machine = Machine(image.read_bytes(), SimulatorOptions(probe=True, timing=timing))
    read = _reader(machine, read_content(elf))
    # What memory holds before the program has cleared it is neither.
    machine.run_until(lambda: read("witness_state", 0) in (_GOOD, _WRONG), SECONDS)
    state = read("witness_state", 0)
    if state != _GOOD:
        raise BuildError(
            f"{elf.parent.name} {'computes something wrong' if state == _WRONG else 'does not end'}.",
            "",
            "Look at its driver program.",
        )
    return [read("witness_cycles", number) for number in range(read("witness_parts", 0))]


def _reader(machine: Machine, content: Content) -> Callable[[str, int], int]:
    """Reads a number of an array of the program."""

    def read(name: str, index: int) -> int:
        return int.from_bytes(machine.uc.mem_read(content.value(name) + 4 * index, 4), "little")

    return read
