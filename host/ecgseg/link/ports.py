"""Serial ports of this machine: which there are, opening one, and why that fails."""

from __future__ import annotations

import errno
import re
import socket
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports

from ecgseg.errors import LinkError, TargetError, UsageError, cause
from ecgseg.link.numbers import DEFAULT_BAUD
from ecgseg.printable import printable

SEGGER_VENDOR = 0x1366
# What pyserial raises for a port that goes: settings of a vanished one fail in termios, whose error is no OSError.
PORT_FAULTS = (serial.SerialException, OSError, termios.error)
_POLL_SECONDS = 0.002
_WRITE_SECONDS = 10.0
_REMOTE = re.compile(r"(socket|rfc2217)://", re.IGNORECASE)
_FORMS = "socket://HOST:PORT or rfc2217://HOST:PORT"


class Port(Protocol):
    """The part of `serial.Serial` that the link uses; tests put a faulty wire in its place."""

    timeout: float | None
    baudrate: int

    @property
    def in_waiting(self) -> int:
        """Bytes that can be read without waiting."""
        ...

    def read(self, size: int = 1, /) -> bytes:
        """Up to `size` bytes, waiting at most `timeout` seconds for the first."""
        ...

    def write(self, data: bytes, /) -> int | None:
        """Writes all of `data`."""
        ...

    def close(self) -> None:
        """Closes the port."""
        ...


@dataclass(frozen=True)
class SerialPort:
    """A serial port.

    Attributes:
        device: e.g. /dev/ttyACM0.
        description: what the system calls it.
        serial_number: of the USB device, None without one.
        is_jlink: it belongs to a J-Link: a virtual COM port.
    """

    device: str
    description: str
    serial_number: str | None
    is_jlink: bool


def serial_ports() -> list[SerialPort]:
    """USB serial ports that are plugged in."""
    return [
        SerialPort(
            port.device, printable(port.description or port.device), port.serial_number, port.vid == SEGGER_VENDOR
        )
        for port in sorted(list_ports.comports(), key=lambda port: str(port.device))
        if port.vid is not None
    ]


def choose_port(found: Sequence[SerialPort], port: str | None, probe_number: str | None) -> str:
    """The virtual COM port that is meant.

    Args:
        found: ports that are plugged in.
        port: what the user named; it wins.
        probe_number: serial number of the probe, when several are plugged in.

    Raises:
        TargetError: there is none, or more than one.
    """
    if port is not None:
        return port
    ours = [candidate for candidate in found if candidate.is_jlink]
    if probe_number is not None:
        matching = [c for c in ours if (c.serial_number or "").lstrip("0") == probe_number.lstrip("0")]
        ours = matching or ours
    if not ours:
        raise TargetError(
            "There is no virtual COM port of a J-Link.",
            "No USB serial port has SEGGER's vendor number 1366.",
            "Plug the board in; in JLinkExe `VCOM enable` switches the port on (then plug in again). "
            "Or name a port with --port.",
        )
    if len(ours) > 1:
        raise TargetError(
            f"There are {len(ours)} virtual COM ports.",
            "Found: " + ", ".join(candidate.device for candidate in ours) + ".",
            "Name one with --port; the first of a board's ports is usually the right one.",
        )
    return ours[0].device


def open_port(url: str, baud: int = DEFAULT_BAUD) -> serial.Serial:
    """Opens a device name or pyserial URL for this program alone; reads wait 2 ms, writes 10 s.

    Raises:
        LinkError: it does not exist, is in use, may not be opened, or cannot do the baud rate.
    """
    if is_remote(url):
        return _open_remote(url, baud)
    try:
        return serial.serial_for_url(
            url, baudrate=baud, timeout=_POLL_SECONDS, write_timeout=_WRITE_SECONDS, exclusive=True
        )
    except (*PORT_FAULTS, ValueError) as error:
        raise _port_error(url, error) from error


def is_remote(port: str) -> bool:
    """Whether it is the address of a port behind another machine."""
    return _REMOTE.match(port) is not None


def check_remote(url: str) -> None:
    """Looks at the form of an address, without asking anybody.

    Raises:
        UsageError: it names no host or no port.
    """
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname and parts.port and url.isprintable() and not parts.path.strip("/"))
    except ValueError:  # A port that is no number, or too large.
        is_whole = False
    if not is_whole:
        raise UsageError(f"The address {url} is none of a port.", f"One looks like {_FORMS}.", "Correct the address.")


def _open_remote(url: str, baud: int) -> serial.Serial:
    """Opens a port behind another machine, with the waits that pyserial has there: 5 s to connect and to write.

    Raises:
        UsageError: the address is none.
        LinkError: nobody answers there, or not in that protocol.
    """
    check_remote(url)
    try:
        return serial.serial_for_url(url, baudrate=baud, timeout=_POLL_SECONDS)
    except (*PORT_FAULTS, ValueError) as error:
        raise _remote_error(url, error) from error


def _remote_error(url: str, error: Exception) -> LinkError:
    """What it means that a port behind another machine cannot be opened; pyserial keeps the reason as the context."""
    what, reason = f"The port {url} cannot be opened.", error.__context__
    start_it = "See that its server runs and that no firewall is between (docs/rig.md), then run the test again."
    if isinstance(reason, ConnectionRefusedError):
        return LinkError(what, "The machine is there, but nothing listens on that port.", start_it)
    if isinstance(reason, socket.gaierror):
        return LinkError(what, "This computer knows no machine of that name.", "Correct the address.")
    if isinstance(reason, TimeoutError):
        return LinkError(what, "Nobody answered within 5 s.", start_it)
    if isinstance(reason, OSError):
        return LinkError(what, cause(reason, "The system does not say."), start_it)
    return LinkError(
        what,
        "What answers there does not speak RFC 2217." if url.lower().startswith("rfc2217") else "It was refused.",
        "A server that passes bytes alone is named as socket://HOST:PORT; of one that serves one client at a time"
        " another may be connected.",
    )


def check_port(port: str, baud: int) -> None:
    """Opens and closes a port, so that what is wrong with it is told before anything else is done.

    Raises:
        LinkError: it cannot be opened.
    """
    open_port(port, baud).close()


def set_baud_rate(port: Port, baud: int) -> None:
    """Changes the rate of this side of the port.

    Raises:
        LinkError: this computer's port cannot do it; the rate is what it was.
    """
    old = port.baudrate
    try:
        port.baudrate = baud
    except (*PORT_FAULTS, ValueError) as error:
        port.baudrate = old
        raise LinkError(
            f"The port of this computer cannot be set to {baud} baud.",
            cause(error, "Its driver does not know that rate."),
            "Use a common rate such as 921600.",
        ) from error


def _port_error(port: str, error: Exception) -> LinkError:
    """What it means that a port cannot be opened."""
    if isinstance(error, termios.error):
        error = OSError(*error.args)
    number = getattr(error, "errno", None)
    text = cause(error, "It is neither a device nor an address that pyserial knows.")
    if number in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error):
        return LinkError(
            f"The port {port} is in use.",
            f"Another program has it open. {text}",
            f"Close it (`fuser {port}` tells which one; ModemManager and serial terminals are the usual ones).",
        )
    if number in (errno.EACCES, errno.EPERM):
        return LinkError(
            f"There is no permission to open {port}.",
            text,
            "Run `sudo usermod -aG dialout $USER` and log in again.",
        )
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return LinkError(
            f"There is no port {port}.", text, "Check the name and the cable; `invoke devices` lists the ports."
        )
    return LinkError(f"The port {port} cannot be opened.", text, "Check the --port and --baud options.")
