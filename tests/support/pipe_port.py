"""The firmware as a child process with its port on two pipes: the least there can be between a test and the app."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

EXIT_SECONDS = 20
Kind = TypeVar("Kind", bound="PipePort")


class PipePort:
    """Starts a `host` image; the part of `serial.Serial` that the link uses.

    `finish()` ends the input, waits for the process and returns its exit code and what it wrote to standard error,
    where the sanitizers report.
    """

    def __init__(self, elf: Path) -> None:
        self.timeout: float | None = 0.02
        self.baudrate = 115200
        self._process = subprocess.Popen(
            [elf], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._out = self._process.stdin
        self._in = self._process.stdout.fileno()

    @property
    def in_waiting(self) -> int:
        """1 when read() would not wait, else 0: pipes tell no more than that in a portable way."""
        return 1 if select.select([self._in], [], [], 0)[0] else 0

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes, at least what a whole answer may have, waiting at most `timeout` for the first."""
        if not select.select([self._in], [], [], self.timeout)[0]:
            return b""
        return os.read(self._in, max(size, 2048))

    def write(self, data: bytes, /) -> int:
        """Writes all of `data`."""
        self._out.write(data)
        return len(data)

    def close(self) -> None:
        """Ends the process and takes no notice of how."""
        if self._process.poll() is None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()
        self._process.wait(EXIT_SECONDS)

    def finish(self) -> tuple[int, str]:
        """Exit code and standard error after the end of input."""
        _, errors = self._process.communicate(timeout=EXIT_SECONDS)
        return self._process.returncode, errors.decode(errors="replace")


@contextmanager
def ending_well(port: Kind) -> Iterator[Kind]:
    """Whatever is done with the port, its process has to end well, without a sanitizer's report."""
    try:
        yield port
        code, errors = port.finish()
        assert (code, errors) == (0, "")
    finally:
        port.close()
