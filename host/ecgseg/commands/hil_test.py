"""`invoke hil-test`: run, print, write, exit code."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ecgseg import paths
from ecgseg.commands.guard import show_error
from ecgseg.commands.options import (
    BackendOptions,
    JsonOption,
    ModelOptions,
    OptimiseOption,
    PortOptions,
    RecordOptions,
    channel_option,
    columns_option,
    database_option,
    default_baud,
    default_target,
    model_option,
    on_a_board,
    recording_rate_option,
    tflite_option,
    unit_option,
)
from ecgseg.commands.rules import Excludes, GoesWith, NotWith
from ecgseg.commands.task import Output, option
from ecgseg.errors import OutputError, UsageError
from ecgseg.files import is_file, safe_name
from ecgseg.interruption import Stopped, held
from ecgseg.models import find_model, named_place
from ecgseg.output import discard, write_json
from ecgseg.terminal import console, data, messages

if TYPE_CHECKING:
    from ecgseg.commands.hil_kinds import Frames, Stream
    from ecgseg.data.inputs import Inputs
    from ecgseg.hil.result import HilRun
    from ecgseg.hil.runner import HilOptions, OnStep
    from ecgseg.hil.stream_result import StreamRun
    from ecgseg.link.transport import OnWait

Finished = TypeVar("Finished")


def _targets() -> Collection[str]:
    from ecgseg.targets import targets

    return sorted(targets())


def _takes_no_ecg(tflite: Path) -> bool:
    from ecgseg.codegen.render_delineator import delineates
    from ecgseg.graph.ends import ends_of
    from ecgseg.graph.load import load_tflite, read_model

    return not any(ends_of(load_tflite(tflite)).segmenter_shape) and not delineates(read_model(tflite))


def _own_takes_no_ecg(model: str) -> bool:
    # A file that is not there is told where it is read.
    return named_place(model) is not None and is_file(path := find_model(model).path) and _takes_no_ecg(path)


_ECG = ("records", "leads", "ludb", "database", "input")
_OF_FILES = GoesWith(("input",), why="It says something about a recording of your own.")
_DRAWN_INPUTS = "The model is no segmenter: it is sent int8 inputs drawn at random."


@dataclass(frozen=True)
class Options(ModelOptions, RecordOptions, BackendOptions, OptimiseOption, PortOptions, JsonOption):
    """What `invoke hil-test` takes."""

    target: str = option(
        "Where it runs: host (sanitizers), qemu, apollo4p-sim or apollo4p (the board); default qemu.",
        default=default_target,
        known=_targets,
    )
    model: str | None = model_option(NotWith(_ECG, why=_DRAWN_INPUTS, when=_own_takes_no_ecg))
    tflite: Path | None = tflite_option(NotWith(_ECG, why=_DRAWN_INPUTS, when=_takes_no_ecg))
    baud: int = option(
        "Its baud rate; default 115200.", on_a_board("Nothing is sent over a wire there."), default=default_baud
    )
    stream: bool = option(
        "The model has to be one of a stream; without it the model tells what it is.",
        NotWith(("replay",), why="A kept vector tells by its model what it is of."),
        default=False,
    )
    database: str | None = database_option(
        "Where the ECG comes from: ludb, qtdb, synthetic or FILE.toml of your own (docs/data.md);"
        " default LUDB where there is one, else synthetic."
    )
    peers: bool = option(
        "Of a stream: also score NeuroKit2 (dwt, prominence) on the same leads.",
        NotWith(("replay",), why="A kept vector has no annotation to score against."),
        default=False,
    )
    replay: Path | None = option(
        "Run a kept vector (.npz) again instead.",
        # Its model's file may be named anew: a vector of a file that has moved says to do so.
        Excludes(("model",), why="Both name a model."),
        NotWith(_ECG, why="A kept vector holds the ECG that is sent."),
    )
    input: tuple[Path, ...] | None = option(
        "A recording of your own, of any format that `invoke segment` reads; several with --input before each.",
        NotWith(
            ("records", "leads", "ludb", "database", "peers"),
            why="They are about databases, which are annotated; a recording of your own is compared with Python alone.",
        ),
    )
    channel: str | None = channel_option(_OF_FILES)
    unit: str | None = unit_option(_OF_FILES)
    recording_rate: int | None = recording_rate_option(_OF_FILES)
    columns: str | None = columns_option(_OF_FILES)
    inject: str | None = option(
        "Faults put into the line: drop, flip, dup, insert (share of the bytes), delay, cut (every so often dead for "
        "1 s), e.g. drop=1e-3,flip=1e-3,delay=5ms,cut=60s."
    )
    seed: int = option(
        "Which bytes --inject hits; default 1.",
        GoesWith(("inject",), why="It chooses the faults that are put into the line."),
        default=1,
    )
    html: Path | None = option("Where the HTML report goes; default build/reports/.", output=Output.RESULT)


def run(options: Options) -> int:
    """Stream ECG over serial and compare every byte with Python.

    Returns:
        As :func:`perform`.
    """
    from ecgseg.data.inputs import inputs_of
    from ecgseg.hil.inject import parse_faults
    from ecgseg.hil.runner import HilOptions
    from ecgseg.targets import TargetOptions

    tested = HilOptions(
        target=options.target,
        model=options.model,
        tflite=options.tflite,
        ludb=options.ludb,
        replay=options.replay,
        backend=options.backend,
        tflm_dir=options.tflm_dir,
        optimise=options.optimise,
        inject=None if options.inject is None else parse_faults(options.inject, options.seed),
        target_options=TargetOptions(port=options.port, baud=options.baud, serial_number=options.serial),
        peers=options.peers,
    )
    is_stream = _is_stream(tested, options)
    inputs: Inputs | None = None
    if options.input:
        inputs = _of_files(options.input, options)
    elif options.database:
        inputs = inputs_of(options.database, options.records, options.leads, options.ludb).for_comparison()
    else:
        tested = _with_records(tested, options)
    return perform(tested, html=options.html, json=options.json, inputs=inputs, is_stream=is_stream)


def _of_files(files: tuple[Path, ...], options: Options) -> Inputs:
    from ecgseg.data.inputs_files import inputs_of_files
    from ecgseg.data.recording import told_by

    told = told_by(options.recording_rate, options.columns)
    inputs = inputs_of_files(files, told, options.channel, options.unit)
    for line in inputs.told():
        _say(line)
    return inputs


def _with_records(tested: HilOptions, options: Options) -> HilOptions:
    from ecgseg.data.databases.ludb import parse_leads, parse_records

    return replace(tested, records=parse_records(options.records), leads=parse_leads(options.leads))


def _is_stream(tested: HilOptions, options: Options) -> bool:
    """Whether the model is one of a stream.

    Raises:
        DataError, ModelError: a vector that is to be replayed cannot be read, or its model has changed.
        ModelError: it is not, and --stream says that it has to be.
        UsageError: --peers with a model of frames.
    """
    from ecgseg.hil import vectors
    from ecgseg.hil.runner import replayed_model
    from ecgseg.hil.stream_runner import is_stream, require_stream

    if tested.replay is not None:
        return is_stream(replayed_model(vectors.load(tested.replay), tested))
    model = find_model(tested.model, tested.tflite)
    if options.stream:
        require_stream(model)
    found = is_stream(model)
    if options.peers and not found:
        raise UsageError(
            "--peers goes with a model of a stream.",
            f"{model.name} segments frames, and a test of frames compares bytes alone.",
            "Leave it out, or see `invoke evaluate --peers` for a model of frames.",
        )
    return found


def perform(
    tested: HilOptions,
    *,
    html: Path | None = None,
    json: Path | None = None,
    picture: Path | None = None,
    inputs: Inputs | None = None,
    is_stream: bool = False,
) -> int:
    """Runs a HIL test under a bar, says what came of it, and writes it.

    Args:
        tested: what is tested, and where.
        html: where the report goes; None: build/reports/hil-<target>-<model>.html.
        json: where the result goes for machines.
        picture: where a PNG of the last lead in the report goes.
        inputs: what is sent, in the place of the records and leads of `tested`.
        is_stream: the model is one of a stream.

    Returns:
        The exit code: 0 only when every byte is equal, that of the signal that stopped it, 1 when a byte is not equal,
        whatever else went wrong, that of the error when the test could not be finished. What was compared until then is
        written all the same, the JSON first.
    """
    from ecgseg.report.picture import write_picture

    report = html or paths.REPORTS / f"hil-{tested.target}-{safe_name(_model_name(tested))}.html"
    discard(report)
    test = _tested(tested, inputs, is_stream=is_stream)
    result = test.finished.result
    shown_leads = test.finished.shown
    steps: list[tuple[str, Path | None, Callable[[Path], None]]] = [
        ("JSON", json, lambda path: write_json(result, path)),
        ("Report", report, test.write_report),
        ("Picture", picture if shown_leads else None, lambda path: write_picture(shown_leads[-1], result, path)),
    ]
    # What was compared is written, also when a signal comes now or a second one follows the first, and before anything
    # is shown: a terminal that is gone takes no result away.
    with held():
        written = {name: _tried(f"'{path}'", partial(write, path)) for name, path, write in steps if path is not None}
        shown = _tried("The summary", partial(test.show, console))
        if shown:
            _say(f"{result.verdict.upper()}: {test.reached}")
        for name, path, _ in steps:
            if name in written and written[name] is None:
                _say(f"{name}: {path}")
        return _exit_code(test.finished, [error for error in (*written.values(), shown) if error is not None])


def _tested(tested: HilOptions, inputs: Inputs | None, *, is_stream: bool) -> Frames | Stream:
    from ecgseg.commands.hil_kinds import Frames, Stream

    if is_stream:
        return Stream(_run(tested.target, partial(Stream.run, tested, inputs=inputs)))
    return Frames(_run(tested.target, partial(Frames.run, tested, inputs=inputs)))


def _run(target: str, run: Callable[[OnStep, OnWait], Finished]) -> Finished:
    """Runs the test under its bar."""
    from ecgseg.report.progress import hil_bar

    finished: Finished | None = None
    try:
        with hil_bar(target) as on_step:
            finished = run(on_step, _say)
    except Stopped:
        # One that comes while the bar is taken down takes no result away; the task's guard tells of it.
        if finished is None:
            raise
    return finished


def _tried(what: str, make: Callable[[], None]) -> OutputError | None:
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


def _say(text: str) -> None:
    messages.print(data(text), highlight=False, soft_wrap=True)


def _model_name(tested: HilOptions) -> str:
    """What the model is called; a kept vector names its own."""
    from ecgseg.hil import vectors

    if tested.replay is None or tested.tflite is not None:
        return find_model(tested.model, tested.tflite).name
    named = vectors.load(tested.replay).model
    return Path(named).stem if Path(named).is_absolute() else find_model(named).name


def _exit_code(finished: HilRun | StreamRun, failed: list[OutputError]) -> int:
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
