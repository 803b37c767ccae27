"""`invoke zoo`: lists the models of the zoo or of a folder, or trains, measures and documents those of the zoo."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.choices import choose
from ecgseg.commands import train as training
from ecgseg.commands.options import MODEL, ludb_option
from ecgseg.commands.rules import GoesWith, NotWith
from ecgseg.commands.task import option, start
from ecgseg.errors import ModelError, UsageError
from ecgseg.extras import require_micro, require_tensorflow
from ecgseg.models import (
    ModelFile,
    configured_names,
    find_model,
    generated_folder,
    model_names,
    named_place,
    stream_names,
    streams_by_configuration,
)
from ecgseg.terminal import console, data, messages, tracking

_BESIDE_WORK = GoesWith(("train", "measure"), why="Without them every model is listed.", remedy="Leave it out.")


@dataclass(frozen=True)
class Options:
    """What `invoke zoo` takes."""

    train: bool = option("Train every model again from its configuration (needs TensorFlow).", default=False)
    measure: bool = option(
        "Measure --model (or all) on LUDB's test patients; writes metrics.json, card and confusion matrix.",
        default=False,
    )
    docs: bool = option("Write docs/zoo.md from the committed figures.", default=False)
    model: str | None = option(f"{MODEL} With --train or --measure: default all.", _BESIDE_WORK)
    ludb: Path | None = ludb_option(_BESIDE_WORK)
    models: Path | None = option(
        "List the models of your own in this folder instead: folders with configuration.json or model.tflite, .tflite.",
        NotWith(("train", "measure", "docs"), why="These are about the models of the zoo."),
    )


def run(options: Options) -> None:
    """List the models of the zoo, or train, measure and document them."""
    if options.models is not None:
        _list_own(options.models)
        return
    if options.train:
        _train(options)
    if options.measure:
        _measure(options)
    if options.docs:
        _document()
    if not (options.train or options.measure or options.docs):
        _list()


def _train(options: Options) -> None:
    """Trains one model of the zoo or all, one after the other; a killed run goes on where it was.

    Raises:
        ToolMissingError: TensorFlow is missing.
        ModelError: a training failed, which said why itself.
    """
    require_tensorflow()
    require_micro()
    for name in [options.model] if options.model else (*configured_names(streams=True), *configured_names()):
        if options.model or not streams_by_configuration(name):
            start(training.run, model=name, ludb=options.ludb)
        else:
            _train_apart(name, options)


def _train_apart(name: str, options: Options) -> None:
    """Trains a stream in a process of its own: it holds the instruction set still, which models of frames do not."""
    where = ["--ludb", str(options.ludb)] if options.ludb else []
    command = [sys.executable, "-m", "invoke", "train", "--model", name, *where]
    if subprocess.run(command, cwd=paths.ROOT, check=False).returncode:
        raise ModelError(f"The training of {name} failed.", "It said why above.", f"Run `invoke train --model {name}`.")


def _measure(options: Options) -> None:
    """Measures one model of the zoo, or all of them, and writes what stands beside it."""
    from ecgseg.data.databases.ludb import find_ludb

    if options.model and named_place(options.model) is not None:
        raise UsageError(
            "--measure writes the card of a model of the zoo.",
            "It tells of LUDB's test patients, which a model of your own may have been trained on.",
            f"Run `invoke evaluate --model {options.model}`; --database chooses the records.",
        )
    find_ludb(options.ludb)  # Told before TensorFlow takes its time.
    require_tensorflow()
    require_micro()
    from ecgseg.report import cards
    from ecgseg.zoo import figures

    every = (*model_names(), *stream_names())
    for name in [choose("model", options.model, every, "--model")] if options.model else every:
        with tracking() as track:
            metrics = figures.measure(name, options.ludb, track)
        for path in cards.write_card(metrics):
            messages.print(f"Wrote {path.relative_to(paths.ROOT)}")
        console.print(
            f"{name}: weighted F1 {metrics.weighted_f1:.4f} (181-200: {metrics.weighted_f1_test_heartkit:.4f}),"
            f" int8 loss {100 * metrics.int8_loss:.2f} points"
        )


def _document() -> None:
    """Writes docs/zoo.md."""
    from ecgseg.report import cards

    messages.print(f"Wrote {cards.write_zoo_page().relative_to(paths.ROOT)}")


def _list() -> None:
    """Lists the models that can be rendered and what they take."""
    from ecgseg.codegen.render import render
    from ecgseg.codegen.render_stream import render_stream
    from ecgseg.terminal import Table
    from ecgseg.zoo import configuration

    def begin(title: str, *columns: str) -> Table:
        table = Table(title=title)
        table.add_column("Model", no_wrap=True)
        for column in columns:
            table.add_column(column, justify="right", min_width=max(map(len, column.split())))
        return table

    def end(table: Table, names: Sequence[str]) -> None:
        if names:
            console.print(table)
        for name in names:
            console.print(f"{name}: {data(configuration.load(name).description)}", highlight=False)

    table = begin("Models", "Classes", "Parameters", "MACs a frame", "Arena, B", "F1")
    for name in model_names():
        chosen = find_model(name)
        manifest = render(chosen.path, generated_folder(chosen), name=name)
        numbers = (manifest.class_count, manifest.parameters, manifest.macs, manifest.arena_bytes)
        table.add_row(name, *[f"{number:,}" for number in numbers], _f1(chosen))
    end(table, model_names())
    streams = begin(
        "Models of a stream", "Parameters", "MACs a second", "State, B", "Arena, B", "Looks ahead, ms", "F1"
    )
    for name in stream_names():
        chosen, settings = find_model(name), configuration.load(name)
        stream = render_stream(chosen.path, generated_folder(chosen), name=name)
        ahead = 1000 * settings.architecture.look_ahead // settings.rate
        counts = (stream.parameters, settings.macs, stream.state_bytes, stream.arena_bytes, ahead)
        streams.add_row(name, *[f"{number:,}" for number in counts], _f1(chosen))
    if stream_names():
        console.print()
    end(streams, stream_names())
    console.print("F1: of samples, weighted, LUDB's test patients. docs/zoo.md has more.", highlight=False)


def _f1(model: ModelFile) -> str:
    """The weighted F1 that stands beside a model; a dash where it is not known of this .tflite."""
    from ecgseg.zoo.figures import read_metrics

    try:
        metrics = read_metrics(model.name)
    except ModelError:
        return "-"
    return f"{metrics.weighted_f1:.4f}" if metrics.tflite_sha256 == model.sha256 else "-"


def _list_own(folder: Path) -> None:
    """Lists the models in a folder of the user's, with what --model takes in front."""
    from ecgseg.terminal import Table
    from ecgseg.zoo.own_models import own_models

    table = Table(title=data(f"Models in {folder}"))
    for column in ("--model", "Kind", "Parameters", "MACs", "Arena, B", "Purpose"):
        left = column in ("--model", "Kind", "Purpose")
        table.add_column(column, justify="left" if left else "right")
    for model in own_models(folder):
        numbers = ["-"] * 3 if model.numbers is None else [f"{number:,}" for number in model.numbers]
        table.add_row(data(model.place), model.kind, *numbers, data(model.about))
    console.print(table)
    console.print("MACs are those of a frame, of a stream those of a second.")
