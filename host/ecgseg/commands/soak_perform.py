"""A soak from the options to the exit code: run, write, print."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg import paths
from ecgseg.commands.command_line import as_typed
from ecgseg.commands.hil_perform import Places, exit_code, say, to_go_on_with, tried, waiting
from ecgseg.files import safe_name
from ecgseg.interruption import Stopped, held
from ecgseg.models import find_model
from ecgseg.output import discard, write_json, write_text
from ecgseg.terminal import console

if TYPE_CHECKING:
    from ecgseg.hil.soak.journal import SoakJournal
    from ecgseg.hil.soak.ready import SoakOptions
    from ecgseg.hil.soak.runner import SoakRun
    from ecgseg.runs.folder import RunFolder

_RUN, _KEPT_PAGE = "Run", "Page of the run"
_TASK = "soak"


def perform_soak(options: SoakOptions, places: Places, *, resume: bool = False) -> int:
    """Runs a soak under a bar, says what came of it, and writes it.

    Args:
        options: what, where and how long.
        places: for results, beside the folder of the run.
        resume: go on with a soak of the same that was stopped, where there is one.

    Returns:
        The exit code: 0 when every byte is equal and nothing grows; 1 when a byte differs or something grows; that
        of the signal or the error that ended it early.

    Raises:
        EcgsegError: it came to nothing.
    """
    from ecgseg.hil.soak.journal import SoakJournal
    from ecgseg.hil.soak.ready import require_frames
    from ecgseg.hil.soak.runner import run
    from ecgseg.report.progress import soak_bar
    from ecgseg.runs.folder import begin

    tested = options.tested
    model = find_model(tested.model, tested.tflite)
    require_frames(model)
    name = model.name
    report = places.html or paths.REPORTS / f"soak-{tested.target}-{safe_name(name)}.html"
    discard(report)
    fingerprint = _fingerprint(options)
    earlier = to_go_on_with(fingerprint) if resume else None
    kept = earlier or begin(_TASK, name, tested.target, as_typed(sys.argv), fingerprint)
    options = replace(options, tested=replace(tested, vectors=kept.vectors))
    journal = SoakJournal(kept.journal, resumes=earlier is not None)
    say(f"Kept in {kept.path}")
    say("Ctrl-C ends it and tells what came of it so far.")
    try:
        finished: SoakRun | None = None
        try:
            with soak_bar(tested.target) as on_step:
                finished = run(options, journal, on_step, waiting("--faulty") if options.faulty else say)
        except Stopped:
            if finished is None:
                raise
        return _ended(finished, kept, replace(places, html=report), journal)
    except BaseException:
        if earlier is None and not kept.result.exists():
            kept.forget()
        raise
    finally:
        journal.close()


def _fingerprint(options: SoakOptions) -> str:
    """Of what is asked for; one that is to be longer is the same."""
    asked = replace(options, hours=None, frames=None)
    return hashlib.sha256(repr((_TASK, asked)).encode()).hexdigest()


def _ended(finished: SoakRun, kept: RunFolder, places: Places, journal: SoakJournal) -> int:
    """Writes and says what came of a soak; its exit code."""
    from ecgseg.report.soak import show_soak

    result = finished.result.model_copy(update={"provenance": kept.about.provenance})
    finished = replace(finished, result=result)
    with held():
        steps = list(_steps(finished, kept, places))
        written = {name: tried(f"'{path}'", partial(write, path)) for name, path, write in steps}
        if written[_RUN] is None and _is_settled(finished):
            journal.remove()
        shown = tried("The summary", partial(show_soak, result, console))
        for name, path, _ in steps:
            if written[name] is None and name != _KEPT_PAGE:
                say(f"{name}: {path}")
        if result.windows and kept.journal.exists():
            say("The same command with --resume goes on.")
        return exit_code(finished, [error for error in (*written.values(), shown) if error is not None])


def _is_settled(finished: SoakRun) -> bool:
    """Whether nothing is left to go on with."""
    stopped = isinstance(finished.error, Stopped)
    return finished.error is None or (finished.result.verdict == "fail" and not stopped)


def _steps(finished: SoakRun, kept: RunFolder, places: Places) -> Iterator[tuple[str, Path, Callable[[Path], None]]]:
    """What is written: its name, where to, and how."""
    from ecgseg.report.soak import render_soak

    result = finished.result

    def write_page(path: Path) -> None:
        write_text(path, render_soak(result))

    yield _RUN, kept.path, lambda _: kept.end_soak(result)
    if places.json:
        yield "JSON", places.json, lambda path: write_json(result, path)
    if places.html:
        yield "Report", places.html, write_page
    yield _KEPT_PAGE, kept.report, write_page
