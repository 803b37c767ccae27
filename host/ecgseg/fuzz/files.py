"""Inputs that are files: each is written where its reader looks, and read."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecgseg.codegen.render import render
from ecgseg.codegen.render_stream import render_stream
from ecgseg.data.databases import ludb, own, qtdb
from ecgseg.data.databases.declaration import Source
from ecgseg.data.databases.download import download
from ecgseg.data.opening import open_recording
from ecgseg.data.recording import Told, pieces, stretch
from ecgseg.errors import EcgsegError
from ecgseg.fuzz.records import records
from ecgseg.hil import vectors
from ecgseg.zoo import configuration, figures

ARCHIVED = {"RECORDS": b"data/1\n", "data/1.hea": b"1 1 500 1\n1.dat 16 200 16 0 0 0 0 i\n", "data/1.dat": bytes(2)}
"""What the archive that is looked for holds, by name."""

SUMS = "".join(f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in ARCHIVED.items()).encode()
"""The list of its checksums."""

SUFFIXES = (".csv", ".tsv", ".edf", ".bdf", ".wav", ".npy", ".npz")
"""First byte of the kind `recording`, modulo their number: what the file is called."""

TOLD = (Told(), Told(rate=500), Told(rate=500, columns="time_s,ecg_mV"), Told(columns="-,ecg"))
"""Second byte of it, modulo their number: what is said beside it. --columns goes with tables alone."""

LEADS = ("i", "ii")
"""Leads of a recording in the kind `wfdb`."""

CONFIGURATION, METRICS = 0, 1
"""First byte of the kind `config`, modulo 2."""

PACKED, RAW = 0, 1
"""First byte of a kind that is a zip archive, modulo 2: records are packed into one, or the rest is one."""

_RECORDING = ("1.hea", "1.dat", *(f"1.{lead}" for lead in LEADS))
# The same files as a record of QTDB, whose header may name 1.dat.
_AS_QTDB = ("sel1000.hea", "1.dat", f"sel1000.{qtdb.ANNOTATOR}")
_MOST_MEMBERS = 64


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory, where there is one: thousands of files are written in a second."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="ecgseg-fuzz-", dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def tflite(data: bytes) -> None:
    """Loads, lowers and renders a model, as a stream and of frames."""
    with _folder() as folder:
        answered(lambda model: render_stream(model, folder), data)
        render(data, folder)


def npz(data: bytes) -> None:
    """Reads a kept frame, and makes a record of it when it has one."""
    with _folder() as folder:
        path = folder / "vector.npz"
        path.write_bytes(_archive(data))
        vector = vectors.load(path)
        if vector.rate:
            vector.as_record()


def wfdb(data: bytes) -> None:
    """Reads a recording as LUDB's, as QTDB's and as a user's; a record's kind says which of its files it is."""
    with _folder() as folder:
        (folder / "data").mkdir()
        for kind, content in records(data):
            (folder / "data" / _RECORDING[kind % len(_RECORDING)]).write_bytes(content)
            (folder / _AS_QTDB[kind % len(_RECORDING) % len(_AS_QTDB)]).write_bytes(content)
        answered(lambda _: qtdb.load_record(folder, "sel1000"), data)
        answered(lambda _: _recording(folder / "data" / "1"), data)
        ludb.load_record(folder, 1, LEADS)


def recording(data: bytes) -> None:
    """Reads a user's recording of any format but WFDB: two bytes that say what it is and what is told, and the file."""
    with _folder() as folder:
        name, said = data[:2].ljust(2, b"\0")
        suffix, told = SUFFIXES[name % len(SUFFIXES)], TOLD[said % len(TOLD)]
        path = folder / f"recording{suffix}"
        path.write_bytes(data[2:])
        _recording(path, told)


def _recording(path: Path, told: Told | None = None) -> None:
    """Reads what begins and ends each channel of a user's recording."""
    opened = open_recording(path, told)
    for channel in opened.channels:
        next(pieces(opened, channel, 1.0), None)
        stretch(opened, channel, 1.0, channel.samples - 1, channel.samples)


def archive(data: bytes) -> None:
    """Downloads a data set's archive from a folder of this computer."""
    with _folder() as folder:
        (folder / "archive.zip").write_bytes(_archive(data))
        source = Source(
            url=(folder / "archive.zip").as_uri(),
            files_url=(folder / "files").as_uri() + "/",
            sums_sha256=hashlib.sha256(SUMS).hexdigest(),
        )
        download(folder / "unpacked", source)


def config(data: bytes) -> None:
    """Reads a model's configuration.json or metrics.json, and what a user declares a database by."""
    with _folder() as folder:
        is_metrics = data[:1] and data[0] % 2 == METRICS
        path = folder / ("metrics.json" if is_metrics else "configuration.json")
        path.write_bytes(data[1:])
        answered(lambda _: own.declared(path), data)
        if is_metrics:
            figures.read_metrics(str(folder))
        else:
            configuration.read(path)


def answered(read: Callable[[bytes], object], data: bytes) -> None:
    """Reads an input. Raises whatever escapes that is no EcgsegError."""
    try:
        read(data)
    except EcgsegError:
        return


def _archive(data: bytes) -> bytes:
    """A zip archive: the rest of the input, or its records packed, whose kind says whether one is compressed."""
    if data[:1] and data[0] % 2 == RAW:
        return data[1:]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as pack:
        for number, (kind, content) in enumerate(records(data[1:])):
            name, _, member = content.partition(b"\n")
            method = zipfile.ZIP_DEFLATED if kind % 2 else zipfile.ZIP_STORED
            if number < _MOST_MEMBERS and name:
                pack.writestr(zipfile.ZipInfo(name.decode("latin-1")), member, method)
    return stream.getvalue()
