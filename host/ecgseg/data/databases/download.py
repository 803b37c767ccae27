"""Downloads LUDB or QTDB from PhysioNet and verifies every file of it.

A data set lists the SHA-256 of its files in SHA256SUMS.txt; the SHA-256 of that list is pinned here, so that what is
used is the release that the published figures were measured on. Of QTDB the signals and annotations of the records that
are trained on are pinned instead, for copies differ in the line ends of headers and in what else they hold.
LUDB 1.0.1, doi 10.13026/eegm-h675; QTDB 1.0.0, doi 10.13026/C24K53; both ODC-By 1.0.
"""

from __future__ import annotations

import hashlib
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath
from ssl import SSLError

from ecgseg.data.databases import ludb, qtdb
from ecgseg.data.databases.declaration import Source
from ecgseg.errors import DataError, cause
from ecgseg.files import ARCHIVE_ERRORS, plain, read_file
from ecgseg.output import output_error

SUMS_NAME = "SHA256SUMS.txt"
MAX_ARCHIVE_BYTES = 1 << 30
MAX_MEMBER_BYTES = 64 << 20
MAX_SUMS_BYTES = 16 << 20
_CHUNK = 1 << 16
_TIMEOUT_SECONDS = 30.0
_NONSENSE = "What the server sent makes no sense."

LUDB, QTDB = ludb.DOWNLOAD, qtdb.DOWNLOAD

# Called with what is done and what there is to do, in bytes or files; the total is 0 while it is not known.
Progress = Callable[[str, int, int], None]


class _NotThereError(DataError):
    """The server has no such file."""


@dataclass(frozen=True)
class Verification:
    """What a check found: number of files listed, and those that are missing or damaged."""

    files: int
    missing: tuple[str, ...]
    damaged: tuple[str, ...]

    @property
    def good(self) -> bool:
        """True when every listed file is there and right."""
        return not self.missing and not self.damaged


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


def verify(folder: Path, source: Source = LUDB, progress: Progress = _silent) -> Verification:
    """Checks every file of a data set against its list, and the list against the pinned SHA-256.

    Raises:
        DataError: there is no list, or it is not the pinned one.
    """
    sums = _read_sums(folder, source)
    missing, damaged = [], []
    for index, (name, digest) in enumerate(sums.items()):
        path = folder / name
        if not path.is_file():
            missing.append(name)
        elif _file_sha256(path) != digest:
            damaged.append(name)
        progress("verify", index + 1, len(sums))
    return Verification(len(sums), tuple(missing), tuple(damaged))


def download(folder: Path, source: Source = LUDB, progress: Progress = _silent) -> Verification:
    """Downloads a data set into a folder; does nothing when a whole and verified copy is there.

    An interrupted download continues where it stopped. The folder appears as a whole, after every file was verified.

    Raises:
        DataError: no connection, or the data is not what it should be.
        OutputError: the folder cannot be written, or the disk is full.
    """
    if (folder / SUMS_NAME).is_file():
        present = verify(folder, source, progress)
        if present.good:
            return present
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _by_archive(folder, source, progress)
        except _NotThereError:
            return _file_by_file(folder, source, progress)
    except OSError as error:
        raise output_error(error.filename or folder, error) from error


def _by_archive(folder: Path, source: Source, progress: Progress) -> Verification:
    archive = folder.with_name(folder.name + ".zip.part")
    continued = archive.exists()
    _fetch(source.url, archive, progress)
    try:
        result = _install(archive, folder, source, progress)
    except DataError:
        # What an earlier download left behind may be of another archive, or damaged.
        if not continued:
            raise
        _fetch_anew(source.url, archive, progress)
        result = _install(archive, folder, source, progress)
    archive.unlink()
    return result


def _file_by_file(folder: Path, source: Source, progress: Progress) -> Verification:
    """Slower than the archive; files that an interrupted download has left behind are not asked for again."""
    staging = folder.with_name(folder.name + ".files.part")
    staging.mkdir(exist_ok=True)
    _fetch_anew(source.files_url + SUMS_NAME, staging / SUMS_NAME)
    sums = _read_sums(staging, source)
    for index, (name, digest) in enumerate(sums.items()):
        target = staging / name
        if not target.is_file() or _file_sha256(target) != digest:
            target.parent.mkdir(parents=True, exist_ok=True)
            _fetch_anew(source.files_url + name, target)
        progress("download, file by file", index + 1, len(sums))
    result = verify(staging, source, progress)
    if not result.good:
        wrong = ", ".join((result.missing + result.damaged)[:5])
        raise _wrong_release(source, source.files_url, f"Missing or damaged: {wrong}.")
    shutil.rmtree(folder, ignore_errors=True)
    staging.rename(folder)
    return result


def _fetch_anew(url: str, target: Path, progress: Progress = _silent) -> None:
    target.unlink(missing_ok=True)
    _fetch(url, target, progress)


def _fetch(url: str, archive: Path, progress: Progress) -> None:
    """Downloads to `archive`, from where an earlier download stopped."""
    start = archive.stat().st_size if archive.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            # 206: the server goes on where it was asked to; any other answer is the whole file.
            done, total = _receive(answer, archive, start if answer.status == 206 else 0, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            # Nothing left to send: the archive is whole, which its verification decides.
            return
        kind = _NotThereError if error.code in (403, 404, 410) else DataError
        raise _no_download(url, f"The server answered {error.code} {error.reason}.", kind) from error
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError, SSLError) as error:
        raise _no_download(url, _why(getattr(error, "reason", error))) from error
    if done < total:
        raise _no_download(url, f"The connection ended after {done} of {total} bytes.")


