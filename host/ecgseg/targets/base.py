"""What a target is: something that runs an image and has a serial port."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ecgseg.errors import LinkError, TargetError
from ecgseg.image.build import Image
from ecgseg.interruption import name_of
from ecgseg.link import DeviceClient, Port
from ecgseg.link.pace import Start
from ecgseg.link.ports import open_port
from ecgseg.link.transport import NoAnswerError, OnWait
from ecgseg.targets.options import TargetOptions

_LOG_LINES = 40
_ENDING_SECONDS = 1.0


class TimeQuality(StrEnum):
    """What a time that a target tells is worth.

    Attributes:
        COUNTED: instructions, the same ones every time; they say nothing about cycles.
        MODELLED: cycles of a timing model.
        MEASURED: by a clock that runs beside the program.
    """

    COUNTED = "counted"
    MODELLED = "modelled"
    MEASURED = "measured"


def _remedy(code: int | None, log: str) -> str:
    """What to do about a process that has ended: by its log where it tells, else by the signal."""
    if "Sanitizer" in log or "runtime error:" in log:
        return "The sanitizer's report names the source line."
    if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGINT):
        return "Somebody ended it, or the system was out of memory (`dmesg` tells): run the test again."
    return "Run it again; when it ends at the same place, run the same test with --target host, under sanitizers."


@dataclass
class RunningTarget:
    """A target that runs.

    Attributes:
        name: name of the target.
        port_url: device name or pyserial URL of its serial port.
        options: as given.
        answer_seconds: first wait for an answer that suits this target.
        process: the process behind it; None for a real board.
        read_log: what the process has written to its standard error so far.
    """

    name: str
    port_url: str
    options: TargetOptions
    answer_seconds: float = 1.0
    process: subprocess.Popen[bytes] | None = None
    read_log: Callable[[], str] = field(default=lambda: "")

    @property
    def log(self) -> str:
        """Standard error of the process, e.g. a sanitizer's report."""
        return self.read_log()

    def check(self) -> None:
        """Raises TargetError when the process has ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            raise self.ended()

    def ended(self) -> TargetError:
        """The error that says how the process ended."""
        code = self.process.poll() if self.process is not None else None
        log = self.log.strip()
        by = f" ({name_of(-code)})" if code is not None and code < 0 else ""
        return TargetError(
            f"The target {self.name} has ended with exit code {code}{by}.",
            "\n".join(log.splitlines()[:_LOG_LINES]) or "It left no message.",
            _remedy(code, log),
        )

    def connect(self, on_wait: OnWait | None = None) -> DeviceClient:
        """Opens the port and waits for the first HELLO.

        Args:
            on_wait: is told what is waited for after two seconds without an answer, now and later.

        Raises:
            TargetError: the process ended, or the deadline passed without an answer.
            LinkError: the port cannot be opened, or the device speaks another protocol version.
        """
        port = self._open()
        client = DeviceClient(
            self.options.wire(port) if self.options.wire else port,
            answer_seconds=self.options.answer_seconds or self.answer_seconds,
            on_wait=on_wait,
        )
        try:
            self._wait_for_hello(client)
        except BaseException:
            client.close()
            raise
        return client

    def _open(self) -> Port:
        try:
            return open_port(self.port_url, self.options.baud)
        except LinkError:
            # A process that ends takes its port along: how it ended says more than a port that is gone.
            self._await_the_end()
            raise

    def _await_the_end(self) -> None:
        """Raises TargetError when the process ends within a moment: its port goes before it does."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_ENDING_SECONDS)
            self.check()

    def _wait_for_hello(self, client: DeviceClient) -> None:
        most = f"{self.options.start_seconds:.0f} s"
        start = Start(
            self.options.start_seconds,
            self.answer_seconds,
            self.check,
            f"the first answer of the target {self.name}, up to {most}",
        )
        try:
            client.first_hello(start)
        except NoAnswerError as error:
            raise TargetError(
                f"The target {self.name} does not answer within {most}.",
                error.why,
                "Check port and baud rate, press reset on the board, and see that the image is for it.",
            ) from error


class Target(Protocol):
    """A way to run an image. One module of this package defines one, as `TARGET`."""

    @property
    def name(self) -> str:
        """What a user calls it."""
        ...

    @property
    def board(self) -> str:
        """The board its images are built for."""
        ...

    @property
    def purpose(self) -> str:
        """What runs there, in a few words for a list."""
        ...

    @property
    def time_quality(self) -> TimeQuality:
        """What its times are worth."""
        ...

    @property
    def real_port(self) -> bool:
        """It stands behind a serial port and a probe of this computer, so port, baud rate and serial number apply.

        Otherwise a process is started that brings its own port.
        """
        ...

    @property
    def slowness(self) -> float:
        """How many times longer than on a board an answer may take."""
        ...

    def open(self, image: Image, options: TargetOptions) -> AbstractContextManager[RunningTarget]:
        """Starts it; leaving the context stops it."""
        ...
