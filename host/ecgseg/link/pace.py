"""How much goes into one request and how long its answer is waited for: both follow the line (docs/protocol.md, 4)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ecgseg.link.numbers import PAYLOAD_MAX, Command

Work = tuple[Command, bool]
"""A command, and whether the device runs its model before it answers."""
SMALLEST_PIECE = 16
# Where these two balance about half of the messages get through: on a line that loses bytes at random, be it one in a
# thousand or in a hundred, that takes the fewest messages.
_GROWTH = 2
_SHRINKAGE = 4
_WEIGHT = 0.1
# One loss of late is an accident; two make a line that is known to be bad, until some thirty messages in a row arrive.
_KNOWN_BAD = 0.15
_KNOWN_GOOD = 0.01
# Half of it after two dozen answers; before the first, an answer is thought to take that long.
_SLOWEST_FADES = 0.97
_FIRST_SECONDS = 0.05
_SLOWEST_FACTOR = 2.0
# For work that nobody has had an answer to yet, in the slowest answer to any other.
_GUESS_FACTOR = 4.0
_SHORTEST_GUESS_SECONDS = 0.25
# A computer with more to do than cores makes an answer late by that much now and then.
_SHORTEST_WAIT_SECONDS = 0.01
# As good as for ever.
_DOUBLINGS = 30
_FIRST_WAIT_SECONDS = 0.25
# An attempt that ended so much before its time ended with a damaged answer.
_EARLY = 0.8
_HEARD_GROWTH = 1.25
# What all writes of a request together may take beside the waits.
_WRITE_SECONDS = 10.0


@dataclass
class Piece:
    """Bytes of data that go into one message of a direction: a quarter less after a loss, half as many again after
    a success.

    A message much smaller than that says nothing about it.
    """

    size: int = PAYLOAD_MAX

    def lost(self, length: int) -> None:
        """A message with `length` bytes of data, or the answer to it, was lost."""
        if 2 * length >= self.size:
            self.size = max(SMALLEST_PIECE, self.size - self.size // _SHRINKAGE)

    def arrived(self, length: int) -> None:
        """A message with `length` bytes of data was answered."""
        if 2 * length >= self.size:
            self.size = min(PAYLOAD_MAX, self.size + self.size // _GROWTH)


@dataclass
class Line:
    """What the last requests said about the line: how many were lost, and how soon the others were answered.

    Requests that take a device about as long as each other are of one kind of work.
    """

    _loss: float = 0.0
    _bad: bool = False
    _heard: bool = False
    _damaged: int = 0
    _slowest: dict[Work, float] = field(default_factory=dict)

    @property
    def bad(self) -> bool:
        """Something is at its other end, and it has lost something of late."""
        return self._heard and self._bad

    def lost(self, work: Work, damaged_after: float | None = None) -> None:
        """An attempt got no answer; or a damaged one, which came after so many seconds."""
        if damaged_after is not None:
            self._heard = True
            self._damaged += 1
            self._slowest[work] = max(damaged_after, self._slowest.get(work, _FIRST_SECONDS))
        self._loss += _WEIGHT * (1.0 - self._loss)
        self._bad = self._bad or self._loss >= _KNOWN_BAD

    def answered(self, work: Work, seconds: float | None) -> None:
        """An attempt was answered after `seconds`; None when nobody knows which attempt it was."""
        self._heard = True
        self._loss -= _WEIGHT * self._loss
        self._bad = self._bad and self._loss >= _KNOWN_GOOD
        if seconds is not None:
            self._slowest[work] = max(seconds, self._slowest.get(work, _FIRST_SECONDS) * _SLOWEST_FADES)

    def wait(self, work: Work) -> float | None:
        """Seconds within which the answer to such a request comes when it comes at all; None: nobody knows."""
        slowest = self._slowest.get(work)
        return None if slowest is None else max(_SHORTEST_WAIT_SECONDS, _SLOWEST_FACTOR * slowest)

    def guess(self) -> float | None:
        """Seconds to begin with for work that nobody knows; None: nothing is known."""
        if not self._slowest:
            return None
        return max(_SHORTEST_GUESS_SECONDS, _GUESS_FACTOR * max(self._slowest.values()))

    def after_start(self) -> Line:
        """A line about which nothing is known, but that it is bad when it has damaged more than one answer: that a
        device which starts does not answer is not the line's doing.
        """
        line = Line(_damaged=self._damaged)
        line._heard = line._bad = self._damaged > 1
        line._loss = self._loss if line._bad else 0.0
        return line


class Waits(Protocol):
    """How long a request may go unanswered.

    Attributes:
        sent: attempts so far.
        subject: what the user is told is waited for; "" for the answer to the command.
    """

    sent: int
    subject: str

    @property
    def waited(self) -> float:
        """Seconds since the first attempt."""
        ...

    def next_wait(self, work: Work) -> float | None:
        """Seconds to wait after the next attempt, which counts from now on; None: there is none any more."""
        ...


@dataclass
class Patience:
    """How long a request may go unanswered, with all that it is cut into anew.

    On a line that is not known to be bad it has so many attempts, each wait twice as long as the one before. On one
    that is, it has as many as fit into the same time, with waits that suit the line.

    Attributes:
        line: what is known about the line.
        first_wait: seconds.
        attempts: how many.
        follows_line: False for work that takes as long as it takes, whatever earlier answers took.
        sent: attempts so far.
        subject: what the user is told is waited for; "" for the answer to the command.
    """

    line: Line
    first_wait: float
    attempts: int
    follows_line: bool = True
    sent: int = 0
    subject: str = ""
    _started: float = field(default_factory=time.monotonic)
    _last: float = 0.0
    _wait: float = 0.0
    _silent: int = 0

    @property
    def waited(self) -> float:
        """Seconds since the first attempt."""
        return time.monotonic() - self._started

    def next_wait(self, work: Work) -> float | None:
        """Seconds to wait after the next attempt, which counts from now on; None: there is none any more."""
        wait: float | None
        waited = self.waited
        took, self._last = waited - self._last, waited
        # A damaged answer: somebody is waiting long enough.
        self._silent = 0 if took < _EARLY * self._wait else self._silent + (self.sent > 0)
        if self.line.bad and self.follows_line:
            left = self.first_wait * (2**self.attempts - 1) - waited
            wait = min(self._suitable(work), left) if left > 0 else None
        else:
            # A port that takes its time to take bytes does not make the whole much longer than the waits.
            late = waited > self.first_wait * (2**self.attempts - 1) + _WRITE_SECONDS
            wait = self.first_wait * 2**self.sent if self.sent < self.attempts and not late else None
        self.sent += wait is not None
        self._wait = wait or 0.0
        return wait

    def _suitable(self, work: Work) -> float:
        """Longer and longer, lest an answer that takes its time never finds anybody waiting."""
        known, guess = self.line.wait(work), self.line.guess()
        if known is not None:
            return min(self.first_wait, known * (1 + self._silent / 2))
        return self.first_wait if guess is None else min(self.first_wait, guess * 2.0 ** min(self._silent, _DOUBLINGS))


@dataclass
class Start:
    """How long the first HELLO may go unanswered, by a device that starts, or behind a line that loses most answers.

    Nothing in return: the waits become longer. A damaged answer: the device is there, and that is how soon it answers.

    Attributes:
        seconds: in all.
        longest_wait: seconds.
        on_attempt: called before each attempt; may raise.
        subject: what the user is told is waited for.
        sent: attempts so far.
    """

    seconds: float
    longest_wait: float
    on_attempt: Callable[[], None]
    subject: str
    sent: int = 0
    _wait: float = _FIRST_WAIT_SECONDS
    _growth: float = 2.0
    _started: float = field(default_factory=time.monotonic)
    _last: float = 0.0

    @property
    def waited(self) -> float:
        """Seconds since the first attempt."""
        return time.monotonic() - self._started

    def next_wait(self, work: Work) -> float | None:
        """Seconds to wait after the next attempt, which counts from now on; None: there is none any more."""
        self.on_attempt()
        waited = self.waited
        if waited >= self.seconds:
            return None
        took, self._last = waited - self._last, waited
        if self.sent and took < _EARLY * self._wait:
            self._wait, self._growth = _SLOWEST_FACTOR * took, _HEARD_GROWTH
        elif self.sent:
            self._wait *= self._growth
        self._wait = min(max(self._wait, _SHORTEST_WAIT_SECONDS), self.longest_wait)
        self.sent += 1
        return min(self._wait, self.seconds - waited)
