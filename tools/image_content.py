"""What tools read from a linked image: symbols, the functions whose addresses a constant holds, the vector table."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

_VECTORS = ("vectors", "a4p_vectors")


@dataclass(frozen=True)
class Symbol:
    """A symbol of an image; of a function the address is the first instruction's."""

    name: str
    address: int
    size: int
    is_function: bool


@dataclass(frozen=True)
class Content:
    """Symbols of an image and the bytes of its sections.

    Attributes:
        symbols: all that have a name.
        sections: address and content of those that are loaded.
        entry: name of the function that runs first.
    """

    symbols: tuple[Symbol, ...]
    sections: tuple[tuple[int, bytes], ...]
    entry: str

    def value(self, name: str) -> int:
        """Address of a symbol. Raises KeyError."""
        for symbol in self.symbols:
            if symbol.name == name:
                return symbol.address
        raise KeyError(name)

    def name_of(self, address: int) -> str:
        """Name of the function there. Raises KeyError."""
        for symbol in self.symbols:
            if symbol.is_function and symbol.address == address:
                return symbol.name
        raise KeyError(hex(address))

    def functions_named(self, pattern: str) -> set[int]:
        """Functions of a name without the compiler's suffix, and those whose addresses objects of that name hold.

        A pattern may have wildcards.

        Raises:
            KeyError: no such function is in the image.
        """
        found: set[int] = set()
        for symbol in self.symbols:
            if fnmatchcase(symbol.name.split(".")[0], pattern):
                found |= {symbol.address} if symbol.is_function else self._held_by(symbol)
        if not found:
            raise KeyError(pattern)
        return found

    def vectors(self) -> list[int]:
        """The functions of the vector table, each once, the one that runs first in front. Raises KeyError."""
        table = next(symbol for symbol in self.symbols if symbol.name in _VECTORS)
        main = next(symbol.address for symbol in self.symbols if symbol.name == self.entry)
        return [main, *sorted(self._held_by(table) - {main})]

    def _held_by(self, symbol: Symbol) -> set[int]:
        functions = {one.address for one in self.symbols if one.is_function}
        for start, data in self.sections:
            if start <= symbol.address < start + len(data):
                held = data[symbol.address - start :][: symbol.size // 4 * 4]
                words = {word for (word,) in struct.iter_unpack("<I", held)}
                return {word & ~1 for word in words if word & 1 and word & ~1 in functions}
        return set()


def read_content(elf: Path) -> Content:
    """Reads a linked image."""
    with elf.open("rb") as file:
        image = ELFFile(file)
        symbols = []
        table = image.get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols():
            if symbol.name and not symbol.name.startswith("$"):
                function = symbol["st_info"]["type"] == "STT_FUNC"
                address = int(symbol["st_value"]) & ~1 if function else int(symbol["st_value"])
                symbols.append(Symbol(symbol.name, address, int(symbol["st_size"]), function))
        sections = tuple(
            (int(section["sh_addr"]), bytes(section.data()))
            for section in image.iter_sections()
            if section["sh_flags"] & 2 and section["sh_type"] == "SHT_PROGBITS"
        )
        entry = int(image.header["e_entry"]) & ~1
    name = next(symbol.name for symbol in symbols if symbol.is_function and symbol.address == entry)
    return Content(tuple(symbols), sections, name)
