"""Builds images from the board's own code and a main program, with or without a fault put into the source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ecgseg.image.boards import APOLLO4P_EVB, board_of
from ecgseg.image.programs import files_in
from ecgseg.targets.apollo4p_sim.machine import Machine
from ecgseg.targets.apollo4p_sim.source import SourceLines
from ecgseg.targets.options import SimulatorOptions
from support import drivers
from support.drivers import Compiler


def build_probe(folder: Path, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """Builds the probe program; `changes` says per file what is replaced by what, and the text must be there once."""
    board = board_of(APOLLO4P_EVB)
    copies = [_copy(source, folder / "boards" / source.name, changes or {}) for source in board.folders]
    (folder / "boards" / "board.h").write_bytes((board.folders[0].parent / "board.h").read_bytes())
    compiler = Compiler(board, (folder / "boards", *copies))
    sources = [*files_in(copies, "*.c"), drivers.FOLDER / "apollo4p_probe.c"]
    return compiler.link(sources, folder / "image.elf", copies[-1] / str(board.linker_script))


def _copy(source: Path, target: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    target.mkdir(parents=True)
    for file in (*source.glob("*.[ch]"), *source.glob("*.ld")):
        text = file.read_text(encoding="utf-8")
        if file.name in changes:
            old, new = changes[file.name]
            assert text.count(old) == 1, f"{file.name} holds {old!r} {text.count(old)} times"
            text = text.replace(old, new)
        (target / file.name).write_text(text, encoding="utf-8")
    return target


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