def _receive(answer: HTTPResponse, archive: Path, start: int, progress: Progress) -> tuple[int, int]:
    """Writes what comes behind the first `start` bytes; bytes there are now, and should be (fewer if not known)."""
    done = start
    length = answer.headers.get("Content-Length") or ""
    total = start + int(length) if length.isdecimal() else 0
    with archive.open("ab" if start else "wb") as output:
        while chunk := answer.read(_CHUNK):
            output.write(chunk)
            done += len(chunk)
            if done > MAX_ARCHIVE_BYTES:
                archive.unlink()
                raise _no_download(answer.url, f"It does not end after {MAX_ARCHIVE_BYTES} bytes.")
            progress("download", done, total)
    return done, total


def _why(reason: object) -> str:
    """Why nothing came, as a sentence."""
    if isinstance(reason, SSLError):
        return "A secure connection cannot be made: a certificate, or the clock of this computer, is wrong."
    if isinstance(reason, TimeoutError):
        return f"The server has not answered for {_TIMEOUT_SECONDS:.0f} s."
    return cause(reason, _NONSENSE) if isinstance(reason, OSError) else _NONSENSE


def _no_download(url: str, why: str, kind: type[DataError] = DataError) -> DataError:
    source = QTDB if url.startswith((QTDB.url, QTDB.files_url)) else LUDB
    return kind(
        f"{url} could not be downloaded.",
        why,
        f"Check the connection and run `{source.command}` again (it continues where it stopped), or give the folder of "
        f"a copy with {source.named_by}.",
    )


def _install(archive: Path, folder: Path, source: Source, progress: Progress) -> Verification:
    """Unpacks into a folder beside the wanted one, verifies it, then moves it into place."""
    staging = folder.with_name(folder.name + ".unpacked")
    shutil.rmtree(staging, ignore_errors=True)
    try:
        try:
            _unpack(archive, staging, source, progress)
            result = verify(staging, source, progress)
        except (*ARCHIVE_ERRORS, DataError) as error:
            archive.unlink()
            why = error.what if isinstance(error, DataError) else "The archive is damaged."
            raise _wrong_release(source, source.url, plain(why)) from error
        if not result.good:
            archive.unlink()
            wrong = ", ".join((result.missing + result.damaged)[:5])
            raise _wrong_release(source, source.url, f"Missing or damaged: {wrong}.")
        shutil.rmtree(folder, ignore_errors=True)
        staging.rename(folder)
        return result
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _wrong_release(source: Source, url: str, why: str) -> DataError:
    remedy = f"It is not used; run `{source.command}` again."
    return DataError(f"What {url} sent is not the expected release.", why, remedy)


def _unpack(archive: Path, staging: Path, source: Source, progress: Progress) -> None:
    """Unpacks the files that the list names, and no others."""
    with zipfile.ZipFile(archive) as pack:
        listed = [name for name in pack.namelist() if name.rpartition("/")[2] == SUMS_NAME]
        staging.mkdir(parents=True)
        if listed:
            prefix = min(listed, key=len).removesuffix(SUMS_NAME)
            (staging / SUMS_NAME).write_bytes(_member(pack, prefix + SUMS_NAME))
        else:
            prefix = _common_folder(pack.namelist())
            _fetch_anew(source.files_url + SUMS_NAME, staging / SUMS_NAME)
        sums = _read_sums(staging, source)
        members = set(pack.namelist())
        for index, name in enumerate(sums):
            if prefix + name in members:
                target = staging / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_member(pack, prefix + name))
            progress("unpack", index + 1, len(sums))


def _member(pack: zipfile.ZipFile, name: str) -> bytes:
    member = pack.getinfo(name)
    if member.file_size > MAX_MEMBER_BYTES:
        raise DataError(f"{plain(name)} in it has {member.file_size} bytes, more than {MAX_MEMBER_BYTES}.")
    return pack.read(member)


def _common_folder(names: list[str]) -> str:
    first = names[0].partition("/")[0] + "/" if names and "/" in names[0] else ""
    return first if all(name.startswith(first) for name in names) else ""


def _read_sums(folder: Path, source: Source) -> dict[str, str]:
    path = folder / SUMS_NAME
    try:
        data = read_file(path, MAX_SUMS_BYTES)
    except OSError as error:
        raise DataError(
            f"There is no {SUMS_NAME} in '{folder}'.",
            "Without the list of checksums the data cannot be verified.",
            f"Download the data set with `{source.command}`.",
        ) from error
    sums = _listed(data)
    pinned = "".join(f"{sums.get(name, '')} {name}\n" for name in source.part).encode() if source.part else data
    if hashlib.sha256(pinned).hexdigest() != source.sums_sha256:
        raise _wrong_list(path, source, f"Its SHA-256 is not {source.sums_sha256[:16]}...")
    if not all(_stays_inside(name) for name in sums):
        raise _wrong_list(path, source, "It names a file outside of its folder.")
    return sums


def _listed(data: bytes) -> dict[str, str]:
    """Names and digests of a list that nobody has vouched for yet."""
    lines = (line.split(maxsplit=1) for line in data.decode("utf-8", errors="replace").splitlines())
    return {words[1].strip(): words[0] for words in lines if len(words) == 2}


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return name.isprintable() and not path.is_absolute() and ".." not in path.parts and not set(name) & set("\\:")


def _wrong_list(path: Path, source: Source, why: str) -> DataError:
    what = f"'{path}' is not the list of the expected release."
    return DataError(what, why, f"Download the data set with `{source.command}`.")


def _file_sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
