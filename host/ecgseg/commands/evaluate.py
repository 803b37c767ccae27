"""`invoke evaluate`: scores a model as the device runs it, or its recipe on all patients."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecgseg.commands.command_line import as_typed
from ecgseg.commands.options import JsonOption, ModelOptions, RecordOptions, database_option, on_option
from ecgseg.commands.rules import Excludes, GoesWith, NotWith
from ecgseg.commands.task import Output, option
from ecgseg.errors import UsageError
from ecgseg.extras import require_dask, require_micro, require_neurokit, require_tensorflow
from ecgseg.models import DEFAULT_MODEL, ModelFile, find_model
from ecgseg.output import write_json, write_text
from ecgseg.terminal import console, data, messages, tracking

if TYPE_CHECKING:
    from ecgseg.scoring.evaluate import Delineator, Twin


@dataclass(frozen=True)
class Options(ModelOptions, RecordOptions, JsonOption):
    """What `invoke evaluate` takes."""

    database: str | None = database_option(
        "Database of the records: ludb, qtdb (records given, fold-1, sel301, ...), synthetic or FILE.toml of your own"
        " (docs/data.md); default LUDB where there is one, else synthetic."
    )
    noise: bool = option("Also score under noise of three kinds, 24 to -6 dB (takes 18 times as long).", default=False)
    peers: bool = option("Also score NeuroKit2's and PhysioKit's delineators (needs the extra `peers`).", default=False)
    against_float: bool = option(
        "Also score the float model (needs TensorFlow).",
        Excludes(
            ("tflite",),
            what="--float needs a model of the zoo.",
            why="A .tflite has no float twin.",
            remedy="Use --model.",
        ),
        name="float",
        default=False,
    )
    cv: int = option(
        "Train and test this many patient-wise folds instead; takes that many trainings.",
        Excludes(
            ("tflite",),
            what="--cv needs a model of the zoo.",
            why="It trains the model anew for each fold.",
            remedy="Use --model.",
        ),
        NotWith(
            ("records", "leads", "noise", "peers", "against_float", "html"),
            why="It tests every patient of LUDB once (with --database qtdb every given record), and writes JSON.",
        ),
        default=0,
    )
    steps: int = option(
        "With --cv: steps of each training, without its fine-tuning; default those of the configuration.",
        GoesWith(("cv",), why="Nothing else is trained here.", remedy="Leave it out, or add --cv 5."),
        default=0,
    )
    on: str = on_option(GoesWith(("cv",), why="Only folds are trained.", remedy="Leave it out, or add --cv 5."))
    html: Path | None = option("Also write a report to this file.", output=Output.RESULT)


def run(options: Options) -> None:
    """Score a model, as the device runs it, against the annotation.

    Raises:
        ToolMissingError: an extra that an option needs is not installed; told before anything is scored.
        UsageError, DataError, ModelError, OutputError: an option, the data, a model or a place for results is no good.
    """
    chosen = find_model(options.model, options.tflite)
    if options.cv:
        _cross_validate(chosen, options)
    else:
        _score(chosen, options)


def _score(chosen: ModelFile, options: Options) -> None:
    from ecgseg.data.databases.loader import require_waves
    from ecgseg.data.databases.ludb import parse_leads, parse_records
    from ecgseg.data.inputs import choose_inputs, inputs_of
    from ecgseg.hil.provenance import Provenance
    from ecgseg.report import evaluation as report
    from ecgseg.scoring import evaluate as scoring

    origin = Provenance.now(as_typed(sys.argv))
    twin = scoring.device_twin(chosen.data)
    inputs = None
    if options.database:
        inputs = inputs_of(options.database, options.records, options.leads, options.ludb)
        if inputs.database:
            require_waves(inputs.database, twin.class_count)
    others = _others(chosen, options, twin)
    inputs = inputs or choose_inputs(parse_records(options.records), parse_leads(options.leads), options.ludb)
    messages.print(data(inputs.statement))
    records = list(inputs)
    with tracking() as track:
        results = [scoring.evaluate(chosen, records, noise=options.noise, progress=track)]
        for name, delineator in others:
            results.append(scoring.evaluate_other(name, delineator, records, results[0].classes, track))
    f1 = [result.whole.samples.weighted_f1 for result in results]
    comparison = scoring.Comparison(results=results, int8_loss=f1[1] - f1[0] if options.against_float else None)
    report.show(comparison, console)
    if options.json:
        write_json(comparison, options.json)
    if options.html:
        write_text(options.html, report.page(comparison, origin))
        messages.print(f"Wrote {data(options.html)}", highlight=False, soft_wrap=True)


def _others(chosen: ModelFile, options: Options, device: Twin) -> list[tuple[str, Delineator]]:
    """Name and delineator of everything that was asked for beside the model, ready to run."""
    if options.peers:
        require_neurokit()
    others: list[tuple[str, Delineator]] = []
    if options.against_float:
        from ecgseg.zoo.float_model import float_delineator

        others.append((f"{chosen.name}, float", float_delineator(chosen.path.with_name("model.keras"), device)))
    if options.peers:
        from ecgseg.scoring.peers import peers

        others += [(peer.name, peer) for peer in peers(device.class_count)]
    return others


def _cross_validate(chosen: ModelFile, options: Options) -> None:
    from ecgseg.data.databases.ludb import find_ludb
    from ecgseg.zoo.cluster import check_place, on_dask
    from ecgseg.zoo.figures import require_folds

    # Told before TensorFlow takes its time.
    check_place(options.on)
    require_folds(options.cv)
    _require_database_of_folds(options)
    find_ludb(options.ludb)
    require_tensorflow()
    require_micro()
    require_dask()
    from ecgseg.zoo.cross_validation import cross_validate, cross_validate_qtdb

    named = options.model or DEFAULT_MODEL
    trainings = on_dask(options.on, messages)
    if options.database == "qtdb":
        found = cross_validate_qtdb(named, console, steps=options.steps, ludb_option=options.ludb, trainings=trainings)
        for point, score in found.fiducials.items():
            console.print(f"{chosen.name}, QTDB, {point}: sensitivity {score.sensitivity:.4f}, PPV {score.ppv:.4f}")
        write_json(found, options.json or chosen.path.with_name("cross_validation_qtdb.json"))
        return
    result = cross_validate(
        named, console, options.cv, steps=options.steps, ludb_option=options.ludb, trainings=trainings
    )
    console.print(f"{chosen.name}: weighted F1 {result.mean:.4f} ± {result.deviation:.4f} over {options.cv} folds")
    write_json(result, options.json or chosen.path.with_name("cross_validation.json"))


def _require_database_of_folds(options: Options) -> None:
    """Refuses folds of a database that has none, and another number of folds than QTDB has."""
    from ecgseg.data.databases import qtdb
    from ecgseg.data.databases.known import database_of, is_own

    if options.database and is_own(options.database):
        raise UsageError(
            "Folds are made of LUDB and QTDB.",
            "A database of your own is split by its declaration.",
            "Leave out --cv: train with `invoke train --config FILE`, then score its test set.",
        )
    database_of(options.database or "ludb")  # A name that is none is told.
    if options.database == "synthetic":
        raise UsageError(
            "Synthetic ECG has no patients to hold out.", "", "Leave out --database, or use --database qtdb."
        )
    if options.database == "qtdb" and options.cv != len(qtdb.split()):
        raise UsageError(
            f"QTDB is not split into {options.cv} folds.",
            f"Its given records are in {len(qtdb.split())} folds, no patient in two of them.",
            f"Use --cv {len(qtdb.split())} --database qtdb.",
        )
