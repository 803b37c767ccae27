"""Reads from an ELF file how large an image and what is in it are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from ecgseg.errors import BuildError, cause

_ALLOCATED, _WRITABLE = 2, 1


@dataclass(frozen=True)
class Symbol:
    """A function or an object of an image.

    Attributes:
        name: in C, with what the compiler appends to its clones.
        address: where it lies; of a function with the Thumb bit.
        size: bytes.
        is_function: False for an object.
    """

    name: str
    address: int
    size: int
    is_function: bool


def section_sizes(elf: Path) -> dict[str, int]:
    """Bytes per allocated section; "flash" is what is loaded, "ram" what may be written.

    Raises:
        BuildError: it is no ELF file.
    """
    try:
        with elf.open("rb") as file:
            sections = [
                (section.name, int(section["sh_size"]), section["sh_flags"], section["sh_type"])
                for section in ELFFile(file).iter_sections()
                if section["sh_flags"] & _ALLOCATED and section["sh_size"]
            ]
    except ELFError as error:
        raise BuildError(
            "The image is no ELF file.",
            cause(error, "Its header or its sections are damaged."),
            "Delete the build folder, build again.",
        ) from error
    sizes = {name: size for name, size, _, _ in sections}
    flash = sum(size for _, size, _, kind in sections if kind != "SHT_NOBITS")
    ram = sum(size for _, size, flags, _ in sections if flags & _WRITABLE)
    return {**sizes, "flash": flash, "ram": ram}


def symbols(elf: Path) -> Iterator[Symbol]:
    """Functions and objects of an image that was linked here, in the order of its symbol table."""
    with elf.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        for symbol in table.iter_symbols():
            kind = symbol["st_info"]["type"]
            if kind in ("STT_FUNC", "STT_OBJECT"):
                yield Symbol(symbol.name, int(symbol["st_value"]), int(symbol["st_size"]), kind == "STT_FUNC")
