"""The simulator's end of the pty: bytes, and the baud rate that the host has set on its end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct

_TCGETS2 = 0x802C542A
_TERMIOS2_BYTES = 44
_OSPEED_OFFSET = 40
_CHUNK = 4096
_BACKLOG_BYTES = 1 << 20


class PtyPort:
    """A file descriptor with bytes.

    Args:
        source: descriptor to read what the host sends.
        sink: descriptor to write to.
    """

    def __init__(self, source: int, sink: int) -> None:
        self._source = source
        self._sink = sink
        self._backlog = bytearray()
        self.closed = False
        os.set_blocking(source, False)
        os.set_blocking(sink, False)

    def read(self) -> bytes:
        """What has come; never waits."""
        try:
            data = os.read(self._source, _CHUNK)
        except BlockingIOError:
            return b""
        except OSError:  # EIO: nobody has the other end open
            return b""
        self.closed = not data
        return data

    def write(self, data: bytes) -> None:
        """Sends; what the host does not fetch waits, and is lost when far too much waits, as it is in a real probe."""
        self._backlog += data
        with contextlib.suppress(OSError):
            while self._backlog:
                del self._backlog[: os.write(self._sink, self._backlog)]
        del self._backlog[:-_BACKLOG_BYTES]

    def wait(self, seconds: float | None) -> None:
        """Returns when the host has sent something, at the latest after so many seconds."""
        readers = [self._source]
        writers = [self._sink] if self._backlog else []
        select.select(readers, writers, [], seconds)

    def baud(self) -> int | None:
        """Rate that the host has set, None when that cannot be known."""
        try:
            answer = fcntl.ioctl(self._source, _TCGETS2, bytes(_TERMIOS2_BYTES))
        except OSError:
            return None
        (speed,) = struct.unpack_from("<I", answer, _OSPEED_OFFSET)
        return int(speed) or None
