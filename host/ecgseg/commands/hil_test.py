"""`invoke hil-test`: what it takes, and which test that is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.hil_perform import Places, perform, say
from ecgseg.commands.options import (
    BackendOptions,
    JsonOption,
    ModelOptions,
    OptimiseOption,
    PortOptions,
    RecordOptions,
    baud_option,
    channel_option,
    columns_option,
    database_option,
    model_option,
    on_a_board,
    recording_rate_option,
    target_option,
    tflite_option,
    unit_option,
)
from ecgseg.commands.rules import Excludes, GoesWith, NotWith
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.files import is_file
from ecgseg.models import find_model, named_place

if TYPE_CHECKING:
    from ecgseg.data.inputs import Inputs
    from ecgseg.hil.runner import HilOptions


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


_BESIDE_A_RIG = (
    *("target", "model", "tflite", "records", "leads", "baud", "stream", "database", "peers", "replay", "input"),
    *("channel", "unit", "recording_rate", "columns", "inject", "seed", "backend", "tflm_dir", "optimise", "port"),
    "serial",
)


def _is_device(port: str) -> bool:
    from ecgseg.link.ports import is_remote

    return not is_remote(port)


@dataclass(frozen=True)
class Options(ModelOptions, RecordOptions, BackendOptions, OptimiseOption, PortOptions, JsonOption):
    """What `invoke hil-test` takes."""

    target: str = target_option()
    model: str | None = model_option(NotWith(_ECG, why=_DRAWN_INPUTS, when=_own_takes_no_ecg))
    tflite: Path | None = tflite_option(NotWith(_ECG, why=_DRAWN_INPUTS, when=_takes_no_ecg))
    baud: int = baud_option()
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
        "FILE: a recording of your own, of any format that `segment` reads; several with --input before each.",
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
    port: str | None = option(
        "Serial port of a real board, e.g. /dev/ttyACM0; needed when there are several. Or the address of a port"
        " behind another machine, socket://HOST:PORT or rfc2217://HOST:PORT, where any target runs already.",
        on_a_board("A process is started there, which brings its own port.", when=_is_device),
    )
    rig: Path | None = option(
        "Test all targets that a file names at once (docs/rig.md).",
        NotWith(_BESIDE_A_RIG, why="The file tells it of each target."),
    )
    resume: bool = option(
        "Go on where the same test was stopped before.",
        NotWith(("inject",), why="Which bytes are hit depends on all that were sent before."),
        NotWith(("replay",), why="A kept vector is one lead."),
        default=False,
    )
    seed: int = option(
        "Which bytes --inject hits; default 1.",
        GoesWith(("inject",), why="It chooses the faults that are put into the line."),
        default=1,
    )
    html: Path | None = option("Where the HTML report goes; default build/reports/.", output=Output.RESULT)
    junit: Path | None = option("Also write JUnit XML, a test case for each lead, for a CI.", output=Output.RESULT)


def run(options: Options) -> int:
    """Stream ECG over serial and compare every byte with Python.

    Returns:
        0 only when every byte is equal; that of the signal that stopped it; 1 when a byte differs or the device is
        another than was asked for, whatever else went wrong; else that of the error that ended it. Of a rig the
        same over all of its tests. What was compared until then is written all the same.
    """
    if options.rig is not None:
        from ecgseg.commands.rig_perform import perform_rig

        places = Places(html=options.html, json=options.json, junit=options.junit)
        return perform_rig(options.rig, places, options.ludb, resume=options.resume)
    return _test(options)


def _test(options: Options) -> int:
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
    places = Places(html=options.html, json=options.json, junit=options.junit)
    return perform(tested, places, inputs=inputs, is_stream=is_stream, resume=options.resume)


def _of_files(files: tuple[Path, ...], options: Options) -> Inputs:
    from ecgseg.data.inputs_files import inputs_of_files
    from ecgseg.data.recording import told_by

    told = told_by(options.recording_rate, options.columns)
    inputs = inputs_of_files(files, told, options.channel, options.unit)
    for line in inputs.told():
        say(line)
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
