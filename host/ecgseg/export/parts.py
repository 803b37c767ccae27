"""Finds which files of the firmware's engine and pipeline generated code needs: these, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ecgseg.errors import BuildError, cause
from ecgseg.files import read_text
from ecgseg.image.programs import ENGINE_PART, PIPELINE_PART, files_in

KERNELS = "ecgseg_kernels.h"
_MAX_BYTES = 1 << 20
_INCLUDE = re.compile(r'^#include "([\w.]+)"$', re.MULTILINE)
_NAME = re.compile(r"\b(?:ecgseg|ECGSEG)_\w+")
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
# What stands at the margin of a source is a definition, of a header a declaration: clang-format indents all else.
_DEFINED = re.compile(r"^(?!static\b|typedef\b|extern\b|ECGSEG_INLINE\b)[A-Za-z_].*?\b(ecgseg_\w+)\(", re.MULTILINE)
_PASTED = re.compile(r"\b(ecgseg_\w+)##")
_MACRO = re.compile(r"^#define (ECGSEG_\w+)", re.MULTILINE)
_INLINE = re.compile(r"^(?:static inline|ECGSEG_INLINE|[A-Za-z_][\w *]*?)\b[^\n(;=]*?\b(ecgseg_\w+)\(", re.MULTILINE)
_TYPE = re.compile(r"^(?:\}|typedef [^\n{]*?)\s*(ecgseg_\w+);|^typedef \w+ \(\*(ecgseg_\w+)\)", re.MULTILINE)
_OBJECT = re.compile(r"^extern [^\n;]*?\b(ecgseg_\w+)", re.MULTILINE)


def firmware_files() -> dict[str, str]:
    """Text of every header and source of engine and pipeline, by file name.

    Raises:
        BuildError: one cannot be read.
    """
    folders = dict.fromkeys(
        folder for part in (ENGINE_PART, PIPELINE_PART) for folder in (part.source_dir, part.include_dir)
    )
    try:
        return {path.name: read_text(path, _MAX_BYTES) for path in files_in(folders, "*.h", "*.c")}
    except (OSError, ValueError) as error:
        raise BuildError(
            "The firmware's sources cannot be read.",
            cause(error, "They are no text."),
            "Restore firmware/engine and firmware/pipeline.",
        ) from error


def needed(roots: Mapping[str, str], pool: Mapping[str, str]) -> dict[str, str]:
    """Files of a pool that others need: what they include, what defines the functions that are called, and so on.

    Args:
        roots: texts of the files that need them, by name.
        pool: texts of all there are, by name.

    Returns:
        Texts by name, sorted; the list of all kernels is cut down to those that are called.
    """
    pool = {name: text for name, text in pool.items() if name not in roots}
    if KERNELS in pool:
        pool[KERNELS] = _kernels(pool, _names(roots.values()))
    found: dict[str, str] = {}
    waiting = dict(roots)
    while waiting:
        waiting = {name: pool[name] for name in _next(waiting, pool) if name not in found}
        found |= waiting
    return dict(sorted(found.items()))


def _next(files: Mapping[str, str], pool: Mapping[str, str]) -> set[str]:
    """Names of the files of a pool that others include or call."""
    used = set().union(*(_used(name, text) for name, text in files.items()))
    included = {name for text in files.values() for name in _INCLUDE.findall(text) if name in pool}
    return included | {name for name, text in pool.items() if name.endswith(".c") and _defines(text, used)}


def _kernels(pool: Mapping[str, str], used: set[str]) -> str:
    """The header of all kernels with only those headers that declare a name which is used."""
    text = pool[KERNELS]
    for name in _INCLUDE.findall(text):
        if not _declared(pool[name]) & used:
            text = text.replace(f'#include "{name}"\n', "")
    return text


def _names(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in _NAME.findall(_COMMENT.sub("", text))}


def _used(name: str, text: str) -> set[str]:
    """Names that a file may call: of a header those in the bodies of its inline functions."""
    if name.endswith(".c"):
        return _names([text])
    return _names("\n".join(line for line in text.split("\n") if line.startswith(" ")) for text in [text])


def _declared(text: str) -> set[str]:
    """Types, functions, objects and macros of a header."""
    plain = _COMMENT.sub("", text)
    found = {*_MACRO.findall(plain), *_INLINE.findall(plain), *_OBJECT.findall(plain)}
    return found | {name for pair in _TYPE.findall(plain) for name in pair if name}


def _defines(text: str, used: set[str]) -> bool:
    """Whether a source defines one of these functions or objects."""
    plain = _COMMENT.sub("", text)
    if used & set(_DEFINED.findall(plain)):
        return True
    return any(name.startswith(start) for start in _PASTED.findall(plain) for name in used)
