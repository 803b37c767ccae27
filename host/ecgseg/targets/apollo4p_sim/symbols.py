"""Source lines and functions behind addresses, from the ELF."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path, PurePosixPath
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from ecgseg.errors import TargetError


class Symbols:
    """Looks up addresses of one program.

    Args:
        elf: the program; None for one without symbols.

    Raises:
        TargetError: the file is no readable ELF.
    """

    def __init__(self, elf: Path | None) -> None:
        self._functions: list[tuple[int, int, str]] = []
        self._lines: list[tuple[int, str]] | None = None
        self._elf = elf
        if elf is None:
            return
        try:
            with elf.open("rb") as stream:
                self._functions = sorted(_functions(ELFFile(stream)))
        except (OSError, ELFError) as error:
            raise TargetError(f"The program {elf} cannot be read.", str(error), "Build it again.") from error

    def address_of(self, name: str) -> int | None:
        """Address of a function, without the Thumb bit."""
        return next((start for start, _, known in self._functions if known == name), None)

    def function(self, address: int) -> str | None:
        """Name of the function that holds `address`."""
        index = bisect_right(self._functions, (address, 1 << 32, "")) - 1
        if index < 0:
            return None
        start, size, name = self._functions[index]
        return name if start <= address < start + max(size, 2) else None

    def describe(self, address: int) -> str:
        """ "file:line, function" as far as known."""
        function = self.function(address)
        line = self._line(address)
        return ", ".join(part for part in (line, function) if part) or "no symbols"

    def _line(self, address: int) -> str | None:
        if self._elf is None:
            return None
        if self._lines is None:
            with self._elf.open("rb") as stream:
                self._lines = sorted(_lines(ELFFile(stream)))
        index = bisect_right(self._lines, (address, "\uffff")) - 1
        return self._lines[index][1] or None if index >= 0 else None


def _functions(elf: Any) -> list[tuple[int, int, str]]:
    table = elf.get_section_by_name(".symtab")
    if table is None:
        return []
    return [
        (symbol["st_value"] & ~1, symbol["st_size"], symbol.name)
        for symbol in table.iter_symbols()
        if symbol["st_info"]["type"] == "STT_FUNC"
    ]


def _lines(elf: Any) -> list[tuple[int, str]]:
    """Starts of line table rows; an empty text ends a sequence."""
    if not elf.has_dwarf_info():
        return []
    rows: list[tuple[int, str]] = []
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        version = program.header["version"]
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            text = "" if state.end_sequence else f"{_file_name(program, state.file, version)}:{state.line}"
            rows.append((state.address, text))
    return rows


def _file_name(program: Any, index: int, version: int) -> str:
    entries = program.header["file_entry"]
    name = entries[index if version >= 5 else index - 1].name
    return PurePosixPath(name.decode(errors="replace")).name
