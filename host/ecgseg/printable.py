"""Text that others wrote (a device, a file's name, a record) as data: nothing in it commands a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """One line of text: control characters, line ends and invisible marks are shown as escapes such as \\x1b."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def printable_lines(text: str) -> str:
    """The same for a text of several lines, whose line ends stay."""
    return "\n".join(printable(line) for line in text.expandtabs().split("\n"))
