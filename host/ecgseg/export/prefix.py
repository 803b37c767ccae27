"""Gives every name of a library its prefix, so that several libraries fit into one program.

The texts themselves are rewritten: what a debugger, an error message or a map shows is what stands in the source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecgseg.codegen.names import ModelNames
from ecgseg.errors import UsageError

DEFAULT = "ecg"
MOST = 32
_OWN = re.compile(r"(?<![A-Za-z0-9_])(ecgseg|ECGSEG)_")
# What C and C++ would not take as the name of a file or of a type behind which an underscore follows is refused too.
_RESERVED = ("ecgseg",)


def checked(prefix: str) -> ModelNames:
    """The names that open with a prefix.

    Raises:
        UsageError: it is no C identifier, too long, or opens the names of the firmware's own parts.
    """
    names = ModelNames(prefix)
    if len(prefix) > MOST or prefix.lower() in _RESERVED:
        raise UsageError(
            f"The prefix '{prefix[:MOST]}' cannot be taken.",
            f"It has at most {MOST} characters, and {', '.join(_RESERVED)} is that of the parts inside of the library.",
            f"Give --prefix another one, such as {DEFAULT}.",
        )
    return names


def prefixed(files: Mapping[str, str], names: ModelNames) -> dict[str, str]:
    """Files with the prefix in front of every ecgseg_ and ECGSEG_, in their texts and in their names."""
    return {_in_front(name, names): _in_front(text, names) for name, text in files.items()}


def _in_front(text: str, names: ModelNames) -> str:
    opening = {"ecgseg": names.prefix, "ECGSEG": names.macro}
    return _OWN.sub(lambda found: f"{opening[found[1]]}_{found[0]}", text)
