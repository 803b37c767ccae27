"""A stream on a terminal of 80 columns: a sweep in Braille dots, letters of its waves, figures of the newest beat.

Where the output is no terminal, it is a line for each beat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from ecgseg.data.writers.tables import BEGINS, ENDS, LOSSES
from ecgseg.monitor.continuation import base_second
from ecgseg.monitor.joints import joints
from ecgseg.monitor.session import Session
from ecgseg.monitor.state import Figures, Load, Phase, State
from ecgseg.monitor.tape import Tape
from ecgseg.pipeline import LEAD_OFF, MODEL_RATE
from ecgseg.pipeline.events import Event, EventFlag, EventKind
from ecgseg.pipeline.times import TICK_RATE
from ecgseg.printable import printable
from ecgseg.terminal import Table, messages

_REDRAWN_SECONDS = 0.1
# Signal behind an event's place by which it has been told: beats come 2 s behind their R at the latest.
_LATEST_SECONDS = 4.0
_FIRST_BEATS = "Looks for beats: the first few are told together, once they confirm each other."
_ROWS = 10
_MOST_COLUMNS = 120
_COLUMNS_A_SECOND = 13
_GAP = 2
_LEAST_MICROVOLTS = 400
_KEYS = "l lead, n noise, r R recording, w record, q quit"
# Bits of a Braille character, two dots wide and four high (Unicode, from U+2800 on).
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800
_LETTERS = " PQT"
# Where the recording begins again.
_JOINT, _PLAIN_JOINT, _JOINT_TOLD = "┊", ":", "begins again"
_STYLES = ("", "bright_blue", "dark_orange", "green")
_PHASES = {
    Phase.BUILDING: "builds the firmware",
    Phase.STARTING: "starts the target",
    Phase.RUNNING: "running",
    Phase.LOST: "the target is gone; it is started again",
    Phase.ENDED: "ended",
}


@contextmanager
def showing(
    session: Session, console: Console, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[], None]]:
    """Shows a session for as long as the context is open; yields what draws it, to be called after each block."""
    if not console.is_terminal:
        yield _Lines(session, console).tell
        return
    screen = Screen(session, console.width, is_plain=not console.encoding.lower().startswith("utf"))
    last = -_REDRAWN_SECONDS
    with Live(screen.drawn(), console=console, auto_refresh=False, transient=False) as live:

        def draw() -> None:
            nonlocal last
            now = clock()
            if now - last >= _REDRAWN_SECONDS:
                last = now
                live.update(screen.drawn(), refresh=True)

        try:
            yield draw
        finally:
            # Drawn once more as the context is left: that it has ended, and where a recording went.
            live.update(screen.drawn())


class Screen:
    """What stands on the terminal.

    Args:
        session: what is shown.
        width: of the terminal, characters.
        is_plain: it knows no Braille.
    """

    def __init__(self, session: Session, width: int, *, is_plain: bool = False) -> None:
        self._session, self._is_plain = session, is_plain
        self._columns = max(20, min(width, _MOST_COLUMNS) - 2)

    def drawn(self) -> Group:
        """All of it, as it is now."""
        state, tape = self._session.state, self._session.tape
        head = Text(head_line(self._session), style="bold", no_wrap=True, overflow="ellipsis")
        parts: list[Text | Table] = [head, *self._sweep(tape, state), figure_table(state.figures), _notes(state)]
        if state.trouble:
            parts.append(Text(printable(" ".join((state.trouble.what, state.trouble.remedy)).strip()), style="red"))
        return Group(*parts)

    def _sweep(self, tape: Tape, state: State) -> Iterator[Text]:
        take, head = tape.take, tape.head
        span = self._columns * take.rate // _COLUMNS_A_SECOND
        piece = tape.samples(head - span, span)
        places = np.arange(piece.first, piece.first + len(piece.values))
        lead = min(state.lead, piece.values.shape[1] - 1)
        values = piece.values[:, lead].astype(np.int32)
        # A column of dots for each half of a character; the newest are written over the oldest.
        dots = places * 2 * _COLUMNS_A_SECOND // take.rate % (2 * self._columns)
        cells = sweep_dots(values, dots, 2 * self._columns)
        end = head * _COLUMNS_A_SECOND // take.rate
        for gap in range(_GAP):
            cells[:, 2 * ((end + 1 + gap) % self._columns) : 2 * ((end + 1 + gap) % self._columns) + 2] = False
        waves = self._waves(tape, head, take.rate)
        letters = "".join(_LETTERS[wave] for wave in waves)
        marks = self._joints(state.length, take.rate, head, end)
        for number, line in enumerate((*self._characters(cells), letters)):
            shown = Text(self._marked(line, marks, is_first=not number), no_wrap=True)
            for wave, first, last in _runs(waves):
                shown.stylize(_STYLES[wave], first, last)
            yield shown

    def _joints(self, length: int, rate: int, head: int, end: int) -> list[tuple[int, int]]:
        """Columns in which the recording begins again, each with how many were written since."""
        begun = max(0, end - self._columns + _GAP + 1)
        found = (
            int(at * _COLUMNS_A_SECOND) for at in joints(length, rate, (begun - 1) / _COLUMNS_A_SECOND, head / rate)
        )
        return [(column % self._columns, end - column) for column in found if column >= begun]

    def _marked(self, line: str, marks: list[tuple[int, int]], *, is_first: bool) -> str:
        """The line with a mark in each of these columns, in the first line with words behind it."""
        characters = list(line)
        mark = _PLAIN_JOINT if self._is_plain else _JOINT
        for column, since in marks:
            words = mark + _JOINT_TOLD if is_first else mark
            for place, character in enumerate(words[: since + 1], column):
                if place < self._columns:
                    characters[place] = character
        return "".join(characters)

    def _characters(self, cells: npt.NDArray[np.bool_]) -> list[str]:
        """The dots as lines of characters."""
        blocks = cells.reshape(_ROWS, 4, self._columns, 2)
        codes = np.einsum("rdcb,db->rc", blocks, np.array(_DOTS), dtype=np.int64)
        if self._is_plain:
            return ["".join("*" if code else " " for code in row) for row in codes.tolist()]
        return ["".join(chr(_BRAILLE + code) if code else " " for code in row) for row in codes.tolist()]

    def _waves(self, tape: Tape, head: int, rate: int) -> list[int]:
        """The wave of each column, 0 for none."""
        last = head * MODEL_RATE // rate
        span = (self._columns - _GAP) * MODEL_RATE // _COLUMNS_A_SECOND
        piece = tape.classes(last - span, span)
        waves = [0] * self._columns
        for place, label in enumerate(piece.values.tolist(), piece.first):
            # No column comes twice in this span.
            if place >= last - span and 0 < label < len(_STYLES):
                waves[place * _COLUMNS_A_SECOND // MODEL_RATE % self._columns] = label
        return waves


def _runs(waves: list[int]) -> Iterator[tuple[int, int, int]]:
    """Wave, first column and the one behind the last, of each run of columns that are of a wave."""
    edges = [0, *(at for at in range(1, len(waves)) if waves[at] != waves[at - 1]), len(waves)]
    for first, last in pairwise(edges):
        if waves[first]:
            yield waves[first], first, last


def sweep_dots(values: npt.NDArray[np.int32], columns: npt.NDArray[np.int64], width: int) -> npt.NDArray[np.bool_]:
    """Which dots a signal touches, bool [rows of dots, width]: in each column from its lowest to its highest sample.

    Args:
        values: int32 [n] microvolts, LEAD_OFF for no contact.
        columns: [n] of each sample.
        width: columns.
    """
    height = 4 * _ROWS
    cells = np.zeros((height, width), np.bool_)
    here = values != LEAD_OFF
    if not here.any():
        return cells
    values, columns = values[here], columns[here]
    low, high = int(values.min()), int(values.max())
    middle, span = (low + high) / 2, max(high - low, _LEAST_MICROVOLTS)
    rows = np.rint((middle - values) * (height - 1) / span + (height - 1) / 2).astype(np.int64)
    least, most = np.full(width, height), np.full(width, -1)
    np.minimum.at(least, columns, rows)
    np.maximum.at(most, columns, rows)
    places = np.arange(height)[:, None]
    return np.asarray((places >= least) & (places <= most))


def figure_table(figures: Figures) -> Table:
    """Figures of the newest beat, in two lines of 80 columns."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    shown = {
        "HR /min": _whole(figures.heart_rate),
        "PR ms": _whole(figures.pr_ms),
        "QRS ms": _whole(figures.qrs_ms),
        "QT ms": _whole(figures.qt_ms),
        "QTc ms": _whole(figures.qtc_ms),
        "quality": "–" if figures.quality is None else f"{figures.quality} %",
        "latency": "–" if figures.latency_s is None else f"{figures.latency_s:.2f} s",
        "load": load_text(figures.load),
    }
    for name in shown:
        table.add_column(name, no_wrap=True)
    table.add_row(*shown.values(), style="bold")
    return table


