"""Removes, before anything else happens, the older results that a command line names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FLAGS = ("--json", "--html")
"""Options that name a result which tells how the run ended; a test holds them to those of the tasks."""


def discard(words: Sequence[str]) -> None:
    """Removes the files that FLAGS name, so that a run which is stopped while it starts leaves no older verdict there.

    What cannot be removed is told when the task looks at its options.

    Args:
        words: a command line, the program first.
    """
    if {"--help", "-h"} & set(words):
        return
    for word, after in zip(words, [*words[1:], ""], strict=True):
        flag, equals, value = word.partition("=")
        if flag in FLAGS:
            _remove(Path(value if equals else after).expanduser())


def _remove(place: Path) -> None:
    try:
        if place.is_file():
            place.unlink()
    except OSError:
        return
