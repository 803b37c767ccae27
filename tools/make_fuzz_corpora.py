"""Writes tests/vectors/fuzz: the inputs that `invoke fuzz` starts from, out of real sessions and real files.

    python tools/make_fuzz_corpora.py

The sessions are held with the firmware on this computer; their bytes differ from run to run in session and sequence
numbers. What is there under other names, such as the input of a finding that was mended, stays.
"""

from __future__ import annotations

import io
import struct
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "host"))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import pyedflib
import serial

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.data.databases.download import SUMS_NAME
from ecgseg.fuzz import files
from ecgseg.fuzz.conversation import PARTS, ClientRecord, Part, converse
from ecgseg.fuzz.kinds import CORPORA, DEVICE
from ecgseg.fuzz.records import DeviceRecord, pack
from ecgseg.hil import vectors
from ecgseg.image.boards import HOST
from ecgseg.image.build import Image, build
from ecgseg.link import DeviceClient
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.numbers import ANSWER_HEADER_BYTES, REQUEST_HEADER_BYTES, Command
from ecgseg.link.ports import open_port
from ecgseg.models import find_model, generated_folder
from ecgseg.output import write_bytes
from ecgseg.targets import target_of
from ecgseg.targets.options import TargetOptions
from support import tables
from support.random_network import KINDS, RandomNetwork
from support.stream_images import stream_image

MODEL = "seg-2-tcn-sm"
_SEED = 7  # of made-up samples
_RATE = 500
_NETWORKS = 10


class Recorder:
    """A port that hands everything on and keeps the frames of both directions."""

    def __init__(self, port: serial.Serial) -> None:
        self.port = port
        self.timeout: float | None = port.timeout
        self.baudrate: int = port.baudrate
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []
        self._sent, self._received = FrameDecoder(), FrameDecoder()

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""
        return int(self.port.in_waiting)

    def read(self, size: int = 1, /) -> bytes:
        """What came."""
        data = bytes(self.port.read(size))
        self.answers += self._received.feed(data)
        return data

    def write(self, data: bytes, /) -> int | None:
        """Sends."""
        self.requests += self._sent.feed(data)
        return self.port.write(data)

    def close(self) -> None:
        """Closes the port."""
        self.port.close()


def sessions() -> Iterator[tuple[str, bytes]]:
    """Inputs of the kinds `device` and `client`, by path below the corpora."""
    model = find_model(MODEL)
    folder = generated_folder(model)
    render(model.path, folder, name=model.name)
    image = build(HOST, folder)
    alone: dict[str, Iterable[Part]] = {name: [part] for name, part in PARTS.items() if name != "stream"}
    yield "client/stream", pack(map(_answer, _session(stream_image(), [PARTS["stream"]]).answers))
    for name, parts in (alone | {"everything": PARTS.values()}).items():
        recorder = _session(image, parts)
        if name in PARTS:  # all of them together are more than one input has room for
            yield f"{DEVICE}/{name}", pack(map(_request, recorder.requests))
        yield f"client/{name}", pack(map(_answer, recorder.answers))


def _session(image: Image, parts: Iterable[Part]) -> Recorder:
    """What was said in a conversation with an image."""
    with target_of(HOST).open(image, TargetOptions()) as running:
        recorder = Recorder(open_port(running.port_url))
        with DeviceClient(recorder) as client:
            converse(client, parts)
    return recorder


