"""What `invoke evaluate` found, as tables on the terminal and as a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console

from ecgseg.data.records import CLASS_NAMES
from ecgseg.hil.provenance import Provenance
from ecgseg.report.page import render_page
from ecgseg.report.texts import origin_rows
from ecgseg.scoring.collector import Scores
from ecgseg.scoring.evaluate import AF, Comparison, Evaluation
from ecgseg.scoring.metrics import SampleScores
from ecgseg.terminal import Table, data


def show(comparison: Comparison, console: Console) -> None:
    """Prints everything: samples, points, and the model's scores by rhythm, by lead and under noise."""
    results = comparison.results
    model = results[0]
    classes = CLASS_NAMES[model.classes]
    console.print(_samples(results))
    console.print(_classes(results, classes))
    if comparison.int8_loss is not None:
        console.print(f"int8 costs {100 * comparison.int8_loss:.2f} points of weighted F1 against the float model.")
    for result in results:
        if result.oracle:
            console.print(f"{result.model}: computed by {data(result.oracle)}.", highlight=False)
        if result.look_ahead_ms is not None:
            console.print(f"{result.model}: a sample waits at most {result.look_ahead_ms:,} ms for its class.")
        af = result.by_rhythm.get(AF)
        if af and af.p_false_positives_per_minute is not None:
            console.print(f"{result.model}: {af.p_false_positives_per_minute:.1f} P waves invented a minute in AF.")
    console.print(_points(results))
    console.print(_groups(f"{model.model} by rhythm", ("Rhythm", "Leads"), model.by_rhythm, classes))
    console.print(_groups(f"{model.model} by lead", ("Lead", "Records"), model.by_lead, classes))
    if model.by_noise:
        console.print(_noise(model))


_SOURCES = {"ludb": "LUDB", "qtdb": "QTDB", "synthetic": "synthetic ECG"}


def page(comparison: Comparison, origin: Provenance) -> str:
    """The same as an HTML page, with every model by rhythm and lead, the model's confusion matrix, and its origin."""
    results = comparison.results
    return render_page(
        "evaluation.html.j2",
        results=results,
        source=_SOURCES.get(results[0].source, results[0].source),
        int8_loss=comparison.int8_loss,
        af=AF,
        names=CLASS_NAMES[results[0].classes],
        origin=origin_rows(origin),
    )


def _samples(results: Sequence[Evaluation]) -> Table:
    names = ("Weighted F1", "Macro F1", "Accuracy", "Mean IoU")
    table = _table("Sample by sample, annotated span", ("Model",), names)
    for result in results:
        scores = result.whole.samples
        table.add_row(result.model, *_four((scores.weighted_f1, scores.macro_f1, scores.accuracy, scores.miou)))
    return table


def _classes(results: Sequence[Evaluation], classes: Iterable[str]) -> Table:
    table = _table("F1 by class", ("Model",), classes)
    for result in results:
        table.add_row(result.model, *_by_class(result.whole.samples))
    return table


def _points(results: Sequence[Evaluation]) -> Table:
    title = "Onsets and offsets within 150 ms; error: mean ± SD of detected minus annotated"
    table = _table(title, ("Model", "Point"), ("Sens.", "PPV", "F1", "Error, ms"))
    for result in results:
        for index, (name, point) in enumerate(result.whole.fiducials.items()):
            error = f"{point.mean_ms:+.1f} ± {point.sd_ms:.1f}"
            ratios = _four((point.sensitivity, point.ppv, point.f1))
            table.add_row(result.model if index == 0 else "", name, *ratios, error)
        table.add_section()
    return table


def _groups(title: str, names: tuple[str, str], groups: Mapping[str, Scores], classes: Sequence[str]) -> Table:
    group, counted = names
    table = _table(f"{title}: F1", (group,), (counted, "Weighted", *classes))
    for name, scores in groups.items():
        table.add_row(data(name), f"{scores.leads:,}", f"{scores.samples.weighted_f1:.4f}", *_by_class(scores.samples))
    return table


def _by_class(scores: SampleScores) -> list[str]:
    """F1 of each class; of one that the annotation does not hold it would say nothing."""
    true = [sum(row) for row in scores.confusion]
    return [f"{f1:.4f}" if count else "-" for f1, count in zip(scores.per_class_f1.values(), true, strict=True)]


def _noise(model: Evaluation) -> Table:
    levels = next(iter(model.by_noise.values()))
    table = _table(f"{model.model} under noise: weighted F1", ("Signal to noise",), [f"{level} dB" for level in levels])
    for kind, values in model.by_noise.items():
        table.add_row(kind, *_four(values.values()))
    return table


def _table(title: str, names: Iterable[str], numbers: Iterable[str]) -> Table:
    table = Table(title=title)
    for name in names:
        table.add_column(name)
    for number in numbers:
        table.add_column(number, justify="right", min_width=6)
    return table


def _four(values: Iterable[float]) -> list[str]:
    return [f"{value:.4f}" for value in values]
