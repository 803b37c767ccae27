"""What `invoke evaluate` and `invoke zoo --measure` do: options in, tables and files out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ecgseg import paths
from ecgseg.choices import choose
from ecgseg.data.inputs import choose_inputs
from ecgseg.data.records import parse_leads, parse_records
from ecgseg.errors import UsageError
from ecgseg.extras import require_neurokit, require_tensorflow
from ecgseg.models import ModelFile, find_model, model_names
from ecgseg.output import write_json, write_text
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.report import evaluation as report
from ecgseg.scoring import evaluate as scoring
from ecgseg.terminal import console, messages, progress


class EvaluateOptions(BaseModel):
    """Options of `invoke evaluate` as the user types them."""

    model: str | None = None
    tflite: str | None = None
    records: str = "test"
    leads: str = "all"
    ludb: str | None = None
    noise: bool = False
    peers: bool = False
    against_float: bool = False
    folds: int = 0
    steps: int = 0
    json_path: str | None = None
    html_path: str | None = None


def evaluate(options: EvaluateOptions) -> None:
    """Scores a model as the device runs it, and shows the scores.

    Raises:
        ToolMissingError: an extra that an option needs is not installed; told before anything is scored.
        UsageError, DataError, ModelError, OutputError: an option, the data, a model or a place for results is no good.
    """
    chosen = find_model(options.model, options.tflite)
    if options.folds:
        _cross_validate(chosen, options)
        return
    if options.steps:
        raise UsageError("--steps goes with --cv.", "Nothing else is trained here.", "Leave it out, or add --cv 5.")
    device = scoring.device_segmenter(chosen.data)
    others = _others(chosen, options, device)
    inputs = choose_inputs(parse_records(options.records), parse_leads(options.leads), options.ludb)
    messages.print(inputs.statement)
    records = list(inputs)
    with progress() as bars:

        def track(items: Any, what: str) -> Any:
            return bars.track(list(items), description=what)

        results = [scoring.evaluate(chosen, records, noise=options.noise, progress=track)]
        for name, delineator in others:
            results.append(scoring.evaluate_other(name, delineator, records, results[0].classes, track))
    f1 = [result.whole.samples.weighted_f1 for result in results]
    comparison = scoring.Comparison(results=results, int8_loss=f1[1] - f1[0] if options.against_float else None)
    report.show(comparison, console)
    if options.json_path:
        write_json(comparison, options.json_path)
    if options.html_path:
        write_text(Path(options.html_path), report.page(comparison))
        messages.print(f"Wrote {options.html_path}")


def _others(chosen: ModelFile, options: EvaluateOptions, device: Segmenter) -> list[tuple[str, scoring.Delineator]]:
    """Name and delineator of everything that was asked for beside the model, ready to run."""
    if options.peers:
        require_neurokit()
    others: list[tuple[str, scoring.Delineator]] = []
    if options.against_float:
        if not chosen.from_zoo:
            raise UsageError("--float needs a model of the zoo.", "A .tflite has no float twin.", "Use --model.")
        from ecgseg.zoo.figures import FloatSegmenter

        others.append((f"{chosen.name}, float", FloatSegmenter(chosen.path.with_name("model.keras"), device)))
    if options.peers:
        from ecgseg.scoring.peers import peers

        others += [(peer.name, peer) for peer in peers(device.class_count)]
    return others


def _cross_validate(chosen: ModelFile, options: EvaluateOptions) -> None:
    if not chosen.from_zoo:
        raise UsageError("--cv needs a model of the zoo.", "It trains the model anew for each fold.", "Use --model.")
    _refuse_beside_folds(options)
    require_tensorflow()
    from ecgseg.zoo.cross_validation import cross_validate

    result = cross_validate(chosen.name, options.folds, steps=options.steps, ludb_option=options.ludb, console=console)
    console.print(f"{chosen.name}: weighted F1 {result.mean:.4f} ± {result.deviation:.4f} over {options.folds} folds")
    write_json(result, options.json_path or chosen.path.with_name("cross_validation.json"))


def _refuse_beside_folds(options: EvaluateOptions) -> None:
    default = EvaluateOptions()
    named = {
        "--records": options.records != default.records,
        "--leads": options.leads != default.leads,
        "--noise": options.noise,
        "--peers": options.peers,
        "--float": options.against_float,
        "--html": options.html_path is not None,
    }
    beside = [name for name, given in named.items() if given]
    if beside:
        raise UsageError(
            f"--cv does not go with {', '.join(beside)}.",
            "It tests every patient of LUDB once, on the leads of the model's configuration, and writes JSON.",
            f"Leave out --cv or {', '.join(beside)}.",
        )


def measure_zoo(model: str | None, ludb: str | None) -> None:
    """Measures one model of the zoo, or all of them, and writes what stands beside it."""
    require_tensorflow()
    from ecgseg.report import cards
    from ecgseg.zoo import figures

    for name in [choose("model", model, model_names(), "--model")] if model else model_names():
        with progress() as bars:
            metrics = figures.measure(name, ludb, lambda items, what: bars.track(list(items), description=what))
        for path in cards.write_card(metrics):
            messages.print(f"Wrote {path.relative_to(paths.ROOT)}")
        console.print(
            f"{name}: weighted F1 {metrics.weighted_f1:.4f} (181-200: {metrics.weighted_f1_test_heartkit:.4f}),"
            f" int8 loss {100 * metrics.int8_loss:.2f} points"
        )


def document_zoo() -> None:
    """Writes docs/zoo.md."""
    from ecgseg.report import cards

    messages.print(f"Wrote {cards.write_zoo_page().relative_to(paths.ROOT)}")