def _request(body: bytes) -> tuple[int, bytes]:
    command, payload = body[1], body[REQUEST_HEADER_BYTES:]
    if command == Command.PUSH:
        return DeviceRecord.SAMPLES, struct.pack("<HB", (len(payload) - 4) // 2, _SEED)
    return DeviceRecord.REQUEST, bytes([command, 1]) + payload


def _answer(body: bytes) -> tuple[int, bytes]:
    return ClientRecord.ANSWER, body[4:5] + body[ANSWER_HEADER_BYTES:]


def odd_requests() -> Iterator[tuple[str, bytes]]:
    """Inputs of the kind `device` that no session of the host has."""
    hello = (DeviceRecord.REQUEST, bytes([Command.HELLO, 1, 1, 0, 0, 0]))
    yield f"{DEVICE}/wire", pack([(DeviceRecord.RAW, encode_frame(bytes([1, Command.HELLO, 1, 0, 1, 0, 0, 0])))])
    yield f"{DEVICE}/again", pack([hello, (DeviceRecord.AGAIN, bytes(3)), (DeviceRecord.AGAIN, bytes([5, 0, 1]))])


def models() -> Iterator[tuple[str, bytes]]:
    """Inputs of the kind `tflite`: a model of the zoo, and of each operator the smallest of some drawn networks."""
    yield f"tflite/{MODEL}", find_model(MODEL).data
    for kind in KINDS:
        drawn = (RandomNetwork(seed, operators=2, names=[kind]).content for seed in range(_NETWORKS))
        yield f"tflite/{kind.lower()}", min(drawn, key=len)


def archives() -> Iterator[tuple[str, bytes]]:
    """Inputs of the kinds `npz` and `archive`, packed by record and as they are."""
    kept = vectors.Vector(
        "host",
        MODEL,
        "0" * 64,
        1,
        "ii",
        0,
        _RATE,
        np.arange(64, dtype=np.int16),
        {"mask": bytes(8)},
        {"mask": bytes(8)},
    )
    yield from _both_ways("npz", vectors.save(kept, paths.BUILD / "fuzz" / "kept").read_bytes())
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in ({SUMS_NAME: files.SUMS} | files.ARCHIVED).items():
            archive.writestr(zipfile.ZipInfo(f"set/{name}"), data)
    yield from _both_ways("archive", stream.getvalue())


def _both_ways(kind: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield f"{kind}/raw", bytes([files.RAW]) + content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(1, name.encode() + b"\n" + archive.read(name)) for name in archive.namelist()]
    yield f"{kind}/packed", bytes([files.PACKED]) + pack(members)


def recordings() -> Iterator[tuple[str, bytes]]:
    """Inputs of the kind `wfdb`: a recording of a tenth of a second, as another program would write it."""
    import wfdb

    with tempfile.TemporaryDirectory() as folder:
        time = np.arange(50) / _RATE
        signal = np.stack([np.sin(7 * time), np.cos(9 * time)], axis=1)
        names = list(files.LEADS)
        comments = ["Rhythm: Sinus rhythm."]
        wfdb.wrsamp("1", _RATE, ["mV"] * 2, names, signal, fmt=["16"] * 2, comments=comments, write_dir=folder)
        for lead in names:
            wfdb.wrann("1", lead, np.array([5, 10, 15, 40]), list("(N)t"), write_dir=folder)
        suffixes = ("hea", "dat", *names)
        parts = [(number, (Path(folder) / f"1.{suffix}").read_bytes()) for number, suffix in enumerate(suffixes)]
    yield "wfdb/recording", pack(parts)


def tables_and_arrays() -> Iterator[tuple[str, bytes]]:
    """Inputs of the kind `recording`: a tenth of a second in every format but WFDB, as other programs write them."""
    microvolts = tables.beats(50)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table, written in tables.TABLES.items():
            suffix = ".tsv" if table.endswith(".tsv") else ".csv"
            yield _recording(table.split(".")[0], suffix, written(microvolts))
        yield _recording("apple", ".csv", tables.apple(microvolts, "512.844 hertz", True))
        for kind in ("EDFPLUS", "BDFPLUS"):
            path = tables.write_edf(folder / kind, np.zeros(100), getattr(pyedflib, f"FILETYPE_{kind}"), 100)
            yield _recording(kind.lower(), f".{kind[:3].lower()}", path.read_bytes())
        stored = microvolts.astype(np.int16)
        yield _recording("wav", ".wav", tables.write_wav(folder / "a.wav", _RATE, stored).read_bytes())
        buffer = io.BytesIO()
        np.save(buffer, np.stack((stored, stored)))
        yield _recording("npy", ".npy", buffer.getvalue())
        buffer = io.BytesIO()
        np.savez(buffer, i=stored, ii=stored)
        yield _recording("npz", ".npz", buffer.getvalue())


def _recording(name: str, suffix: str, content: bytes) -> tuple[str, bytes]:
    told = 0 if suffix in (".edf", ".bdf", ".wav") or name == "apple" else 1
    return f"recording/{name}", bytes([files.SUFFIXES.index(suffix), told]) + content


def configurations() -> Iterator[tuple[str, bytes]]:
    """Inputs of the kind `config`."""
    folder = paths.MODELS / MODEL
    yield "config/configuration", bytes([files.CONFIGURATION]) + (folder / "configuration.json").read_bytes()
    yield "config/metrics", bytes([files.METRICS]) + (folder / "metrics.json").read_bytes()


def main() -> int:
    """Writes them all."""
    for source in (sessions, odd_requests, models, archives, recordings, tables_and_arrays, configurations):
        for name, data in source():
            write_bytes(CORPORA / name, data)
            print(f"{name}: {len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
