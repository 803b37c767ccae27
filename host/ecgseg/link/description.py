"""The description of the link, read from the one file that the firmware is compiled with: constants, enums, messages.

How entries are written stands at the top of the file. Names that Python code uses are in :mod:`ecgseg.link.numbers`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ecgseg import paths
from ecgseg.link.definitions import Call, Place, read_calls

TABLE = paths.FIRMWARE / "link" / "include" / "ecgseg_link_messages.def"

# As `struct` has them, little-endian; a text and what is left have no fixed length.
_FORMATS = {"u8": "B", "u16": "H", "i16": "h", "u32": "I", "u64": "Q", "i32": "i", "f32": "f"}
_FIELD_MACROS = ("FIELD", "ARRAY", "CHOICE", "BITS", "REST", "NOTHING")
_HIGHEST_COMMAND = 0x7F


@dataclass(frozen=True)
class Constant:
    """A number of the protocol, or one value of an enumeration; of flags the mask, not the number of the bit."""

    name: str
    number: int
    meaning: str


@dataclass(frozen=True)
class Enumeration:
    """Values that a field may have, or bits when `is_flags`."""

    name: str
    purpose: str
    values: tuple[Constant, ...]
    is_flags: bool

    @property
    def meaning(self) -> str:
        """All values in one line, for the field that has them."""
        if self.is_flags:
            return "; ".join(f"bit {value.number.bit_length() - 1}: {value.meaning}" for value in self.values)
        return ", ".join(f"{value.number} {value.meaning}" for value in self.values)


@dataclass(frozen=True)
class Field:
    """A field of a message.

    Attributes:
        name: key in the unpacked message.
        kind: u8, u16, u32, u64, i32, f32 (IEEE-754 single), such as u32[8] or u8[32], text (length byte and UTF-8) or
            bytes (all that is left).
        meaning: one line for the documentation, with the unit.
        layout: as `struct` writes it, little-endian; None when the length varies.
        least: bytes that it has at least in a request.
    """

    name: str
    kind: str
    meaning: str
    layout: str | None
    least: int

    @property
    def size(self) -> int | None:
        """Bytes of the field, None when it varies."""
        return self.least if self.layout else None


@dataclass(frozen=True)
class Record:
    """Fields that stand in more than one message; `size` in bytes."""

    name: str
    purpose: str
    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        """Bytes of all fields together."""
        return sum(part.least for part in self.fields)


@dataclass(frozen=True)
class Message:
    """Request and answer of one command; `smallest` and `largest` are bytes of the request's payload."""

    number: int
    name: str
    purpose: str
    request: tuple[Field, ...]
    answer: tuple[Field, ...]
    smallest: int
    largest: int


@dataclass
class Description:
    """All that the file holds, in its order, by name."""

    constants: dict[str, Constant] = field(default_factory=dict)
    enumerations: dict[str, Enumeration] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)


@lru_cache(maxsize=4)
def description(path: Path = TABLE) -> Description:
    """The description in a file.

    Raises:
        BuildError: the file is missing, an entry in it cannot be read, or it contradicts another one.
    """
    reading = _Reading()
    readers = {
        "ECGSEG_LINK_CONSTANT": reading.constant,
        "ECGSEG_LINK_ENUM": reading.enumeration,
        "ECGSEG_LINK_FLAGS": reading.flags,
        "ECGSEG_LINK_RECORD": reading.record,
        "ECGSEG_LINK_COMMAND": reading.command,
    }
    for call in read_calls(path):
        if call.macro not in readers:
            raise call.place.error(f"{call.macro} is none of {', '.join(readers)}.")
        readers[call.macro](call)
    return reading.found


