"""How a device last started: what it tells in HELLO, and that it did so in the middle of a test."""

from __future__ import annotations

from ecgseg.errors import DeviceError, LinkError
from ecgseg.link import DeviceClient, DeviceInfo
from ecgseg.link.error_table import error_number


class RestartedError(DeviceError):
    """The device restarted on its own in the middle of a test."""


def start_notes(info: DeviceInfo) -> list[str]:
    """What is worth a note about the device's last start: a fault before it."""
    if info.fault is None:
        return []
    return [f"The device had a fault before its last start: {info.fault}; reset cause {info.reset_cause:#x}."]


def explained(error: DeviceError, device: DeviceClient) -> DeviceError:
    """The error of a request, or, when a restart is behind it, one that says so and why the device restarted.

    Args:
        error: what the device answered.
        device: is asked with HELLO, which opens a new session.
    """
    if error.code != error_number("NO_SESSION"):
        return error
    try:
        info = device.hello()
    except LinkError as silent:
        cause = f"It has not told why: {silent.what}"
    else:
        fault = f"Fault before this start: {info.fault}." if info.fault else "It has kept no fault record."
        cause = f"Reset cause {info.reset_cause:#x}. {fault}"
    return RestartedError(
        error.code,
        f"The device restarted in the middle of the test. {cause}",
        error.what,
        "docs/bring-up.md tells the bits of the cause; look up pc in the image's ELF, then run the test again.",
    )
