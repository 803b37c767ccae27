"""Writes results so that a reader never meets half a file."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

from pydantic import BaseModel

from ecgseg.errors import OutputError

_REMEDIES = {
    errno.ENOSPC: "Make room on that disk, or choose another place, and run the command again.",
    errno.EDQUOT: "Your quota is used up: make room, or choose another place, and run the command again.",
    errno.EACCES: "Choose a folder that you may write to, or correct its permissions.",
    errno.EROFS: "The file system is read-only: choose another place.",
    errno.EISDIR: "Name a file in that folder instead.",
    errno.ENOTDIR: "A part of that path is a file: correct the path.",
}


def output_error(path: Path | str, error: OSError) -> OutputError:
    """The error for a file that could not be written, with the remedy that fits the cause."""
    remedy = _REMEDIES.get(error.errno or 0, "Choose another place for the result.")
    return OutputError(f"'{path}' could not be written.", f"{error.strerror or error}.", remedy)


def check_file(path: Path) -> None:
    """Tries whether :func:`write_bytes` could write a file, before the work whose result it is to hold.

    Nothing is left behind: folders that are missing are made when the result is written.

    Raises:
        OutputError: it could not.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return
        _try_folder(path.parent)
    except OSError as error:
        raise output_error(path, error) from error


def check_folder(path: Path) -> None:
    """Like :func:`check_file`, for a folder that results go to.

    Raises:
        OutputError: it cannot be made, or not written to.
    """
    try:
        _try_folder(path)
    except OSError as error:
        raise output_error(path, error) from error


def _try_folder(folder: Path) -> None:
    """Makes a nameless file in the nearest folder that exists; only trying tells what a file system will do."""
    while not folder.exists():
        folder = folder.parent
    with tempfile.TemporaryFile(dir=folder):
        pass


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file as a whole or not at all; makes its folder.

    Raises:
        OutputError: the disk is full, or the place is not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/stdout, cannot be replaced.
            path.write_bytes(data)
            return
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            partial.write_bytes(data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise output_error(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Like :func:`write_bytes`, UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def check_outputs(*files: str | None, folder: str | None = None) -> None:
    """Refuses results that could not be written, before a task works an hour for them.

    Args:
        files: what --json and the like name; None where the option was not given.
        folder: what --out names.

    Raises:
        OutputError: one of them could not be written.
    """
    for file in files:
        if file:
            check_file(Path(file))
    if folder:
        check_folder(Path(folder))


def write_json(result: BaseModel, path: str | Path) -> None:
    """Writes a result for machines.

    Raises:
        OutputError: it could not be written.
    """
    write_text(Path(path), result.model_dump_json(indent=2) + "\n")
