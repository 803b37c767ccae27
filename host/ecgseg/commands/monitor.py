"""`invoke monitor`: a stream that is looked at while it runs, in a browser or on the terminal."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.options import (
    LudbOption,
    PortOptions,
    baud_option,
    columns_option,
    recording_rate_option,
    target_option,
    tflite_option,
    unit_option,
)
from ecgseg.commands.rules import Excludes, GoesWith, NotWith
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.models import DEFAULT_STREAM, find_model
from ecgseg.terminal import console, data, messages

if TYPE_CHECKING:
    from ecgseg.monitor.session import Session

_MOST_SPEED = 100.0
_OF_A_FILE = "Of LUDB and synthetic ECG it is known."


def _noises() -> Collection[str]:
    from ecgseg.monitor.noise import NOISES

    return NOISES


@dataclass(frozen=True)
class Options(PortOptions, LudbOption):
    """What `invoke monitor` takes."""

    target: str = target_option()
    model: str | None = option(
        f"A stream of the zoo (`invoke zoo` lists them), or of your own by path; default {DEFAULT_STREAM}.",
        Excludes(("tflite",), why="Both name a model."),
    )
    tflite: Path | None = tflite_option()
    record: tuple[Path, ...] | None = option(
        "FILE: a recording of your own, as `segment` reads it; several with --record before each. Default LUDB's first "
        "record, else synthetic ECG; the page offers all of them."
    )
    channel: str | None = option(
        "Name or number (from 0) of the lead that the target takes first; default lead II, else the first."
    )
    unit: str | None = unit_option(GoesWith(("record",), why=_OF_A_FILE))
    recording_rate: int | None = recording_rate_option(GoesWith(("record",), why=_OF_A_FILE))
    columns: str | None = columns_option(GoesWith(("record",), why=_OF_A_FILE))
    speed: str = option("Seconds of signal a second, such as 0.5 or 4; default 1.", default="1")
    noise: str = option(
        "Noise that is added: none, 'baseline wander', 'muscle artefact', 'electrode motion', 'mains hum' or "
        "'electrode off'; default none.",
        default="none",
        known=_noises,
    )
    bazett: bool = option("QTc after Bazett, not Fridericia.", default=False)
    text: bool = option("On this terminal, as over SSH, in the place of a page for a browser.", default=False)
    page_port: int = option(
        "Port of the page on 127.0.0.1; default any that is free.",
        NotWith(("text",), why="The terminal needs no port."),
        default=0,
    )
    seconds: str | None = option("Ends after so many seconds of signal; default at Ctrl-C.")
    baud: int = baud_option()
    out: Path | None = option("Folder of what the page records; default build/monitor.", output=Output.FOLDER)


def run(options: Options) -> None:
    """See a stream live: the ECG, its waves and intervals, in a browser or with --text.

    Returns:
        0 when it ran until --seconds were over, q was typed, or Ctrl-C, SIGTERM or SIGHUP ended it. A signal before the
        target has started for the first time interrupts as in every task.
    """
    from ecgseg import interruption, paths
    from ecgseg.data.recording import told_by
    from ecgseg.monitor.bench import TargetBench
    from ecgseg.monitor.session import Session, Wanted
    from ecgseg.monitor.sources import sources_of
    from ecgseg.segment.runner import require_stream
    from ecgseg.targets import TargetOptions

    wanted = Wanted(
        speed=_number(options.speed, "--speed", _MOST_SPEED),
        noise=options.noise,
        out=options.out or paths.BUILD / "monitor",
        seconds=None if options.seconds is None else _number(options.seconds, "--seconds", math.inf),
    )
    sources = sources_of(
        options.record or (),
        options.ludb,
        told_by(options.recording_rate, options.columns),
        options.channel,
        options.unit,
    )
    model = find_model(options.model or (None if options.tflite else DEFAULT_STREAM), options.tflite)
    require_stream(model)
    bench = TargetBench(
        options.target,
        model,
        TargetOptions(port=options.port, baud=options.baud, serial_number=options.serial),
        after_bazett=options.bazett,
        on_wait=None if options.text else _say,
    )
    session = Session(bench, sources, wanted)
    with interruption.ending(lambda: session.state.starts > 0):
        if options.text:
            _on_terminal(session)
        else:
            facts: dict[str, str | float] = {"model": model.name, "target": options.target, "speed": wanted.speed}
            _on_page(session, facts, options.page_port)
    _tell_end(session)


def _on_page(session: Session, facts: dict[str, str | float], port: int) -> None:
    from ecgseg.monitor.server import serving
    from ecgseg.report.monitor import render_monitor

    with serving(session, render_monitor(), facts, port) as address:
        console.print(f"Open {address}", highlight=False, soft_wrap=True)
        _say("Whoever has this address sees the stream; it is served on this computer alone. Ctrl-C ends.")
        session.run()


def _on_terminal(session: Session) -> None:
    from ecgseg.commands.monitor_keys import obey, typed
    from ecgseg.report.monitor_terminal import showing

    with typed() as keys, showing(session, console) as draw:

        def on_step() -> None:
            obey(keys(), session)
            draw()

        session.run(on_step)


def _tell_end(session: Session) -> None:
    _say("The monitor has ended.")
    for base in session.recordings:
        _say(f"Recorded: {base}.hea")
    if session.unwritten:
        raise session.unwritten


def _number(text: str, flag: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value <= most or math.isinf(value):
        limit = "" if math.isinf(most) else f", at most {most:.0f}"
        raise UsageError(f"{flag} {text} cannot be.", f"It is a number above 0{limit}.", "Correct it.")
    return value


def _say(text: str) -> None:
    messages.print(data(text), highlight=False, soft_wrap=True)
