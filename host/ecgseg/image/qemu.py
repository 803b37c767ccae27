"""QEMU's Cortex-M4F: which machine, and how it is started for which purpose."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ecgseg.errors import TargetError, ToolMissingError
from ecgseg.image.boards import MPS2_AN386

PROGRAM = "qemu-system-arm"
APT_QEMU = f"sudo apt-get install {PROGRAM}"
BOARD = MPS2_AN386
_MACHINE = ("-machine", "mps2-an386", "-display", "none", "-monitor", "none")
# An instruction takes one virtual nanosecond: what is counted is exact and repeatable.
_COUNTED = ("-icount", "shift=0")
_PORT = ("-chardev", "stdio,id=port,signal=off", "-serial", "chardev:port")
_SEMIHOSTING = ("-serial", "null", "-semihosting-config", "enable=on,target=native")
_ERROR_BYTES = 500


def find_qemu(why: str) -> str:
    """Path of QEMU.

    Args:
        why: one sentence that says what it is needed for.

    Raises:
        ToolMissingError: it is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise ToolMissingError(f"{PROGRAM} is not installed.", why, f"Run: {APT_QEMU}")
    return program


def port_command(elf: Path, why: str, *, counted: bool = True) -> list[str]:
    """Command that runs an image with its serial port on standard input and output.

    Args:
        elf: the image.
        why, counted: as :func:`find_qemu`; `counted` makes time go by instructions, which is slower.

    Raises:
        ToolMissingError: QEMU is not installed.
    """
    return [find_qemu(why), *_MACHINE, *(_COUNTED if counted else ()), *_PORT, "-kernel", str(elf)]


def semihosting_command(elf: Path, why: str, *, counted: bool = True) -> list[str]:
    """Command that runs an image which writes its results, and ends itself, through semihosting; as `port_command`."""
    return [find_qemu(why), *_MACHINE, *(_COUNTED if counted else ()), *_SEMIHOSTING, "-kernel", str(elf)]


def run_to_end(elf: Path, what: str, why: str, seconds: float) -> str:
    """Runs an image that ends itself; what it wrote.

    Args:
        elf: the image.
        what: it is, as a sentence begins with it.
        why: as :func:`find_qemu`.
        seconds: that it may take.

    Raises:
        ToolMissingError: QEMU is not installed.
        TargetError: it failed, or did not end.
    """
    command = semihosting_command(elf, why)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise TargetError(f"{what} does not end.", f"{seconds:.0f} s went by.", "Try a smaller model.") from error
    # QEMU's console is its standard error.
    written = done.stdout + done.stderr
    if done.returncode != 0:
        raise failed(what, written)
    return written


def failed(what: str, written: str) -> TargetError:
    """The error for a program that did not do what it is there for, with the end of what it wrote."""
    return TargetError(f"{what} failed in QEMU.", written[-_ERROR_BYTES:], "Run it again.")
