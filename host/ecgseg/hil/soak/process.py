"""What the system tells of processes: how much memory they have, and how long they ran and waited for a core."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_NANOSECONDS = 1e-9
_ROOM = 128


def rss_bytes(pid: int | None) -> int | None:
    """Resident memory of a process in bytes; None where the system does not tell it.

    Args:
        pid: of the process, None for one that is not of this computer.
    """
    if pid is None:
        return None
    try:
        # "size resident shared ..." in pages: proc_pid_statm(5).
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


class Cores:
    """How long this thread, and the threads of a target, ran, and how long they were ready to run and had no core.

    Where the system does not tell it, nobody waits, and this thread alone runs.

    Args:
        pid: of the target's process, None for one that is not of this computer.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._own = _opened([Path(f"/proc/{os.getpid()}/task/{threading.get_native_id()}")])
        places: list[Path] = []
        with suppress(OSError):
            places = list(Path(f"/proc/{pid}/task").iterdir()) if pid is not None else []
        self._target = _opened(places)

    def ran(self) -> float:
        """Seconds on a core, all of them together."""
        return time.thread_time() + _NANOSECONDS * sum(_told(file)[0] for file in self._target)

    def waited(self) -> float:
        """Seconds without one, all of them together."""
        return _NANOSECONDS * sum(_told(file)[1] for file in (*self._own, *self._target))

    def close(self) -> None:
        """Lets go of the files."""
        for files in (self._own, self._target):
            while files:
                os.close(files.pop())


def _opened(places: list[Path]) -> list[int]:
    found = []
    for place in places:
        with suppress(OSError):
            found.append(os.open(place / "schedstat", os.O_RDONLY | os.O_CLOEXEC))
    return found


def _told(file: int) -> tuple[int, int]:
    """Nanoseconds that a thread ran and waited."""
    try:
        # "time on a core, time waiting for one, stretches": the kernel's Documentation/scheduler/sched-stats.rst.
        ran, waited, _ = os.pread(file, _ROOM, 0).split()
        return int(ran), int(waited)
    except (OSError, ValueError):
        return 0, 0
