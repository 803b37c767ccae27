"""`invoke segment`: a recording of one's own through a device, to annotations, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.guard import show_error
from ecgseg.commands.options import (
    JsonOption,
    PortOptions,
    baud_option,
    channel_option,
    columns_option,
    recording_rate_option,
    target_option,
    tflite_option,
    unit_option,
)
from ecgseg.commands.rules import Excludes
from ecgseg.commands.task import Output, option
from ecgseg.errors import EcgsegError, UsageError
from ecgseg.extras import require_pyarrow
from ecgseg.interruption import Stopped, held
from ecgseg.models import DEFAULT_STREAM, find_model
from ecgseg.output import write_json
from ecgseg.printable import printable
from ecgseg.terminal import console, data, messages

if TYPE_CHECKING:
    from ecgseg.data.choice import Chosen
    from ecgseg.data.recording import Recording
    from ecgseg.segment.progress import Progress
    from ecgseg.segment.result import Done, Segmented, SegmentResult
    from ecgseg.segment.runner import SegmentOptions


# Of more signal than this there is so much to write that it takes a while.
_LONG_S = 3600.0


@dataclass(frozen=True)
class Options(PortOptions, JsonOption):
    """What `invoke segment` takes."""

    file: Path | None = option(
        "The recording: WFDB (a header, or its name without .hea), EDF, BDF, CSV, Apple Health's export, WAV, NumPy.",
        positional=True,
    )
    target: str = target_option()
    model: str | None = option(
        f"A stream of the zoo (`invoke zoo` lists them), or of your own by path; default {DEFAULT_STREAM}.",
        Excludes(("tflite",), why="Both name a model."),
    )
    tflite: Path | None = tflite_option()
    channel: str | None = channel_option()
    unit: str | None = unit_option()
    recording_rate: int | None = recording_rate_option()
    columns: str | None = columns_option()
    bazett: bool = option("QTc after Bazett, not Fridericia.", default=False)
    check: bool = option("Also compare every byte with Python; exit code 1 when one differs.", default=False)
    resume: bool = option("Go on where the same run was stopped before.", default=False)
    baud: int = baud_option()
    parquet: Path | None = option(
        "Also put the rows of the tables into this Parquet file, beside those of other recordings.", output=Output.FILE
    )
    out: Path | None = option("Folder of the results; default build/segments.", output=Output.FOLDER)


@dataclass(frozen=True)
class Places:
    """The recording's file, and where results go that are typed one by one."""

    file: Path
    json: Path | None
    parquet: Path | None


def run(options: Options) -> int:
    """Find the beats in a recording FILE of yours: WFDB annotations, tables, pictures.

    Returns:
        0 when all of it was sent; that of the signal that stopped it; that of the error that ended it; 1 when a byte
        differed from Python's. What was found until then is written all the same.
    """
    from ecgseg import paths
    from ecgseg.data.choice import choose_channels
    from ecgseg.data.opening import open_recording
    from ecgseg.data.recording import told_by
    from ecgseg.data.writers.parquet import check_parquet
    from ecgseg.segment.runner import SegmentOptions, progress_of, require_stream
    from ecgseg.targets import TargetOptions

    if options.file is None:
        raise UsageError("No recording was named.", "It stands behind the task.", "Type: invoke segment FILE")
    if options.parquet is not None:
        require_pyarrow()
        check_parquet(options.parquet)
    recording = open_recording(options.file, told_by(options.recording_rate, options.columns))
    chosen = choose_channels(recording, options.channel, options.unit)
    model = find_model(options.model or (None if options.tflite else DEFAULT_STREAM), options.tflite)
    require_stream(model)
    for line in chosen.told():
        _say(line)
    for channel in chosen.passed_over:
        _say(f"Passed over: channel {channel.label}, which is in '{channel.unit}', no voltage.")
    wanted = SegmentOptions(
        target=options.target,
        model=model,
        out=options.out or paths.BUILD / "segments",
        check=options.check,
        after_bazett=options.bazett,
        target_options=TargetOptions(port=options.port, baud=options.baud, serial_number=options.serial),
    )
    progress = progress_of(recording, chosen, wanted, resumes=options.resume)
    if options.resume:
        _say(_going_on(progress))
    with ExitStack() as kept:
        return _perform(recording, chosen, wanted, kept, Places(options.file, options.json, options.parquet), progress)


