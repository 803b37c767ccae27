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
_INSIDE = "ecgseg"
# Files <prefix>.h, types <prefix>_t and macros <prefix>_end that the C library has already.
_HEADERS = (
    "assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic "
    "stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time uchar wchar wctype unistd"
)
_TYPES = "clock div fpos intmax intptr jmp_buf ldiv lldiv max_align off pid ptrdiff size ssize uintmax uintptr va wint"
_WORDS = frozenset((*_HEADERS.split(), *_TYPES.split()))
_SIZED = re.compile(r"u?int(_fast|_least)?(8|16|32|64)")


def checked(prefix: str) -> ModelNames:
    """The names that open with a prefix.

    Raises:
        UsageError: it is no C identifier, too long, or taken: by the parts inside, or by the C library.
    """
    names = ModelNames(prefix)
    why = ""
    if len(prefix) > MOST:
        why = f"It has more than {MOST} characters."
    elif prefix.lower() == _INSIDE:
        why = "The parts inside of the library have it."
    elif prefix.lower() in _WORDS or _SIZED.fullmatch(prefix.lower()):
        why = f"The C library has a header {prefix}.h, or names that begin with {prefix}_."
    if why:
        raise UsageError(
            f"The prefix '{prefix[:MOST]}' cannot be taken.", why, f"Give --prefix another one, such as {DEFAULT}."
        )
    return names


def prefixed(files: Mapping[str, str], names: ModelNames) -> dict[str, str]:
    """Files with the prefix in front of every ecgseg_ and ECGSEG_, in their texts and in their names."""
    return {_in_front(name, names): _in_front(text, names) for name, text in files.items()}


def _in_front(text: str, names: ModelNames) -> str:
    opening = {"ecgseg": names.prefix, "ECGSEG": names.macro}
    return _OWN.sub(lambda found: f"{opening[found[1]]}_{found[0]}", text)
