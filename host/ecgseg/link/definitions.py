"""Reader of the .def files that C includes: X-macro calls as Python sees them.

A file is a sequence of calls such as `NAME(0x01, WORD, "text" "joined as in C", INNER(...) INNER(...))`. Comments and
preprocessor lines are passed over; everything else is an error that names file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecgseg.errors import BuildError, cause

_TOKEN = re.compile(
    r"""
      (?P<skipped> \s+ | /\*.*?\*/ | ^\#(?:\\\n|[^\n])* )
    | (?P<text> "[^"\\\n]*" )
    | (?P<word> [A-Za-z_]\w* )
    | (?P<number> (?:0x[0-9A-Fa-f]+|0|[1-9][0-9]*)\b )
    | (?P<mark> [(),] )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Place:
    """A line of a file."""

    path: Path
    line: int

    def error(self, why: str) -> BuildError:
        """The error that says what is wrong there."""
        return BuildError(
            f"{self.path.name}, line {self.line}: the entry cannot be read.",
            why,
            "Correct it; the comment at the top of the file says how entries are written.",
        )


class Word(str):
    """An identifier, as opposed to a text in quotes."""

    __slots__ = ()


@dataclass(frozen=True)
class Call:
    """A macro and its arguments.

    Attributes:
        macro: its name.
        arguments: numbers, identifiers, texts, and sequences of calls.
        place: where it begins.

    The methods return one argument and raise BuildError when it is of another kind.
    """

    macro: str
    arguments: tuple[Argument, ...]
    place: Place

    def expect(self, count: int) -> None:
        """Raises BuildError unless there are as many arguments."""
        if len(self.arguments) != count:
            raise self.place.error(f"{self.macro} takes {count} arguments, not {len(self.arguments)}.")

    def number(self, index: int) -> int:
        """An argument that is a number."""
        argument = self.arguments[index]
        if not isinstance(argument, int):
            raise self._misfit(index, "a number")
        return argument

    def word(self, index: int) -> str:
        """An argument that is an identifier."""
        argument = self.arguments[index]
        if not isinstance(argument, Word):
            raise self._misfit(index, "a name")
        return str(argument)

    def text(self, index: int) -> str:
        """An argument that is a text in quotes."""
        argument = self.arguments[index]
        if not isinstance(argument, str) or isinstance(argument, Word):
            raise self._misfit(index, "a text in quotes")
        return argument

    def calls(self, index: int, *macros: str) -> tuple[Call, ...]:
        """An argument that is a sequence of calls of some of these macros; a name alone is a call without arguments."""
        argument = self.arguments[index]
        found = (Call(argument, (), self.place),) if isinstance(argument, Word) else argument
        if not isinstance(found, tuple):
            raise self._misfit(index, " or ".join(macros))
        for call in found:
            if call.macro not in macros:
                raise call.place.error(f"{call.macro} stands where only {' or '.join(macros)} may stand.")
        return found

    def _misfit(self, index: int, wanted: str) -> BuildError:
        return self.place.error(f"Argument {index + 1} of {self.macro} has to be {wanted}.")


Argument = int | str | tuple[Call, ...]


def read_calls(path: Path) -> tuple[Call, ...]:
    """The calls of a file, in their order.

    Raises:
        BuildError: the file is missing, or something in it is no call.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BuildError(
            f"The description of the link in {path} cannot be read.",
            cause(error, "It is no text."),
            "Restore it from the repository.",
        ) from error
    return tuple(_Parser(path, text).file())


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: Place


def _tokens(path: Path, text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        place = Place(path, line)
        if match is None:
            rest = text[position:].splitlines()[0]
            raise place.error(f"'{rest[:40]}' is no name, number, text or mark.")
        if match.lastgroup != "skipped":
            yield _Token(str(match.lastgroup), match[0], place)
        line += match[0].count("\n")
        position = match.end()
    yield _Token("end", "the end of the file", Place(path, line))


class _Parser:
    """Takes the tokens of a file apart, with one token of foresight."""

    def __init__(self, path: Path, text: str) -> None:
        self._rest = _tokens(path, text)
        self._next = next(self._rest)

    def file(self) -> Iterator[Call]:
        while self._next.kind != "end":
            call = self._word_or_call()
            if not isinstance(call, Call):
                raise self._unexpected("'('")
            yield call

    def _take(self, kind: str, *texts: str) -> _Token:
        token = self._next
        if token.kind != kind or (texts and token.text not in texts):
            raise self._unexpected(" or ".join(f"'{text}'" for text in texts) or f"a {kind}")
        self._next = next(self._rest, token)
        return token

    def _unexpected(self, wanted: str) -> BuildError:
        return self._next.place.error(f"'{self._next.text}' stands where {wanted} should stand.")

    def _word_or_call(self) -> Word | Call:
        name = self._take("word")
        if self._next.text != "(":
            return Word(name.text)
        self._take("mark", "(")
        arguments = [self._argument()]
        while self._take("mark", ",", ")").text == ",":
            arguments.append(self._argument())
        return Call(name.text, tuple(arguments), name.place)

    def _argument(self) -> Argument:
        if self._next.kind == "number":
            return int(self._take("number").text, 0)
        if self._next.kind == "text":
            parts = []
            while self._next.kind == "text":
                parts.append(self._take("text").text[1:-1])
            return "".join(parts)
        first = self._word_or_call()
        if isinstance(first, Word):
            return first
        calls = [first]
        while self._next.kind == "word":
            call = self._word_or_call()
            if not isinstance(call, Call):
                raise self._unexpected("'('")
            calls.append(call)
        return tuple(calls)
