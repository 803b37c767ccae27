"""Which source line an address belongs to, from the ELF's line table."""

from __future__ import annotations

import bisect
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile


class SourceLines:
    """Line table and function names of an ELF.

    Args:
        elf: the file; nothing is read before the first question.
    """

    def __init__(self, elf: Path | None) -> None:
        self._elf = elf
        self._rows: list[tuple[int, str]] | None = None
        self._functions: list[tuple[int, int, str]] = []

    def describe(self, address: int) -> str:
        """Function, file and line of an address, or what is known of it."""
        rows = self._load()
        index = bisect.bisect_right(rows, (address, "\uffff")) - 1
        line = rows[index][1] if index >= 0 else ""
        name = next((name for start, end, name in self._functions if start <= address < end), "")
        return " ".join(part for part in (name and f"{name}()", line) if part) or "no source line known"

    def symbol(self, name: str) -> int | None:
        """Start address of a function."""
        self._load()
        return next((start for start, _, found in self._functions if found == name), None)

    def _load(self) -> list[tuple[int, str]]:
        if self._rows is None:
            self._rows = []
            if self._elf is not None:
                with self._elf.open("rb") as stream:
                    self._read(ELFFile(stream))
            self._rows.sort()
        return self._rows

    def _read(self, elf: Any) -> None:
        table = elf.get_section_by_name(".symtab")
        for symbol in table.iter_symbols() if table else ():
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"]:
                start = symbol["st_value"] & ~1
                self._functions.append((start, start + symbol["st_size"], symbol.name))
        if elf.has_dwarf_info():
            dwarf = elf.get_dwarf_info()
            for unit in dwarf.iter_CUs():
                self._add_unit(dwarf.line_program_for_CU(unit))

    def _add_unit(self, program: Any) -> None:
        if program is None:
            return
        assert self._rows is not None
        names = program["file_entry"]
        first = 0 if program["version"] >= 5 else 1
        for entry in program.get_entries():
            state = entry.state
            if state is None or state.end_sequence:
                continue
            index = state.file - first
            name = names[index].name.decode() if 0 <= index < len(names) else "?"
            self._rows.append((state.address, f"{Path(name).name}:{state.line}"))
