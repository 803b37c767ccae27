"""Names that a user picks from a list."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from ecgseg.errors import UsageError


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
    """The question after the nearest known name, with a space before it; empty when none is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean '{near[0]}'?" if near else ""