def _perform(
    recording: Recording,
    chosen: Chosen,
    options: SegmentOptions,
    kept: ExitStack,
    places: Places,
    progress: Progress,
) -> int:
    from ecgseg.report.recording import segment_bar, show_recording
    from ecgseg.segment import runner

    found: Segmented | None = None
    try:
        with segment_bar(options.target, len(chosen.channels)) as on_step:
            found = runner.run(recording, chosen, options, kept, on_step, on_wait=_say, progress=progress)
    except Stopped:
        # One that comes while the bar is taken down takes no result away; the task's guard tells of it.
        if found is None:
            raise
    # What was found is written, also when a signal comes now or a second one follows the first.
    with held():
        if sum(done.told.seconds for done in found.done) > _LONG_S:
            _say("Writes the results.")
        failed: list[EcgsegError] = []
        result = _written(recording, chosen, options, found, failed)
        if places.json:
            _tried(partial(write_json, result, places.json), failed)
        if places.parquet:
            _tried(partial(_put, places.parquet, places.file, result, found.done), failed)
        show_recording(result, console)
        if result.complete and not failed:
            _tried(progress.remove, failed)
        _tell(result, options.out, found.error, progress)
        return _exit_code(result, found, failed)


def _written(
    recording: Recording, chosen: Chosen, options: SegmentOptions, found: Segmented, failed: list[EcgsegError]
) -> SegmentResult:
    """Writes annotations, tables and pictures; what cannot be written is told and takes nothing else away."""
    from ecgseg.graph.reference import INTERPRETER
    from ecgseg.segment.files import result_files, write_results
    from ecgseg.segment.result import SegmentResult, channel_result

    files = result_files(options.out, recording.name)
    channels = [channel_result(done) for done in found.done]
    if not _tried(partial(write_results, files, found.done, chosen.rate), failed):
        files = {}
    pictures = _pictures(recording, chosen.rate, options.out, found.done, failed)
    error = found.error
    return SegmentResult(
        recording=recording.name,
        target=options.target,
        model=options.model.name,
        model_sha256=options.model.sha256,
        rate=chosen.rate,
        checked=options.check,
        oracle=INTERPRETER if options.check else "",
        complete=error is None,
        stopped_by="" if error is None else error.what if isinstance(error, EcgsegError) else str(error),
        channels=[
            channel.model_copy(update={"picture": picture}) for channel, picture in zip(channels, pictures, strict=True)
        ],
        files={kind: path.name for kind, path in files.items()},
    )


def _put(parquet: Path, file: Path, result: SegmentResult, done: list[Done]) -> None:
    """Puts the rows of the recording into a file of many."""
    from ecgseg.data.writers.parquet import Origin, put_parquet

    # Of WFDB both names are those of one recording.
    path = file.resolve().with_suffix("") if file.suffix == ".hea" else file.resolve()
    origin = Origin(
        printable(str(path)), result.recording, result.rate, result.target, result.model, result.model_sha256
    )
    put_parquet(parquet, origin, [(one.channel.number, one.told) for one in done])
    _say(f"{parquet}: the rows of {result.recording}")


def _pictures(recording: Recording, rate: int, folder: Path, done: list[Done], failed: list[EcgsegError]) -> list[str]:
    """Draws every channel; returns the names of the files, empty where it failed."""
    from ecgseg.report.strips import write_strips
    from ecgseg.segment.files import picture_names
    from ecgseg.segment.strips import sheet_of

    def draw(one: Done, name: str) -> None:
        write_strips(sheet_of(recording, one, rate), folder / name)

    names = picture_names(recording.name, done)
    return [name if _tried(partial(draw, one, name), failed) else "" for one, name in zip(done, names, strict=True)]


def _tried(make: Callable[[], None], failed: list[EcgsegError]) -> bool:
    """Makes one result; False, and the error told at the end, when that fails: the others are made all the same."""
    try:
        make()
    except EcgsegError as error:
        failed.append(error)
        return False
    return True


def _going_on(progress: Progress) -> str:
    """What --resume finds."""
    if not progress.earlier:
        return "Nothing is left of an earlier run: it begins at the start."
    count = len(progress.earlier)
    return f"Goes on behind {count} section{'s' if count > 1 else ''} of an earlier run."


def _tell(result: SegmentResult, folder: Path, error: EcgsegError | Stopped | None, progress: Progress) -> None:
    pictures = [channel.picture for channel in result.channels if channel.picture]
    shown = [*result.files.values(), *pictures[:1], *([f"{len(pictures) - 1} more .png"] if len(pictures) > 1 else [])]
    if shown:
        _say(f"{folder}: {', '.join(shown)}")
    if not result.complete:
        ended = f"{result.stopped_by} " if isinstance(error, Stopped) else ""
        _say(f"{ended}Not all of the recording was sent: the results end where it stopped; signal.csv tells where.")
        if progress.is_begun:
            _say("The same command with --resume goes on.")


def _say(text: str) -> None:
    messages.print(data(text), highlight=False, soft_wrap=True)


def _exit_code(result: SegmentResult, found: Segmented, failed: list[EcgsegError]) -> int:
    for error in failed:
        show_error(error)
    if isinstance(found.error, EcgsegError):
        show_error(found.error)
    if any(channel.difference for channel in result.channels):
        return 1
    if found.error is not None:
        return found.error.exit_code
    return failed[0].exit_code if failed else 0