class _Reading:
    """What has been read so far; each method takes one entry."""

    def __init__(self) -> None:
        self.found = Description()

    def constant(self, call: Call) -> None:
        call.expect(3)
        entry = Constant(call.word(0), call.number(1), self._filled(call.text(2), call.place))
        _check_new(entry.name, self.found.constants, call.place)
        self.found.constants[entry.name] = entry

    def enumeration(self, call: Call) -> None:
        self._values(call, "VALUE")

    def flags(self, call: Call) -> None:
        self._values(call, "BIT")

    def _values(self, call: Call, macro: str) -> None:
        call.expect(3)
        name = call.word(0)
        _check_new(name, self.found.enumerations, call.place)
        values: list[Constant] = []
        prefixes = set()
        for part in call.calls(2, macro):
            part.expect(4)
            number = part.number(2) if macro == "VALUE" else 1 << part.number(2)
            value = Constant(part.word(1), number, self._filled(part.text(3), part.place))
            _check_new(value.name, (known.name for known in values), part.place)
            _check_new(value.number, (known.number for known in values), part.place)
            if not 0 <= number <= 0xFF:
                raise part.place.error(f"{value.name} is {number}, which does not fit a u8.")
            values.append(value)
            prefixes.add(part.word(0))
        if len(prefixes) != 1:
            raise call.place.error(f"All names of {name} have one prefix; here are {', '.join(sorted(prefixes))}.")
        self.found.enumerations[name] = Enumeration(name, call.text(1), tuple(values), macro == "BIT")

    def record(self, call: Call) -> None:
        call.expect(3)
        name = call.word(0)
        _check_new(name, self.found.records, call.place)
        fields = self._fields(call.calls(2, "FIELD"))
        if any(part.layout is None for part in fields):
            raise call.place.error(f"The record {name} has a field whose length varies.")
        self.found.records[name] = Record(name, call.text(1), fields)

    def command(self, call: Call) -> None:
        call.expect(6)
        number, name = call.number(0), call.word(1)
        _check_new(name, self.found.messages, call.place)
        _check_new(number, (known.number for known in self.found.messages.values()), call.place)
        if not 0 < number <= _HIGHEST_COMMAND:
            raise call.place.error(f"The number {number} of {name} is not in 1..{_HIGHEST_COMMAND}.")
        if call.word(2) != name.lower():
            raise call.place.error(f"{call.word(2)} is not {name} in small letters.")
        request = self._part(call, 4, "REQUEST")
        if any(part.kind == "text" or "[" in part.kind for part in request):
            raise call.place.error(f"The request of {name} has a text or an array; only answers have.")
        smallest = sum(part.least for part in request)
        is_open = any(part.layout is None for part in request)
        largest = self._number("PAYLOAD_MAX", call.place) if is_open else smallest
        answer = self._part(call, 5, "ANSWER")
        self.found.messages[name] = Message(number, name, call.text(3), request, answer, smallest, largest)

    def _part(self, call: Call, index: int, macro: str) -> tuple[Field, ...]:
        parts = call.calls(index, macro)
        if len(parts) != 1:
            raise call.place.error(f"{call.word(1)} has {macro} {len(parts)} times.")
        parts[0].expect(1)
        return self._fields(parts[0].calls(0, *_FIELD_MACROS))

    def _fields(self, calls: Sequence[Call]) -> tuple[Field, ...]:
        fields: list[Field] = []
        for call in calls:
            if call.macro == "NOTHING":
                if len(calls) > 1:
                    raise call.place.error("NOTHING stands beside fields.")
                return ()
            if fields and fields[-1].kind == "bytes":
                raise call.place.error(f"A field stands behind {fields[-1].name}, which is all that is left.")
            new = self._field(call)
            _check_new(new.name, (known.name for known in fields), call.place)
            fields.append(new)
        return tuple(fields)

    def _field(self, call: Call) -> Field:
        if call.macro in ("CHOICE", "BITS"):
            call.expect(2)
            values = self.found.enumerations.get(call.word(1))
            if values is None or values.is_flags != (call.macro == "BITS"):
                raise call.place.error(f"There is no such {call.macro} above: {call.word(1)}.")
            return Field(call.word(0), "u8", values.meaning, "<B", 1)
        call.expect(4 if call.macro == "ARRAY" else 3)
        name, kind = call.word(0), call.word(1)
        meaning = self._filled(call.text(len(call.arguments) - 1), call.place)
        if call.macro == "FIELD" and kind == "text":
            return Field(name, kind, meaning, None, 1)
        if kind not in _FORMATS:
            raise call.place.error(f"{kind} is no kind of a field.")
        if call.macro == "REST":
            return Field(name, "bytes", meaning, None, struct.calcsize("<" + _FORMATS[kind]))
        layout = "<" + _FORMATS[kind]
        if call.macro == "ARRAY":
            # The elements of u8[n] are one value, bytes; those of any other array a tuple of numbers.
            count = call.number(2)
            layout = f"<{count}{'s' if kind == 'u8' else _FORMATS[kind]}"
            kind = f"{kind}[{count}]"
        return Field(name, kind, meaning, layout, struct.calcsize(layout))

    def _number(self, name: str, place: Place) -> int:
        if name in self.found.constants:
            return self.found.constants[name].number
        record = self.found.records.get(name.removesuffix("_BYTES"))
        if record is None or not name.endswith("_BYTES"):
            raise place.error(f"There is no constant {name} above, and no record of which it is the length.")
        return record.size

    def _filled(self, text: str, place: Place) -> str:
        """A text with the numbers that it names."""
        return re.sub(r"\{(\w+)\}", lambda match: str(self._number(match[1], place)), text)


def _check_new(item: str | int, known: Iterable[str | int], place: Place) -> None:
    if item in set(known):
        raise place.error(f"{item} stands twice.")
