"""Speaks with the bring-up image: lines of text, a command there and named values back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import serial

from ecgseg.errors import TargetError
from ecgseg.link import DEFAULT_BAUD
from ecgseg.link.ports import open_port

LINE_SECONDS = 3.0
"""How long an answer may take on the board unless more is said."""


class SilenceError(TargetError):
    """The bring-up image does not answer."""


@dataclass
class TextPort:
    """Speaks with the bring-up image.

    Attributes:
        port: an open serial port.
        slowness: how many times longer than on the board an answer may take.
    """

    port: serial.Serial
    slowness: float = 1.0
    _tag: int = field(default=0, repr=False)

    def ask(self, command: str, seconds: float = LINE_SECONDS) -> dict[str, str]:
        """Sends a command and returns the values of its answer.

        Raises:
            SilenceError: no complete answer within `seconds`.
        """
        self.send(command)
        return self.answer(command, seconds)

    def send(self, command: str) -> None:
        """Sends a command with a number of its own: a late answer to another one is not taken for its answer."""
        self._tag += 1
        self.port.reset_input_buffer()
        self.port.write(f"{command}#{self._tag}\n".encode())

    def answer(self, command: str, seconds: float) -> dict[str, str]:
        """Collects lines until the one that ends the answer to the command sent last."""
        deadline = time.monotonic() + seconds * self.slowness
        values: dict[str, str] = {}
        text = b""
        while time.monotonic() < deadline:
            text += self.port.read(max(1, self.port.in_waiting))
            *lines, text = text.split(b"\n")
            for line in lines:
                name, separator, value = line.decode(errors="replace").strip().partition("=")
                if (name, value) == (".", str(self._tag)):
                    return values
                if separator:
                    values[name] = value
        raise SilenceError(
            f"The bring-up image does not answer to '{command}'.",
            f"Nothing complete came within {seconds * self.slowness:.0f} s.",
            "Press reset and run it again; see docs/bring-up.md for what each step should show.",
        )

    def wait_for_start(self, seconds: float = LINE_SECONDS) -> None:
        """Until an empty command is answered."""
        deadline = time.monotonic() + seconds * self.slowness
        while True:
            try:
                self.ask("", 0.5)
            except SilenceError:
                if time.monotonic() > deadline:
                    raise
            else:
                return


def number(values: dict[str, str], name: str) -> int:
    """A value of an answer as a number, decimal or hexadecimal.

    Raises:
        TargetError: there is none of that name.
    """
    try:
        return int(values[name], 0)
    except (KeyError, ValueError) as error:
        raise TargetError(
            f"The answer has no number '{name}'.", f"It was {values}.", "Build and flash the bring-up image again."
        ) from error


@contextmanager
def opened(url: str, slowness: float) -> Iterator[TextPort]:
    """A port behind which the bring-up image answers.

    Args:
        url: device name or pyserial URL.
        slowness: how many times longer than on the board an answer may take.

    Raises:
        LinkError: the port cannot be opened.
        SilenceError: nothing answers within 10 s.
    """
    with open_port(url, DEFAULT_BAUD) as port:
        text = TextPort(port, slowness)
        text.wait_for_start(10.0)
        yield text
