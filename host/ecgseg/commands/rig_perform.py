"""A rig from its file to the exit code: build, run all tests, write, print."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.command_line import as_typed
from ecgseg.commands.guard import show_error
from ecgseg.commands.hil_perform import Places, say, tried
from ecgseg.errors import EcgsegError
from ecgseg.interruption import held
from ecgseg.output import write_bytes, write_json, write_text
from ecgseg.terminal import console, data

if TYPE_CHECKING:
    from ecgseg.hil.rig.file import RigFile
    from ecgseg.hil.rig.jobs import Job
    from ecgseg.hil.rig.result import RigResult
    from ecgseg.runs.folder import RunFolder

INVOKE = (sys.executable, "-m", "invoke")
_TESTS = "tests"


def perform_rig(file: Path, places: Places, ludb: Path | None = None, *, resume: bool = False) -> int:
    """Tests all targets of a rig at once under a table, says what came of it, and writes it.

    Args:
        file: names the targets.
        places: for results, beside the folder of the run.
        ludb: as --ludb of every test.
        resume: as --resume of every test without faults in its line.

    Returns:
        The exit code: 0 when every test passed, that of the signal that stopped it, 1 when a byte of any test
        differed, else that of the first test without a verdict, or of a result that could not be written.

    Raises:
        DataError: the file is not valid.
        UsageError, ModelError: a model is not there.
        OutputError: the folder of the run could not be made.
    """
    from ecgseg.hil.rig.file import read_rig_file
    from ecgseg.hil.rig.jobs import jobs_of
    from ecgseg.runs.folder import begin

    rig = read_rig_file(file)
    shared = ("--ludb", str(ludb)) if ludb is not None else ()
    # Wrong models are told before a folder is made.
    jobs_of(rig, file.parent, INVOKE)
    kept = begin("hil-test --rig", file.stem, "rig", as_typed(sys.argv))
    try:
        files = (kept.path / _TESTS).absolute()
        files.mkdir()
        jobs = jobs_of(rig, files, INVOKE, shared, resume=resume)
        _build(rig)
        result = _run(file, jobs, kept)
    except BaseException:
        kept.forget()
        raise
    return _ended(result, jobs, kept, places)


def _build(rig: RigFile) -> None:
    """Builds each image once and one after the other, so that tests of one model do not build it side by side."""
    from ecgseg.image.backends import render_and_build
    from ecgseg.models import find_model
    from ecgseg.targets import target_of

    wanted = {(target_of(target.target).board, model): None for target in rig.target for model in target.models}
    for board, model in wanted:
        say(f"Builds {model} for {board}.")
        # What does not build is told by the tests of it; the others go on.
        with suppress(EcgsegError):
            render_and_build(board, find_model(model))


def _run(file: Path, jobs: Sequence[Job], kept: RunFolder) -> RigResult:
    from ecgseg.hil.rig.processes import run_jobs
    from ecgseg.hil.rig.result import RigResult
    from ecgseg.report.rig import rig_table

    with rig_table() as on_change:
        ran = run_jobs(jobs, on_change)
    stopped = None if ran.stopped is None else (str(ran.stopped), ran.stopped.exit_code)
    result = RigResult.of(str(file), ran.runs, ran.seconds, stopped)
    return result.model_copy(update={"provenance": kept.about.provenance})


def _ended(result: RigResult, jobs: Sequence[Job], kept: RunFolder, places: Places) -> int:
    """Writes and says what came of a rig; its exit code."""
    from ecgseg.report.rig import counts, show_rig

    # Also when a signal comes now.
    with held():
        steps = _steps(result, jobs, kept, places)
        written = [(name, path, tried(f"'{path}'", partial(write, path))) for name, path, write in steps]
        shown = tried("The summary", partial(show_rig, result, console))
        console.print(f"{result.verdict.upper()}: {data(counts(result))}.", highlight=False)
        for name, path, error in written:
            if error is None:
                say(f"{name}: {path}")
        errors = [error for error in (*(error for _, _, error in written), shown) if error is not None]
        for error in errors:
            show_error(error)
        return result.exit_code or (errors[0].exit_code if errors else 0)


def _steps(
    result: RigResult, jobs: Sequence[Job], kept: RunFolder, places: Places
) -> Iterator[tuple[str, Path, Callable[[Path], None]]]:
    """What is written: its name, where to, and how."""
    from ecgseg.report.junit import render_rig_junit
    from ecgseg.report.rig import render_rig

    files = kept.path.absolute()

    def write_page(path: Path) -> None:
        write_text(path, render_rig(result, files, path.absolute().parent))

    yield "Run", kept.path, lambda _: kept.end_rig(result)
    if places.json:
        yield "JSON", places.json, lambda path: write_json(result, path)
    yield "Report", kept.report, write_page
    if places.html:
        yield "Report", places.html, write_page
    if places.junit:
        found = [job.result() for job in jobs]
        yield "JUnit", places.junit, lambda path: write_bytes(path, render_rig_junit(result, found))
