"""A HIL test from the options to the exit code: run, write, print."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ecgseg import paths
from ecgseg.commands.command_line import as_typed
from ecgseg.commands.guard import show_error
from ecgseg.errors import OutputError
from ecgseg.files import safe_name
from ecgseg.interruption import Stopped, held
from ecgseg.models import find_model
from ecgseg.output import discard, write_json, write_text
from ecgseg.terminal import console, data, messages

if TYPE_CHECKING:
    from ecgseg.commands.hil_kinds import Frames, Stream
    from ecgseg.data.inputs import Inputs
    from ecgseg.hil.journal import Journal
    from ecgseg.hil.result import HilRun
    from ecgseg.hil.runner import HilOptions, OnStep
    from ecgseg.hil.soak.runner import SoakRun
    from ecgseg.hil.stream_result import StreamRun
    from ecgseg.link.transport import OnWait
    from ecgseg.runs.folder import RunFolder

Finished = TypeVar("Finished")
_RUN, _KEPT_PAGE = "Run", "Page of the run"


@dataclass(frozen=True)
class Places:
    """Where results of a test go beside the folder in which the run is kept.

    Attributes:
        html: the report; None: build/reports/hil-<target>-<model>.html.
        json: the result for machines.
        picture: a PNG of a lead.
        junit: the verdicts of leads for a CI.
    """

    html: Path | None = None
    json: Path | None = None
    picture: Path | None = None
    junit: Path | None = None


def perform(
    tested: HilOptions,
    places: Places | None = None,
    *,
    inputs: Inputs | None = None,
    is_stream: bool = False,
    task: str = "hil-test",
    resume: bool = False,
) -> int:
    """Runs a HIL test under a bar, says what came of it, and writes it.

    Args:
        tested: what is tested, and where.
        places: for results, beside the folder of the run.
        inputs: what is sent, in the place of the records and leads of `tested`.
        is_stream: the model is one of a stream.
        task: that the run is kept as one of.
        resume: go on with a run of the same that was stopped, where there is one.

    Returns:
        The exit code: 0 only when every byte is equal, that of the signal that stopped it, 1 when a byte is not equal,
        whatever else went wrong, that of the error when the test could not be finished. What was compared until then is
        written all the same, the JSON first.
    """
    from ecgseg.runs.folder import begin

    places, name = places or Places(), _model_name(tested)
    report = places.html or paths.REPORTS / f"hil-{tested.target}-{safe_name(name)}.html"
    discard(report)
    fingerprint = _fingerprint(task, tested, inputs)
    earlier = to_go_on_with(fingerprint) if resume else None
    kept = earlier or begin(task, name, tested.target, as_typed(sys.argv), fingerprint)
    tested = _keeping(tested, kept, resumes=earlier is not None)
    try:
        test = _tested(tested, kept, inputs, is_stream=is_stream)
        return _ended(test, kept, replace(places, html=report), tested.journal)
    finally:
        tested.journal.close()


def _ended(test: Frames | Stream, kept: RunFolder, places: Places, journal: Journal) -> int:
    """Writes and says what came of a test; its exit code."""
    result, steps = test.finished.result, list(_steps(test, kept, places))
    # What was compared is written, also when a signal comes now or a second one follows the first, and before anything
    # is shown: a terminal that is gone takes no result away.
    with held():
        written = {name: tried(f"'{path}'", partial(write, path)) for name, path, write in steps}
        if written[_RUN] is None and _is_settled(test.finished):
            journal.remove()
        shown = tried("The summary", partial(test.show, console))
        if shown:
            say(f"{result.verdict.upper()}: {test.reached}")
        for name, path, _ in steps:
            if written[name] is None and name != _KEPT_PAGE:
                say(f"{name}: {path}")
        if result.by_lead and kept.journal.exists():
            say("The same command with --resume goes on.")
        return exit_code(test.finished, [error for error in (*written.values(), shown) if error is not None])


def _is_settled(finished: HilRun | StreamRun) -> bool:
    """Whether nothing is left to go on with: it came to its end, or the device ended it with what is a difference."""
    stopped = isinstance(finished.error, Stopped)
    return finished.error is None or (finished.result.verdict == "fail" and not stopped)


def _steps(
    test: Frames | Stream, kept: RunFolder, places: Places
) -> Iterator[tuple[str, Path, Callable[[Path], None]]]:
    """What is written: its name, where to, and how."""
    from ecgseg.report.junit import write_junit
    from ecgseg.report.picture import pictured, write_picture

    result, shown = test.finished.result, test.finished.shown

    pages: list[str] = []

    def write_page(path: Path) -> None:
        pages.append(test.page())
        write_text(path, pages[0])

    def keep_page(path: Path) -> None:
        # One that could not be made has been told.
        for page in pages:
            write_text(path, page)

    yield _RUN, kept.path, lambda _: kept.end(result)
    if places.json:
        yield "JSON", places.json, lambda path: write_json(result, path)
    if places.html:
        yield "Report", places.html, write_page
    yield _KEPT_PAGE, kept.report, keep_page
    if places.junit:
        yield "JUnit", places.junit, lambda path: write_junit(result, path)
    if places.picture and shown:
        yield "Picture", places.picture, lambda path: write_picture(pictured(shown), result, path)


def _fingerprint(task: str, tested: HilOptions, inputs: Inputs | None) -> str:
    """Of what is asked for: the same for the same command, whatever its results are called."""
    sent = None if inputs is None else (inputs.source, inputs.records, inputs.leads, inputs.names, inputs.named)
    return hashlib.sha256(repr((task, tested, sent)).encode()).hexdigest()


def _keeping(tested: HilOptions, kept: RunFolder, *, resumes: bool) -> HilOptions:
    """The same test, what it leaves on its way going to the folder of its run."""
    from ecgseg.hil.journal import Journal
    from ecgseg.hil.vectors import VECTORS

    if tested.vectors == VECTORS:
        tested = replace(tested, vectors=kept.vectors)
    if tested.inject or tested.replay:
        return tested
    return replace(tested, journal=Journal(kept.journal, resumes))


def to_go_on_with(fingerprint: str) -> RunFolder | None:
    """The run of the same that was stopped, and says whether there is one."""
    from ecgseg.runs.folder import stopped

    found = stopped(fingerprint)
    say(f"Goes on with {found.path}." if found else "There is nothing to go on with: all is sent.")
    return found


def _tested(tested: HilOptions, kept: RunFolder, inputs: Inputs | None, *, is_stream: bool) -> Frames | Stream:
    """Runs the test; one that comes to nothing leaves no folder, unless it was there before."""
    from ecgseg.commands.hil_kinds import Frames, Stream

    origin = {"provenance": kept.about.provenance}
    try:
        if is_stream:
            stream = _run(tested, partial(Stream.run, tested, inputs=inputs))
            return Stream(replace(stream, result=stream.result.model_copy(update=origin)))
        frames = _run(tested, partial(Frames.run, tested, inputs=inputs))
        return Frames(replace(frames, result=frames.result.model_copy(update=origin)))
    except BaseException:
        if not tested.journal.resumes:
            kept.forget()
        raise


def _run(tested: HilOptions, run: Callable[[OnStep, OnWait], Finished]) -> Finished:
    """Runs the test under its bar."""
    from ecgseg.report.progress import hil_bar

    finished: Finished | None = None
    try:
        with hil_bar(tested.target) as on_step:
            finished = run(on_step, waiting("--inject") if tested.inject else say)
    except Stopped:
        # One that comes while the bar is taken down takes no result away; the task's guard tells of it.
        if finished is None:
            raise
    return finished


def tried(what: str, make: Callable[[], None]) -> OutputError | None:
    """Makes one result; the error when that fails: the others are made all the same, and the verdict stands."""
    try:
        make()
    except OutputError as error:
        return error
    except BrokenPipeError:
        raise
    except Exception as error:  # Whatever drawing comes to.
        return OutputError(
            f"{what} could not be made.",
            f"{type(error).__name__}: {error}",
            "The verdict is not touched by it. It is a mistake of this program: please report it with the JSON.",
        )
    return None


def waiting(option: str) -> OnWait:
    """What says that an answer does not come where faults are asked for: once, for it is what they are for.

    Args:
        option: that asks for them.
    """
    told: list[str] = []

    def on_wait(what: str) -> None:
        if not told:
            told.append(what)
            say(what)
            say(f"  {option} loses requests and answers, so it is expected; they are sent again.")
            say("  It is told this once. How many were sent again stands in the result.")

    return on_wait


def say(text: str) -> None:
    """Says a line beside the work."""
    messages.print(data(text), highlight=False, soft_wrap=True)


def _model_name(tested: HilOptions) -> str:
    """What the model is called; a kept vector names its own."""
    from ecgseg.hil import vectors

    if tested.replay is None or tested.tflite is not None:
        return find_model(tested.model, tested.tflite).name
    named = vectors.load(tested.replay).model
    return Path(named).stem if Path(named).is_absolute() else find_model(named).name


def exit_code(finished: HilRun | StreamRun | SoakRun, failed: list[OutputError]) -> int:
    """Exit code of a test; prints the error that ended it, and what could not be written."""
    for error in failed:
        show_error(error)
    if isinstance(finished.error, Stopped):
        return finished.error.exit_code
    if finished.error is not None:
        show_error(finished.error)
    if finished.result.verdict == "fail":
        return 1
    if finished.error is not None:
        return finished.error.exit_code
    if finished.result.verdict != "pass":
        return 1
    return failed[0].exit_code if failed else 0
