"""How much memory processes of this computer have."""

from __future__ import annotations

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


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
