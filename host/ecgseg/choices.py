"""Names that a user picks from a list."""

from __future__ import annotations

from collections.abc import Sequence

from ecgseg.errors import UsageError

_LONG = 8
_SHORTEST_PART = 3
_SHORTEST_SLIP = 4


def choose(what: str, name: str, known: Sequence[str], option: str) -> str:
    """The name, if it is known.

    Args:
        what: what is named, such as "model".
        name: what the user typed.
        known: the names that exist.
        option: the option it came from, such as "--model".

    Raises:
        UsageError: it is not; the message lists the known names and the nearest one.
    """
    if name in known:
        return name
    raise UsageError(
        f"There is no {what} '{name}'.{did_you_mean(name, known)}",
        f"Known: {', '.join(known) or 'none'}.",
        f"Correct the {option} option.",
    )


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """The question after the known name that was probably meant, with a space before it; empty when none was.

    Meant is a name that a slip of the fingers turns into the typed one, or that the typed one begins, or that begins
    the typed one. Names that merely share letters are not: a wrong guess sends the reader the wrong way.
    """
    word = _plain(name)
    near = min(known, key=lambda other: _slips(word, _plain(other)), default="")
    other = _plain(near)
    allowed = 2 if len(word) >= _LONG else 1
    if max(len(word), len(other)) >= _SHORTEST_SLIP and _slips(word, other) <= allowed:
        return f" Did you mean '{near}'?"
    parts = [other for other in known if _begins(word, _plain(other))]
    return f" Did you mean '{min(parts, key=len)}'?" if parts else ""


def _plain(name: str) -> str:
    return name.lstrip("-").lower().replace("_", "-")


def _begins(one: str, other: str) -> bool:
    """One of two words begins the other, and says enough by itself."""
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _SHORTEST_PART and longer.startswith(shorter)


def _slips(typed: str, meant: str) -> int:
    """Letters left out, added, mistaken or exchanged with their neighbour (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(meant) + 1))
    for row, letter in enumerate(typed, start=1):
        line = [row]
        for column, wanted in enumerate(meant, start=1):
            cost = min(line[-1] + 1, last[column] + 1, last[column - 1] + (letter != wanted))
            exchanged = row > 1 and column > 1 and (letter, typed[row - 2]) == (meant[column - 2], wanted)
            line.append(min(cost, before[column - 2] + 1) if exchanged else cost)
        before, last = last, line
    return last[-1]
