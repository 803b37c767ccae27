"""What `invoke evaluate` and `invoke zoo --measure` do: options in, tables and files out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel
from rich.table import Table

from ecgseg import paths
from ecgseg.cli import choose, console, messages, progress, write_json
from ecgseg.data.records import CLASS_NAMES, Record, parse_leads, parse_records
from ecgseg.errors import UsageError
from ecgseg.hil.inputs import choose_inputs
from ecgseg.models import ModelFile, find_model, model_names
from ecgseg.output import write_text
from ecgseg.zoo import evaluate as scoring
from ecgseg.zoo.metrics import FiducialScore


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
    json_path: str | None = None
    html_path: str | None = None


class Comparison(BaseModel):
    """What `invoke evaluate --json` writes: the model first, then the float model and peers that were asked for."""

    results: list[scoring.Evaluation]


def evaluate(options: EvaluateOptions) -> None:
    """Scores a model as the device runs it, and shows the scores."""
    chosen = find_model(options.model, options.tflite)
    if options.folds:
        _cross_validate(chosen, options)
        return
    inputs = choose_inputs(parse_records(options.records), parse_leads(options.leads), options.ludb)
    messages.print(inputs.statement)
    records = list(inputs)
    with progress() as bars:

        def track(items: Any, what: str) -> Any:
            return bars.track(list(items), description=what)

        results = [scoring.evaluate(chosen.name, chosen.path, records, noise=options.noise, progress=track)]
        for name, segmenter in _others(chosen, options, results[0].classes):
            results.append(_score_other(name, segmenter, records, results[0].classes, track))
    _show(results)
    if options.json_path:
        write_json(Comparison(results=results), options.json_path)
    if options.html_path:
        write_text(Path(options.html_path), _page(results))
        messages.print(f"Wrote {options.html_path}")


def _others(chosen: ModelFile, options: EvaluateOptions, classes: int) -> list[tuple[str, scoring.Segmenter]]:
    others: list[tuple[str, scoring.Segmenter]] = []
    if options.against_float:
        if not chosen.from_zoo:
            raise UsageError("--float needs a model of the zoo.", "A .tflite has no float twin.", "Use --model.")
        from ecgseg.zoo.cards import FloatSegmenter

        device = scoring.DeviceSegmenter(chosen.data)
        others.append((f"{chosen.name}, float", FloatSegmenter(chosen.path.with_name("model.keras"), device)))
    if options.peers:
        from ecgseg.zoo.peers import NEUROKIT_METHODS, NeuroKit

        peers = [NeuroKit(method, classes) for method in NEUROKIT_METHODS]
        others += [(peer.name, peer) for peer in peers]
    return others


def _score_other(
    name: str, segmenter: scoring.Segmenter, records: list[Record], classes: int, track: scoring.Progress
) -> scoring.Evaluation:
    whole, by_rhythm, by_lead = scoring.score(segmenter, records, classes, track)
    return scoring.Evaluation(
        model=name,
        sha256="",
        source=records[0].source,
        records=sorted({record.record_id for record in records}),
        leads=list(dict.fromkeys(record.lead for record in records)),
        classes=classes,
        whole=whole,
        by_rhythm=by_rhythm,
        by_lead=by_lead,
    )


def _show(results: list[scoring.Evaluation]) -> None:
    table = Table(title="Sample by sample, annotated span", title_justify="left")
    table.add_column("Score")
    for result in results:
        table.add_column(result.model, justify="right")
    rows: dict[str, list[str]] = {}
    for result in results:
        scores = result.whole.samples
        values = {"weighted F1": scores.weighted_f1, "macro F1": scores.macro_f1, "accuracy": scores.accuracy}
        values |= {"mean IoU": scores.miou}
        values |= {f"F1 {name}": value for name, value in scores.per_class_f1.items()}
        for name, value in values.items():
            rows.setdefault(name, []).append(f"{value:.4f}")
        af = result.by_rhythm.get("Atrial fibrillation")
        if af and af.p_false_positives_per_minute is not None:
            rows.setdefault("P invented a minute in AF", []).append(f"{af.p_false_positives_per_minute:.1f}")
    for name, cells in rows.items():
        table.add_row(name, *cells)
    console.print(table)
    for result in results:
        _show_points(result.model, result.whole.fiducials)
    for kind, levels in results[0].by_noise.items():
        console.print(f"{kind}: " + ", ".join(f"{level} dB {value:.3f}" for level, value in levels.items()))


def _show_points(model: str, fiducials: dict[str, FiducialScore]) -> None:
    points = Table(title=f"{model}: onsets and offsets within 150 ms", title_justify="left")
    for column in ("Point", "Sensitivity", "PPV", "F1", "Error, ms (mean ± SD)"):
        points.add_column(column, justify="left" if column == "Point" else "right")
    for name, point in fiducials.items():
        error = f"{point.mean_ms:+.1f} ± {point.sd_ms:.1f}"
        points.add_row(name, f"{point.sensitivity:.4f}", f"{point.ppv:.4f}", f"{point.f1:.4f}", error)
    console.print(points)


def _page(results: list[scoring.Evaluation]) -> str:
    environment = Environment(
        loader=PackageLoader("ecgseg.zoo", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
    )
    environment.filters["f4"] = lambda value: f"{value:.4f}"
    return environment.get_template("evaluation.html.j2").render(results=results, names=CLASS_NAMES[results[0].classes])


def _cross_validate(chosen: ModelFile, options: EvaluateOptions) -> None:
    from ecgseg.zoo.cross_validation import cross_validate

    if not chosen.from_zoo:
        raise UsageError("--cv needs a model of the zoo.", "It trains the model anew for each fold.", "Use --model.")
    result = cross_validate(chosen.name, options.folds, ludb_option=options.ludb, console=console)
    console.print(f"{chosen.name}: weighted F1 {result.mean:.4f} ± {result.deviation:.4f} over {options.folds} folds")
    write_json(result, options.json_path or chosen.path.with_name("cross_validation.json"))


def measure_zoo(model: str | None, ludb: str | None) -> None:
    """Measures one model of the zoo, or all of them, and writes what stands beside it."""
    from ecgseg.zoo import cards

    for name in [choose("model", model, model_names(), "--model")] if model else model_names():
        with progress() as bars:
            metrics = cards.measure(name, ludb, lambda items, what: bars.track(list(items), description=what))
        for path in cards.write_card(metrics):
            messages.print(f"Wrote {path.relative_to(paths.ROOT)}")
        console.print(
            f"{name}: weighted F1 {metrics.weighted_f1:.4f} (181-200: {metrics.weighted_f1_test_heartkit:.4f}),"
            f" int8 loss {100 * metrics.int8_loss:.2f} points"
        )


def document_zoo() -> None:
    """Writes docs/zoo.md."""
    from ecgseg.zoo import cards

    messages.print(f"Wrote {cards.write_zoo_page().relative_to(paths.ROOT)}")
