"""The keys of a live view on a terminal."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ecgseg.monitor.noise import NOISES
from ecgseg.monitor.wishes import Wish

if TYPE_CHECKING:
    from ecgseg.monitor.session import Session

_MOST_BYTES = 64
QUIT = "q"


@contextmanager
def typed() -> Iterator[Callable[[], str]]:
    """Keys as they are typed, without Enter and without being shown; yields what tells those since it was asked last.

    There are none where standard input is no terminal, or the job is in the background.
    """
    terminal = _terminal()
    if terminal is None:
        yield lambda: ""
        return
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)

    def read() -> str:
        is_there, _, _ = select.select([terminal], [], [], 0)
        return os.read(terminal, _MOST_BYTES).decode("latin-1") if is_there else ""

    try:
        yield read
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _terminal() -> int | None:
    try:
        number = sys.stdin.fileno()
        return number if os.isatty(number) and os.tcgetpgrp(number) == os.getpgrp() else None
    except (OSError, ValueError, AttributeError):
        return None


def obey(keys: str, session: Session) -> None:
    """Does what keys ask for; the others mean nothing."""
    for key in keys:
        if key == QUIT:
            session.stop()
        wish = wish_of_key(key, session)
        if wish is not None:
            session.wishes.put(wish)


def wish_of_key(key: str, session: Session) -> Wish | None:
    """What a key asks for."""
    state = session.state
    if key == "l":
        return Wish("lead", (state.lead + 1) % len(state.channels))
    if key == "n":
        return Wish("noise", NOISES[(NOISES.index(state.noise) + 1) % len(NOISES)])
    if key in "rR":
        return Wish("record", (state.source + (1 if key == "r" else -1)) % len(session.sources))
    return Wish("write", not state.writing) if key == "w" else None
