"""Reads what others wrote: the size first, then the kind of file, then what is in it."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ecgseg.errors import ContentError, UsageError

if TYPE_CHECKING:
    # Only for arrays and models: the menu, which knows this module for its names, does without them.
    import numpy as np
    import numpy.typing as npt
    from pydantic import ValidationError

MAX_MEMBERS = 64

# What the library raises for an archive that is damaged, locked, or packed in a way that it does not know.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
)

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_MAGIC = re.compile(rb"\x93NUMPY([\x01-\x03])\x00", re.DOTALL)
# The header as numpy writes it for an array of numbers or text: what is told in any other way is not read.
_TYPE = r"[<>|=](?:b1|[iu][1248]|f[248]|U\d{1,6})"
_SHAPE = r"|\d{1,12},|\d{1,12}(?:, \d{1,12})+"
_HEADER = re.compile(rf"\{{'descr': '({_TYPE})', 'fortran_order': (True|False), 'shape': \(({_SHAPE})\), \}}\s*")
MAX_ARRAY_HEADER = 1 << 12
_UNSAFE = re.compile(r"[^A-Za-z0-9_.+-]")
_MAX_NAME = 64
_SHOWN_RULES = 10
# No file needs more, and a value is told in a message by recursion into what is in it.
_MOST_LEVELS = 64
_INT64 = range(-(1 << 63), 1 << 63)


def safe_name(text: str) -> str:
    """A name that means nothing to a shell, a script, a path or C: letters, digits and `_.+-`, at most 64 of them."""
    return _UNSAFE.sub("_", text).lstrip(".-+")[:_MAX_NAME] or "model"


def plain(text: str, limit: int = 200) -> str:
    """Text from a file as one line without control characters, for a message; what is cut off is told by `...`."""
    shown = "".join(char if char.isprintable() else "?" for char in text[: limit + 1])
    return shown if len(text) <= limit else f"{shown[:limit]}..."


def broken_rules(error: ValidationError) -> str:
    """What is wrong with a file, a line for each key that breaks a rule; of many the first."""
    found = error.errors(include_url=False)
    lines = [
        f"{plain('.'.join(map(str, item['loc'])), 80) or 'the whole'}: {item['msg'].removeprefix('Value error, ')}"
        + (f" (found {plain(repr(item['input']), 80)})" if not isinstance(item["input"], dict) else "")
        for item in found[:_SHOWN_RULES]
    ]
    more = [f"and {len(found) - _SHOWN_RULES} more"] if len(found) > _SHOWN_RULES else []
    return "\n".join([*lines, *more])


def expanded(path: Path | str) -> Path:
    """A path as it was typed, with the home that a ~ stands for.

    Raises:
        UsageError: there is no such home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        name = plain(Path(path).parts[0])
        raise UsageError(
            f"'{plain(str(path))}' leads nowhere.",
            f"This computer knows no home for {name}.",
            "Write the whole path; ./ in front of it means a folder of that very name.",
        ) from error


def is_file(path: Path) -> bool:
    """Whether there is a regular file; False also for what no path can be."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def checked_size(path: Path, limit: int) -> int:
    """Bytes of a regular file, without opening it.

    Raises:
        OSError: it is not there, is a folder, pipe or device, or has more than `limit` bytes; `strerror` says which.
    """
    try:
        found = os.stat(path)
    except ValueError as error:  # A NUL in the path.
        raise OSError(errno.EINVAL, "No file can have that name", str(path)) from error
    _check(found, path, limit)
    return found.st_size


def read_file(path: Path, limit: int) -> bytes:
    """Bytes of a regular file; never waits, and never reads more than it is told to.

    Args:
        path: the file.
        limit: most bytes that it may have.

    Raises:
        OSError: it is not there, is a folder, pipe or device, or has more than `limit` bytes; `strerror` says which.
    """
    checked_size(path, limit)
    # It may have become something else since: a pipe would wait for its writer, a terminal would take over.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as file:
        _check(os.fstat(file.fileno()), path, limit)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _too_large(path, len(data), limit)
    return data


def read_part(path: Path, first: int, count: int) -> bytes:
    """Bytes of a regular file from `first` on, at most `count` of them; fewer where it ends.

    Raises:
        OSError: it is not there, or is a folder, pipe or device; `strerror` says which.
    """
    checked_size(path, sys.maxsize)
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as file:
        _check(os.fstat(file.fileno()), path, sys.maxsize)
        file.seek(first)
        return file.read(count)


def read_text(path: Path, limit: int) -> str:
    """Like :func:`read_file`, UTF-8.

    Raises:
        OSError: as there, or the file is no UTF-8.
    """
    try:
        return read_file(path, limit).decode("utf-8")
    except UnicodeDecodeError as error:
        raise OSError(errno.EILSEQ, f"It is no UTF-8 text: {error.reason} at byte {error.start}", str(path)) from error


def read_toml(path: Path, limit: int) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        OSError: as :func:`read_text`.
        ContentError: it is no TOML, nested too deeply, or holds a number of more than 64 bits.
    """
    # Slow to import, and the menu does without it.
    import tomllib

    try:
        found = tomllib.loads(read_text(path, limit))
    except tomllib.TOMLDecodeError as error:
        raise ContentError(plain(f"it is no TOML: {error}")) from error
    except RecursionError as error:
        raise ContentError("it is nested too deeply") from error
    except ValueError as error:  # Of more digits than Python reads.
        raise _too_wide() from error
    _require_told(found)
    return found


