"""Writes results so that a reader never meets half a file."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ecgseg.errors import OutputError, cause

if TYPE_CHECKING:
    from pydantic import BaseModel

STDOUT = Path("-")
"""In the place of a file: standard output, as is usual on a command line."""

_REMEDIES = {
    errno.ENOSPC: "Make room on that disk, or choose another place, and run the command again.",
    errno.EDQUOT: "Your quota is used up: make room, or choose another place, and run the command again.",
    errno.EACCES: "Choose a folder that you may write to, or correct its permissions.",
    errno.EROFS: "The file system is read-only: choose another place.",
    errno.EISDIR: "Name a file in that folder instead.",
    errno.ENXIO: "Start what reads from it before, or name a file.",
    errno.EEXIST: "Correct the link, or choose another place.",
    errno.EINVAL: "Name a file, a pipe or - for standard output.",
    errno.ENOTDIR: "A part of that path is a file: correct the path.",
}


def output_error(path: Path | str, error: OSError) -> OutputError:
    """The error for a file that could not be written, with the remedy that fits the cause."""
    remedy = _REMEDIES.get(error.errno or 0, "Choose another place for the result.")
    return OutputError(f"'{path}' could not be written.", cause(error, "The system does not say."), remedy)


def check_file(path: Path) -> None:
    """Tries whether :func:`write_bytes` could write a file, before the work whose result it is to hold.

    Nothing is left behind: folders that are missing are made when the result is written.

    Raises:
        OutputError: it could not.
    """
    if path == STDOUT:
        return
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists() and not path.is_file():
            _check_special(path)
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
        if folder.is_symlink():
            raise FileExistsError(errno.EEXIST, "There is a link that leads nowhere")
        folder = folder.parent
    with tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def replacing(*paths: Path) -> Iterator[tuple[Path, ...]]:
    """Lets a block write beside `paths`; what it wrote takes their places when the block has ended well.

    All are whole before the first takes its place, so a full disk, or a run that is killed while it writes, leaves the
    older ones and never some old and some new. The block only writes: its `OSError` is told as one of writing.

    Args:
        paths: results that belong together; missing folders are made.

    Yields:
        A path to write to for each of them, in the same folder and with the same suffix; the block writes all.

    Raises:
        OutputError: the disk is full, or the place is not writable.
    """
    # Threads that write the same file, as tests that go on at once do, each have one of their own.
    writer = f"{os.getpid()}-{threading.get_ident()}"
    partials = tuple(path.with_name(f".{path.stem}.{writer}.part{path.suffix}") for path in paths)
    path = paths[0]
    try:
        for path in paths:
            _make_folder(path.parent)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            yield partials
            for partial in partials:
                partial.stat()  # One that the block forgot is found before the first takes its place.
            for partial, path in zip(partials, paths, strict=True):
                partial.replace(path)
        finally:
            for partial in partials:
                partial.unlink(missing_ok=True)
    except OSError as error:
        written = dict(zip(map(str, partials), paths, strict=True))
        raise output_error(written.get(str(error.filename), path), error) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Inside, no other process of this computer that asks for the same folder goes on; one that dies lets go.

    Raises:
        OutputError: the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise output_error(folder, error) from error
    try:
        # A file system that knows no locks lets both do the work; what they write is the same.
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def discard(path: Path) -> None:
    """Removes an older result, so that nobody takes it for that of a run which stops before it has one.

    Raises:
        OutputError: it could not be removed.
    """
    try:
        if path.is_file():
            path.unlink()
    except OSError as error:
        raise output_error(path, error) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file as a whole or not at all, or to standard output (`STDOUT`); makes its folder.

    Raises:
        OutputError: the disk is full, or the place is not writable.
    """
    if path == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        if path.exists() and not path.is_file():
            _check_special(path)
            _write_to_special(path, data)
            return
    except OSError as error:
        raise output_error(path, error) from error
    with replacing(path) as (partial,):
        partial.write_bytes(data)


def _check_special(path: Path) -> None:
    """Raises OSError for what is neither a file nor to be written to: a disk above all."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not (path.is_char_device() or path.is_fifo()):
        raise OSError(errno.EINVAL, "It is neither a file, nor a terminal or a pipe")


def _write_to_special(path: Path, data: bytes) -> None:
    """Writes to a device or a pipe, such as /dev/stdout, which cannot be replaced; nobody waits for a reader."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise OSError(errno.ENXIO, "Nobody reads from that pipe") from error
        raise
    with open(number, "wb") as file:
        os.set_blocking(number, True)
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Like :func:`write_bytes`, UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_files(folder: Path, files: Mapping[str, str], *, unwanted: Iterable[str] = ()) -> None:
    """Writes texts that belong together into a folder: all of them, or none and what was there before stays.

    An unchanged file keeps its time stamp, so that nothing is built again.

    Args:
        folder: where to; made where missing.
        files: text by file name.
        unwanted: names of earlier results that must not stay beside these; removed at the end.

    Raises:
        OutputError: the disk is full, or the place is not writable.
    """
    changed = {folder / name: text.encode("utf-8") for name, text in files.items()}
    changed = {path: data for path, data in changed.items() if not _holds(path, data)}
    if changed:
        with replacing(*changed) as partials:
            for partial, data in zip(partials, changed.values(), strict=True):
                partial.write_bytes(data)
    for name in unwanted:
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise output_error(folder / name, error) from error


def _holds(path: Path, data: bytes) -> bool:
    try:
        return path.read_bytes() == data
    except OSError:
        return False


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


def append_to(file: BinaryIO, whole: int, data: bytes) -> int:
    """Puts data behind the first bytes of a file and onto the disk, in the place of whatever lies there.

    What a process that was killed left of its data is not among the first bytes of the next one.

    Args:
        file: open for reading and writing.
        whole: how many bytes of it stay.
        data: what follows them.

    Returns:
        How many bytes the file has.

    Raises:
        OSError: they cannot be written; `whole` bytes are as they were.
    """
    file.truncate(whole)
    file.seek(whole)
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
    return whole + len(data)


def json_line(told: BaseModel) -> bytes:
    """A line for a file to which lines are appended."""
    return told.model_dump_json().encode() + b"\n"


def write_json(result: BaseModel, path: str | Path) -> None:
    """Writes a result for machines.

    Raises:
        OutputError: it could not be written.
    """
    write_text(Path(path), result.model_dump_json(indent=2) + "\n")
