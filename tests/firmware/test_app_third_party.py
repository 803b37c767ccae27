"""A client made from docs/protocol.md alone, byte tables included, gets the same results as ecgseg's own.

Nothing of ecgseg.link is used here but to have something to compare with.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import numpy as np

from ecgseg import paths
from ecgseg.image.build import build
from ecgseg.link import DeviceClient
from support import model_double
from support.pipe_port import PipePort

PAGE = (paths.ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
FORMATS = {"u8": "<B", "u16": "<H", "u32": "<I", "i32": "<i", "f32": "<f", "u32[8]": "<8I", "u8[32]": "<32s"}


def command_number(name: str) -> int:
    found = re.search(rf"^\| 0x([0-9A-F]{{2}}) \| {name} \|", PAGE, re.MULTILINE)
    assert found
    return int(found[1], 16)


def answer_fields(name: str) -> dict[str, tuple[int, str]]:
    """Offset and type of the fields of an answer, from its table."""
    section = re.search(rf"^### 5\.\d+ {name} .*?(?=^##)", PAGE, re.MULTILINE | re.DOTALL)
    assert section
    table = section[0].split("Answer payload:")[1]
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (\S+) \|", table, re.MULTILINE)
    return {field: (int(offset), kind) for offset, field, kind in rows}


def stuffed(data: bytes) -> bytes:
    out = bytearray()
    for piece in data.split(b"\0"):
        while len(piece) >= 254:
            out += b"\xff" + piece[:254]
            piece = piece[254:]
        out += bytes([len(piece) + 1]) + piece
    return bytes(out)


def unstuffed(data: bytes) -> bytes:
    out = bytearray()
    while data:
        out += data[1 : data[0]]
        more = data[data[0] :]
        if data[0] != 255 and more:
            out.append(0)
        data = more
    return bytes(out)


class ThirdParty:
    """One request at a time, no retries: the wire of this test is good."""

    def __init__(self, port: PipePort) -> None:
        self.port = port
        port.timeout = 20.0
        self.sequence = 0

    def ask(self, name: str, payload: bytes = b"") -> tuple[int, bytes]:
        self.sequence += 1
        body = struct.pack("<BBH", 1, command_number(name), self.sequence) + payload
        self.port.write(b"\0" + stuffed(body + struct.pack("<I", zlib.crc32(body))) + b"\0")
        wire = b""
        while wire.count(b"\0") < 2:
            more = self.port.read()
            assert more, "no answer"
            wire += more
        answer = unstuffed(wire[1:-1])
        assert zlib.crc32(answer[:-4]) == struct.unpack("<I", answer[-4:])[0]
        version, command, sequence, error = struct.unpack_from("<BBHH", answer)
        assert (version, command, sequence) == (1, command_number(name) | 0x80, self.sequence)
        return error, answer[6:-4]

    def fields(self, name: str, payload: bytes = b"") -> dict[str, int | bytes]:
        error, answer = self.ask(name, payload)
        assert error == 0
        return {
            field: struct.unpack_from(FORMATS[kind], answer, offset)[0]
            for field, (offset, kind) in answer_fields(name).items()
            if kind in FORMATS
        }

    def read(self, kind: int, length: int) -> bytes:
        error, data = self.ask("READ", struct.pack("<BIH", kind, 0, length))
        assert (error, len(data)) == (0, length)
        return data


def test_the_page_is_enough_to_write_a_client(tmp_path: Path) -> None:
    image = build("host", model_double.write_segmenter(tmp_path / "generated"), out_dir=tmp_path / "image")
    raw = np.random.default_rng(11).integers(-900, 900, 1400).astype("<i2")
    port = PipePort(image.elf)
    try:
        client = ThirdParty(port)
        assert client.ask("STATS")[0] == 5
        hello = client.fields("HELLO", struct.pack("<I", 0xABCD))
        assert bytes(hello["model_sha256"]).hex() == model_double.SHA256
        assert client.ask("RESET_STREAM") == (0, b"")
        step = min((int(hello["payload_max"]) - 4) // 2, int(hello["hop"]) * int(hello["factor"]))
        seen, ready_at = 0, None
        while ready_at is None:
            pushed = client.fields("PUSH", struct.pack("<I", seen) + raw[seen : seen + step].tobytes())
            if int(pushed["flags"]) & 1:
                ready_at = seen
            seen = int(pushed["samples_seen"])
        last = (int(hello["frame_length"]) - 1) * int(hello["factor"]) + int(hello["delay"])
        assert ready_at <= last < seen
        error, expected = client.ask("PUSH", struct.pack("<I", 5) + bytes(2))
        assert (error, expected) == (7, struct.pack("<I", seen))
        frame = client.fields("FRAME")
        data = client.read(0, int(hello["input_bytes"]))
        scores = client.read(1, int(hello["output_bytes"]))
        mask = client.read(2, int(hello["frame_length"]))
        segments = client.read(3, 5 * int(frame["segment_count"]))
        own = DeviceClient(port)
        own.hello()
        (same,) = own.stream(raw[:seen].astype(np.int16))
    finally:
        port.close()
    assert scores == model_double.scores(np.frombuffer(data, np.int8)).tobytes()
    assert (data, scores, mask) == (same.input.tobytes(), same.scores.tobytes(), same.mask.tobytes())
    told = [struct.unpack_from("<BHH", segments, at) for at in range(0, len(segments), 5)]
    assert told == [(s.label, s.onset, s.offset) for s in same.segments]
    assert len(told) > 0
