"""Renders the templates of the zoo: model cards, confusion matrices, the page of the zoo, reports of evaluations."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


def render_template(name: str, **context: Any) -> str:
    """Text of a template of `ecgseg/zoo/templates`; HTML is escaped."""
    environment = Environment(
        loader=PackageLoader("ecgseg.report", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=select_autoescape(["html.j2", "html"]),
    )
    environment.filters |= {
        "f4": lambda value: f"{value:.4f}",
        "kilo": lambda value: f"{value / 1000:.1f} K",
        "mega": lambda value: f"{value / 1e6:.2f} M",
        # Adding zero turns a rounded -0.0 into 0.0.
        "points": lambda value: f"{round(100 * value, 2) + 0.0:.2f}",
    }
    return environment.get_template(name).render(**context)