def _require_told(found: dict[str, Any]) -> None:
    """Refuses what could not be told of in a message; TOML itself asks for numbers of 64 bits and no more."""
    level: list[Any] = [found]
    for _ in range(_MOST_LEVELS):
        parts = [part for whole in level for part in (whole.values() if isinstance(whole, dict) else whole)]
        if any(isinstance(part, int) and part not in _INT64 for part in parts):
            raise _too_wide()
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return
    raise ContentError("it is nested too deeply")


def _too_wide() -> ContentError:
    return ContentError("it holds a number of more than 64 bits")


def _check(found: os.stat_result, path: Path, limit: int) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
        raise OSError(errno.EINVAL, f"It is {kind}, not a file", str(path))
    if found.st_size > limit:
        raise _too_large(path, found.st_size, limit)


def _too_large(path: Path, size: int, limit: int) -> OSError:
    return OSError(errno.EFBIG, f"It has {size} bytes, more than {limit}", str(path))


def read_arrays(data: bytes, limit: int, most: int = MAX_MEMBERS) -> dict[str, npt.NDArray[np.generic]]:
    """Arrays of an .npz archive by name. Nothing in it is run, and no size in it is trusted.

    Args:
        data: the archive.
        limit: most bytes that all arrays together may have.
        most: arrays that it may hold.

    Returns:
        Arrays of numbers or text, read-only, in the order of the archive.

    Raises:
        ContentError: it is damaged, holds more than `limit` bytes or `most` arrays, or an array of another kind.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            members = pack.infolist()
            if len(members) > most:
                raise ContentError(f"it holds {len(members)} arrays, more than {most}")
            if sum(member.file_size for member in members) > limit:
                raise ContentError(f"its arrays have more than {limit} bytes")
            return {member.filename.removesuffix(".npy"): _array(_member(pack, member)) for member in members}
    except ContentError:
        raise
    except (*ARCHIVE_ERRORS, OSError) as error:
        raise ContentError("it is no archive of arrays, or a damaged one") from error


def _member(pack: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ContentError("an array is packed in a way that numpy does not use")
    if member.flag_bits & 1:
        raise ContentError("an array is encrypted")
    # Reads no more than the size that was counted above, whatever the packed bytes would unfold to.
    return pack.read(member)


class ArrayHeader(NamedTuple):
    """What an array of numpy says of itself.

    Attributes:
        dtype: of plain numbers or text.
        shape: of any sizes; none was compared with the bytes that there are.
        is_fortran: the first index runs fastest.
        start: its first byte.
    """

    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    is_fortran: bool
    start: int


def array_header(data: bytes) -> ArrayHeader:
    """The header of an array, of the first bytes of its file; at most `MAX_ARRAY_HEADER` of them are looked at.

    Raises:
        ContentError: it is none, or tells of objects.
    """
    import numpy as np

    found = _MAGIC.match(data)
    if not found:
        raise ContentError("it is no array of numpy")
    width = 2 if found[1] == b"\x01" else 4
    start = found.end() + width
    end = start + int.from_bytes(data[found.end() : start], "little")
    header = _HEADER.fullmatch(data[start:end].decode("latin-1"))
    if not header or end > len(data):
        raise ContentError("it is an array neither of plain numbers nor of text")
    dtype = np.dtype(header[1])
    if dtype.itemsize == 0:
        raise ContentError(f"it is an array of type {dtype}, which has no size")
    return ArrayHeader(dtype, tuple(int(size) for size in header[3].split(",") if size), header[2] == "True", end)


def _array(data: bytes) -> npt.NDArray[np.generic]:
    import numpy as np

    dtype, shape, is_fortran, start = array_header(data)
    if dtype.itemsize * prod(shape) != len(data) - start:
        raise ContentError(f"an array of shape {shape} and type {dtype} has {len(data) - start} bytes")
    if dtype.kind == "U":
        # Text is kept as code points, and numpy makes strings of any that Python itself cannot hold.
        points = np.frombuffer(data, dtype=np.dtype(np.uint32).newbyteorder(dtype.byteorder), offset=start)
        if np.any(points > sys.maxunicode):
            raise ContentError("a text holds what is no character")
    return np.frombuffer(data, dtype=dtype, offset=start).reshape(shape, order="F" if is_fortran else "C")
