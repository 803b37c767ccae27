"""What a viewer may ask for: read from a message that anybody on this computer could have written."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from ecgseg.monitor.noise import NOISES

MOST_BYTES = 1024
_MOST_WAITING = 64
_MOST_INDEX = 1 << 20


@dataclass(frozen=True)
class Wish:
    """Something to be done.

    Attributes:
        what: "record", "lead", "noise" or "write".
        value: place of a recording or a lead, one of NOISES, or whether signal is written.
    """

    what: str
    value: int | str | bool


def wish_of(text: str) -> Wish | None:
    """The wish in a message; None where there is none."""
    if len(text) > MOST_BYTES:
        return None
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or len(told) != 1:
        return None
    ((what, value),) = told.items()
    return Wish(what, value) if _is_known(what, value) else None


def _is_known(what: str, value: object) -> bool:
    if what in ("record", "lead"):
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_INDEX
    if what == "noise":
        return isinstance(value, str) and value in NOISES
    return what == "write" and isinstance(value, bool)


class Mailbox:
    """Wishes on their way to the thread that fulfils them; of too many the oldest are dropped."""

    def __init__(self) -> None:
        self._came = threading.Condition()
        self._wishes: deque[Wish] = deque(maxlen=_MOST_WAITING)

    def put(self, wish: Wish) -> None:
        """From any thread."""
        with self._came:
            self._wishes.append(wish)
            self._came.notify()

    def take(self, seconds: float = 0.0) -> Wish | None:
        """The oldest, or None when none comes in so many seconds."""
        with self._came:
            if not self._wishes and seconds > 0:
                self._came.wait(seconds)
            return self._wishes.popleft() if self._wishes else None
