"""The page of `invoke monitor`: a frame that the stream fills."""

from __future__ import annotations

from ecgseg.report.page import render_page

# What stands in a tile: its place in the page, name and unit.
_FIGURES = (
    ("rate", "heart rate", "/min"),
    ("pr", "PR", "ms"),
    ("qrs", "QRS", "ms"),
    ("qt", "QT", "ms"),
    ("qtc", "QTc", "ms"),
    ("quality", "quality", "%"),
    ("latency", "latency", "s"),
    ("load", "load", ""),
)


def render_monitor() -> str:
    """HTML of the page, the same for every stream; all styles and scripts are inside."""
    return render_page("monitor.html.j2", figures=_FIGURES)
