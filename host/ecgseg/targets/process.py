"""Processes that have a pty as their serial port."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from ecgseg.errors import LinkError, TargetError, cause
from ecgseg.targets.base import RunningTarget
from ecgseg.targets.options import TargetOptions

_STOP_SECONDS = 5.0


@contextmanager
def run_on_pty(
    name: str,
    command: Sequence[str],
    options: TargetOptions,
    *,
    answer_seconds: float = 1.0,
    ends_with_port: bool = False,
) -> Iterator[RunningTarget]:
    """Runs a command whose standard input and output are the master side of a pty; clients open the slave side.

    The pty is there, raw and held open before the process starts, so nothing depends on who is first. The process is
    stopped when the context ends, however it ends; the kernel stops it when the thread that started it is gone without
    that, for example because this process was killed.

    Args:
        name: name of the target.
        command: program and arguments.
        options: given to the RunningTarget.
        answer_seconds: first wait for an answer that suits this target.
        ends_with_port: the program ends by itself when the slave side is closed.

    Raises:
        TargetError: it does not start, or it ended while it was still needed (a sanitizer's report, an abort).
    """
    with tempfile.TemporaryFile() as log:
        process, slave, port = _start_on_pty(name, command, log)
        running = RunningTarget(name, port, options, answer_seconds, process, lambda: _read(log))
        try:
            yield running
        except LinkError as error:
            if _ends_soon(process):
                raise running.ended() from error
            raise
        else:
            running.check()
        finally:
            os.close(slave)
            ended_by_itself = _stop(process, ends_with_port)
        # A sanitizer may report at the very end.
        if ended_by_itself and process.returncode != 0:
            raise running.ended()


def _start_on_pty(name: str, command: Sequence[str], log: IO[bytes]) -> tuple[subprocess.Popen[bytes], int, str]:
    """The process, which alone has the master side, and the slave side, raw and held open, with its name."""
    try:
        master, slave = os.openpty()
    except OSError as error:
        raise TargetError(
            f"The target {name} cannot be started.",
            f"The system has no pseudo-terminal left to give: {cause(error, 'it does not say why.')}",
            "In a container or a chroot, see that /dev/pts is mounted; else end programs that hold many.",
        ) from error
    try:
        tty.setraw(slave)
        # Asked for now: a process that ends at once takes the master side with it, and then there is no name any more.
        port = os.ttyname(slave)
        return _start(name, command, master, log), slave, port
    except BaseException:
        os.close(slave)
        raise
    finally:
        os.close(master)


def _start(name: str, command: Sequence[str], port: int, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # The kernel ends the child with its parent, also when the parent is killed and cannot clean up.
    setpriv = shutil.which("setpriv")
    guarded = [setpriv, "--pdeathsig", "KILL", *command] if setpriv else list(command)
    try:
        # A session of its own: Ctrl-C reaches this process, which then stops the child in order.
        return subprocess.Popen(guarded, stdin=port, stdout=port, stderr=log, start_new_session=True)
    except OSError as error:
        raise TargetError(
            f"The target {name} cannot be started.",
            cause(error, "The system does not say."),
            f"Check that {command[0]} can be run.",
        ) from error


def _read(log: IO[bytes]) -> str:
    # The child writes through the same file description: pread leaves its position alone.
    size = os.fstat(log.fileno()).st_size
    return os.pread(log.fileno(), size, 0).decode(errors="replace")


def _ends_soon(process: subprocess.Popen[bytes]) -> bool:
    """True when the process has ended, or does within the time that a sanitizer needs to write its report."""
    try:
        process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[bytes], ends_with_port: bool) -> bool:
    """Ends the process; True when it did so by itself."""
    if ends_with_port and _waited(process):
        return True
    for stop in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(stop)
        if _waited(process):
            break
    return False


def _waited(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True
