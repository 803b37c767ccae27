"""Builds images from the board's own code and a main program, with or without a fault put into the source."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ecgseg import paths
from ecgseg.image.boards import COMMON_FLAGS, board_of
from ecgseg.targets.apollo4p_sim.machine import Machine
from ecgseg.targets.apollo4p_sim.source import SourceLines
from ecgseg.targets.options import SimulatorOptions

BOARD_FOLDER = paths.FIRMWARE / "boards" / "apollo4p_evb"
PROBE = Path(__file__).resolve().parents[1] / "firmware" / "apollo4p_probe.c"


def build_probe(folder: Path, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """Builds the probe program; `changes` says per file what is replaced by what, and the text must be there once."""
    board = folder / "boards" / "apollo4p_evb"
    board.mkdir(parents=True)
    (folder / "boards" / "board.h").write_bytes((BOARD_FOLDER.parent / "board.h").read_bytes())
    for source in (*BOARD_FOLDER.glob("*.[ch]"), *BOARD_FOLDER.glob("*.ld")):
        text = source.read_text(encoding="utf-8")
        if changes and source.name in changes:
            old, new = changes[source.name]
            assert text.count(old) == 1, f"{source.name} holds {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        (board / source.name).write_text(text, encoding="utf-8")
    return link(folder, [*sorted(board.glob("*.c")), PROBE], board)


def link(folder: Path, sources: Sequence[Path], board_folder: Path = BOARD_FOLDER) -> Path:
    """Compiles and links; returns the ELF, with the flat image beside it."""
    board = board_of("apollo4p_evb")
    elf = folder / "image.elf"
    command = [
        f"{board.prefix}gcc", *COMMON_FLAGS, *board.flags, *board.link_flags,
        f"-I{board_folder}", f"-I{board_folder.parent}", f"-T{board_folder / str(board.linker_script)}",
        *map(str, sources), "-o", str(elf),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    copy = [f"{board.prefix}objcopy", "-O", "binary", str(elf), str(elf.with_suffix(".bin"))]
    subprocess.run(copy, check=True, timeout=60)
    return elf


def machine_of(elf: Path, options: SimulatorOptions | None = None, *, trace_pads: bool = False) -> Machine:
    """A machine with the image beside an ELF."""
    return Machine(elf.with_suffix(".bin").read_bytes(), options, SourceLines(elf), trace_pads=trace_pads)


class Talk:
    """Talks to the probe program on a machine, in simulated time."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def line(self, seconds: float = 0.5) -> str:
        """The next line."""
        wire = self.machine.wire
        self.machine.run_until(lambda: b"\n" in wire.outgoing, seconds)
        text, found, rest = bytes(wire.outgoing).partition(b"\n")
        assert found, f"no line within {seconds} s, only {text!r}"
        wire.outgoing[:] = rest
        return text.decode()

    def ask(self, command: str, *words: int, seconds: float = 0.5) -> str:
        """Sends a command and returns the line that answers it."""
        self.send(command, *words)
        return self.line(seconds)

    def send(self, command: str, *words: int) -> None:
        """Sends a command."""
        self.machine.wire.incoming.extend(command.encode() + b"".join(word.to_bytes(4, "little") for word in words))

    def values(self, command: str, *words: int, seconds: float = 0.5) -> dict[str, int]:
        """Answers of the form name=hex."""
        parts = (part.split("=") for part in self.ask(command, *words, seconds=seconds).split())
        return {name: int(value, 16) for name, value in parts}
