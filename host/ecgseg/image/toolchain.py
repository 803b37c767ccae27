"""Finds and runs compilers: the one place of the package that does."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ecgseg import paths
from ecgseg.errors import BuildError, OutputError, ToolMissingError
from ecgseg.image.boards import Board

_OUTPUT_LINES = 60
_SECONDS = 600
_QUESTION_SECONDS = 60
_END_SECONDS = 5
_NO_ROOM = re.compile(r"section `([\w.]+)' will not fit in region `(\w+)'")
_EXCESS = re.compile(r"region `(\w+)' overflowed by (\d+) bytes")
_CPP_LIBRARY = "libstdc++.a"
# What runs now, in whatever thread.
_running: set[subprocess.Popen[str]] = set()


def find_tool(board: Board, name: str, why: str = "", packages: str = "") -> str:
    """Path of one of the programs that compile for a board.

    Args:
        board: what is compiled for.
        name: of the program without the board's prefix, such as "gcc".
        why: it is needed; default: the board is compiled with it.
        packages: command that installs it; default: that of the board's compiler.

    Raises:
        ToolMissingError: it is not installed; the remedy names its package.
    """
    program = shutil.which(board.prefix + name)
    if program is None:
        raise ToolMissingError(
            f"{board.prefix}{name} is not installed.",
            why or f"The board {board.name} is compiled with it.",
            f"Run: {packages or board.package_command}",
        )
    return program


@lru_cache(maxsize=8)
def version(program: str) -> str:
    """First line of what a program answers to --version, "unknown" without an answer."""
    return (_answer([program, "--version"]).splitlines() or ["unknown"])[0]


def has_file(compiler: str, name: str) -> bool:
    """Whether a compiler finds a file of its libraries, such as crt1.o."""
    # What is not found is answered without a folder.
    return _answer([compiler, f"-print-file-name={name}"]).strip() not in ("", name)


def require_cpp_library(board: Board) -> None:
    """Raises ToolMissingError when the C++ compiler of a board comes without its library, as Debian packages it."""
    compiler = shutil.which(board.prefix + "g++")
    if not board.prefix or compiler is None:
        return
    if not has_file(compiler, _CPP_LIBRARY):
        raise ToolMissingError(
            f"The C++ library of {board.prefix}g++ is not installed.",
            "TensorFlow Lite Micro is C++; generated C does without.",
            "Run: sudo apt-get install libstdc++-arm-none-eabi-newlib",
        )


def run_tool(command: Sequence[str], failure: str, remedy: str, folder: Path = paths.ROOT) -> None:
    """Runs a compiler or linker.

    Args:
        command: program and arguments.
        failure: one sentence that says what did not work.
        remedy: what to do when it complained.
        folder: that it runs in.

    Raises:
        BuildError: it complained, or did not end.
        OutputError: the disk is full.
    """
    try:
        done = _finished(command, _SECONDS, folder)
    except subprocess.TimeoutExpired as error:
        raise BuildError(failure, f"The compiler did not end within {_SECONDS} s.", "Try again.") from error
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).replace(f"{paths.ROOT}/", "").splitlines()
        if any("No space left on device" in line for line in lines):
            raise OutputError(failure, "No space left on device.", "Make room and try again.")
        too_big = _overflow("\n".join(lines))
        if too_big:
            raise BuildError(failure, *too_big)
        raise BuildError(failure, "\n".join(lines[:_OUTPUT_LINES]), remedy)


def _overflow(printed: str) -> tuple[str, str] | None:
    """Cause and remedy in plain words when the linker found that an image is too big, else None."""
    found = _NO_ROOM.search(printed)
    if found is None:
        return None
    section, region = found.groups()
    # The linker counts an excess that it cannot know in 64 bits below zero.
    excess = [int(count) for name, count in _EXCESS.findall(printed) if name == region]
    told = f", by {max(excess):,} bytes" if excess and max(excess) < 1 << 62 else ""
    if section in (".text", ".rodata", ".vectors"):
        return f"Code and constants do not fit the memory {region}{told}.", "Give a model with fewer weights."
    return (
        f"Activations and buffers ({section}) do not fit the memory {region}{told}.",
        "Give a model with smaller activations: fewer channels, a shorter input, or an earlier stride.",
    )


def output_of(command: Sequence[str], failure: str) -> str:
    """What a program that looks at an image, such as objdump, prints.

    Args:
        command: program and arguments.
        failure: one sentence that says what did not work.

    Raises:
        BuildError: it complained, or did not end.
    """
    try:
        done = _finished(command, _SECONDS)
    except subprocess.TimeoutExpired as error:
        raise BuildError(failure, f"{command[0]} did not end within {_SECONDS} s.", "Try again.") from error
    if done.returncode != 0:
        raise BuildError(failure, done.stderr, "Delete the build folder, build again.")
    return done.stdout


def _answer(command: Sequence[str]) -> str:
    """What a program answers to a question; nothing when it cannot be run or does not end."""
    try:
        return _finished(command, _QUESTION_SECONDS).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _finished(command: Sequence[str], seconds: float, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end; whatever interrupts that ends the program too.

    It leads a group of its own: a compiler that is ended alone leaves the programs that it started running, and one
    that is killed its temporary files.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        process_group=0,
    ) as process:
        _running.add(process)
        try:
            said = process.communicate(timeout=seconds)
        except BaseException:
            _signal(process, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            _signal(process, signal.SIGKILL)
            raise
        finally:
            _running.discard(process)
    return subprocess.CompletedProcess(command, process.returncode, *said)


def end_running() -> None:
    """Ends what other threads have started, whose work nobody waits for any more."""
    for process in list(_running):
        _signal(process, signal.SIGTERM)


def _signal(process: subprocess.Popen[str], number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
