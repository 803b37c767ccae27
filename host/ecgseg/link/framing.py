"""Framing of the link: COBS between zero delimiters, CRC-32 behind the body (docs/protocol.md, section 1)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from cobs import cobs

from ecgseg.link.numbers import ANSWER_HEADER_BYTES, CRC_BYTES, PAYLOAD_MAX, REQUEST_HEADER_BYTES

DELIMITER = b"\x00"
BODY_MAX = ANSWER_HEADER_BYTES + PAYLOAD_MAX + CRC_BYTES
# COBS adds one byte per started run of 254.
_ENCODED_MAX = BODY_MAX + BODY_MAX // 254 + 1


def encode_frame(body: bytes) -> bytes:
    """Delimiter, COBS(body + CRC-32 little-endian), delimiter."""
    crc = zlib.crc32(body).to_bytes(CRC_BYTES, "little")
    return DELIMITER + bytes(cobs.encode(body + crc)) + DELIMITER


@dataclass
class FrameCounters:
    """What a decoder has seen: good frames and the reasons why others were dropped."""

    frames: int = 0
    bad_crc: int = 0
    bad_cobs: int = 0
    oversized: int = 0
    too_short: int = 0

    @property
    def damaged(self) -> int:
        """Frames dropped for any reason."""
        return self.bad_crc + self.bad_cobs + self.oversized + self.too_short


@dataclass
class FrameDecoder:
    """Turns a byte stream into frame bodies; damaged frames are counted and dropped."""

    counters: FrameCounters = field(default_factory=FrameCounters)
    _pending: bytearray = field(default_factory=bytearray)
    _too_long: bool = False

    def feed(self, data: bytes) -> list[bytes]:
        """Bodies (without CRC) of the frames that end in `data`, in order."""
        bodies = []
        *ended, rest = data.split(DELIMITER)
        for piece in ended:
            self._append(piece)
            body = self._finish()
            if body is not None:
                bodies.append(body)
        self._append(rest)
        return bodies

    def clear(self) -> None:
        """Forgets an unfinished frame."""
        self._pending.clear()
        self._too_long = False

    def _append(self, piece: bytes) -> None:
        if len(self._pending) + len(piece) > _ENCODED_MAX:
            self._too_long = True
        else:
            self._pending += piece

    def _finish(self) -> bytes | None:
        encoded, too_long = bytes(self._pending), self._too_long
        self.clear()
        if too_long:
            self.counters.oversized += 1
            return None
        if not encoded:
            return None
        return self._check(encoded)

    def _check(self, encoded: bytes) -> bytes | None:
        try:
            body = bytes(cobs.decode(encoded))
        except cobs.DecodeError:
            self.counters.bad_cobs += 1
            return None
        if len(body) > BODY_MAX:
            self.counters.oversized += 1
        elif len(body) < REQUEST_HEADER_BYTES + CRC_BYTES:
            self.counters.too_short += 1
        elif zlib.crc32(body[:-CRC_BYTES]) != int.from_bytes(body[-CRC_BYTES:], "little"):
            self.counters.bad_crc += 1
        else:
            self.counters.frames += 1
            return body[:-CRC_BYTES]
        return None