def load_text(load: Load | None) -> str:
    """What a stream costs its device, short."""
    if load is None:
        return "–"
    if load.share is None:
        return f"{load.a_second / 1000:,.0f} K instr/s"
    return f"{100 * load.share:.2g} %"


def _notes(state: State) -> Text:
    load = f"; load: {state.figures.load.quality}" if state.figures.load else ""
    late = f"; {state.figures.slipped_s:.0f} s late" if state.figures.slipped_s > 1 else ""
    formula = f"QTc after {state.figures.formula}; " if state.figures.formula else ""
    signal = f"signal: {state.figures.signal}; {formula}noise: {state.noise}{load}{late}"
    return Text("\n".join((signal, _KEYS, *_written(state))), style="dim")


def _written(state: State) -> Iterator[str]:
    if state.writing or state.written:
        yield printable(f"Records to {state.writing}." if state.writing else f"Recorded: {state.written}.")


def _whole(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


class _Lines:
    """A line for each event, for a pipe or a file; how far the session is goes to the messages."""

    def __init__(self, session: Session, console: Console) -> None:
        self._session, self._console = session, console
        self._take, self._next, self._told_to = session.tape.take, 0, 0.0
        self._phase: Phase | None = None
        self._head = ""

    def tell(self) -> None:
        """Prints what is new."""
        tape, state = self._session.tape, self._session.state
        self._tell_head(state)
        take, now = tape.take, tape.head / tape.take.rate
        if take != self._take:
            is_other = take.number != self._take.number
            self._take, self._next = take, 0
            self._told_to = 0.0 if is_other else float(base_second(tape.head, take.rate))
        self._next, events = tape.events(self._next)
        for told in events:
            self._tell_joints(state.length, told.event.tick / TICK_RATE)
            line = event_line(told.event)
            if line:
                self._print(line)
        self._tell_joints(state.length, now - _LATEST_SECONDS)
        if state.phase == Phase.LOST != self._phase and state.trouble:
            self._print(printable(state.trouble.what))
        self._phase = state.phase

    def _tell_head(self, state: State) -> None:
        head = head_line(self._session)
        if head != self._head:
            self._head = head
            messages.print(head, markup=False, highlight=False, soft_wrap=True)
            if state.phase == Phase.RUNNING and not self._next:
                messages.print(_FIRST_BEATS, markup=False, highlight=False, soft_wrap=True)

    def _tell_joints(self, length: int, until: float) -> None:
        """Tells where the recording began again, in front of the first event behind it."""
        for at in joints(length, self._take.rate, self._told_to, until):
            self._print(f"{at:10.3f} s  the recording begins again")
        self._told_to = max(self._told_to, until)

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def head_line(session: Session) -> str:
    """What is shown, and how far the session is."""
    state = session.state
    lead = state.channels[state.lead] if state.channels else ""
    return f"{printable(f'{session.sources[state.source].label}, {lead}')}: {_PHASES[state.phase]}"


def event_line(event: Event) -> str:
    """An event in words; "" for one that tells nothing to a reader."""
    at = f"{event.tick / TICK_RATE:10.3f} s  "
    if event.kind == EventKind.BEAT:
        parts = [f"{event.rate_tenths / 10:5.1f}/min" if event.has(EventFlag.RR) else "     –    "]
        parts.append(f"PR {event.pr_ms:3}" if event.has(EventFlag.P_ON) else "PR   –")
        parts.append(f"QRS {event.qrs_ms:3}")
        parts.append(f"QT {event.qt_ms:3}" if event.has(EventFlag.T_OFF) else "QT   –")
        parts.append(f"QTc {event.qtc_ms:3}" if event.has(EventFlag.QTC) else "QTc   –")
        return f"{at}beat  {'  '.join(parts)}  quality {event.quality} %"
    named = {**{k: f"{v} begins" for k, v in BEGINS.items()}, **{k: f"{v} ends" for k, v in ENDS.items()}, **LOSSES}
    what = named.get(EventKind(event.kind)) if event.kind in list(EventKind) else None
    return f"{at}{what.replace('_', ' ')}" if what else ""
