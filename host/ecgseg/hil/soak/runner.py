"""A whole soak: build, start the target, send windows of leads until it is over, judge what grew."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg import interruption
from ecgseg.errors import EcgsegError
from ecgseg.hil.identity import WrongHello
from ecgseg.hil.soak.journal import SoakJournal
from ecgseg.hil.soak.ready import Ready, SoakOptions
from ecgseg.hil.soak.result import SoakResult
from ecgseg.hil.soak.session import OnSoakStep, Soak
from ecgseg.interruption import Stopped
from ecgseg.link.transport import OnWait


@dataclass
class SoakRun:
    """A finished or stopped soak: its result, and what ended it early."""

    result: SoakResult
    error: EcgsegError | Stopped | None = None


def run(
    options: SoakOptions, journal: SoakJournal, on_step: OnSoakStep | None = None, on_wait: OnWait | None = None
) -> SoakRun:
    """Runs a soak to its end, or until a byte differs.

    A signal, and a link or target that fails on the way, do not lose what was compared: the result then says
    "incomplete" and why. Whatever fails before the first lead of all is raised.

    Args:
        options: what, where and how long.
        journal: keeps the windows that are finished.
        on_step: is told how far it is, after every lead.
        on_wait: is told what is waited for while a device is silent.

    Raises:
        EcgsegError: no such target, model or record; a tool is missing; the firmware does not build or start.
    """
    ready = Ready.of(options)
    soak = Soak(ready, journal, journal.begin(ready.head()), on_step or (lambda step: None), on_wait)
    error: EcgsegError | Stopped | None = None
    try:
        soak.run()
    except (EcgsegError, KeyboardInterrupt) as caught:
        # Errors leave the target's context first: it knows whether its process died, and of what.
        ended_by = interruption.ended_by(caught)
        if isinstance(ended_by, WrongHello):
            ended_by = soak.judge_hello(ended_by)
        if not soak.begun:
            raise
        assert isinstance(ended_by, (EcgsegError, Stopped))
        error = ended_by
    why = error.what if isinstance(error, EcgsegError) else str(error) if error else None
    try:
        with interruption.held():
            result = soak.result(why)
    except Stopped as late:
        error = error or late
    return SoakRun(result, error)
