"""One page that looks: what it has, and what it is to be sent next. A slow one misses signal, and takes no memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ecgseg.monitor.messages import classes_block, events_message, figures_message, samples_block, state_message
from ecgseg.monitor.session import Session
from ecgseg.monitor.state import Figures, State
from ecgseg.pipeline import MODEL_RATE

# Signal of a message; what a page gets that was opened late comes in many.
_MOST_SECONDS = 5
_LATEST_SECONDS = 5


class Viewer:
    """A page.

    Args:
        session: that it looks at.
        number, head: the take that it has, and up to which sample; a page that was open before goes on there.
    """

    def __init__(self, session: Session, number: int = 0, head: int = 0) -> None:
        self._session = session
        self._take = session.tape.take
        self._head = min(max(head, 0), session.tape.head) if number == self._take.number else 0
        # Classes come later than their samples.
        self._class_head = max(0, self._head // self._take.rate - _LATEST_SECONDS) * MODEL_RATE
        self._event_head = 0
        self._state: State | None = None
        self._figures: Figures | None = None

    def news(self) -> Iterator[str | bytes]:
        """Messages that bring the page up to date."""
        session = self._session
        state, take = session.state, session.tape.take
        if take.number != self._take.number:
            self._head = 0
        if take != self._take:
            self._class_head = self._event_head = 0
            self._take, self._state = take, None
        plain = replace(state, figures=Figures(), version=0)
        if plain != self._state:
            self._state = plain
            yield state_message(take, state)
        if state.figures != self._figures:
            self._figures = state.figures
            yield figures_message(state.figures)
        while (samples := session.tape.samples(self._head, _MOST_SECONDS * take.rate)).values.size:
            if session.tape.take.number != take.number:
                return
            self._head = samples.first + len(samples.values)
            yield samples_block(take, samples)
        yield from self._found()

    def _found(self) -> Iterator[str | bytes]:
        """Classes and events, behind the samples that they are of."""
        tape, take = self._session.tape, self._take
        while (classes := tape.classes(self._class_head, 60 * MODEL_RATE)).values.size:
            if tape.take != take:
                return
            self._class_head = classes.first + len(classes.values)
            yield classes_block(take, classes)
        head, events = tape.events(self._event_head)
        if events and tape.take == take:
            self._event_head = head
            yield events_message(take, events)
