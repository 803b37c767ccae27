"""Renders the templates of every room: one set of rules for C, Markdown and HTML."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

_PACKAGE = Path(__file__).parent


def render_template(room: str, name: str, **context: Any) -> str:
    """Text of the template `name` in `ecgseg/<room>/templates`.

    In a template that is named `*.html.j2` or `*.svg.j2` every value is escaped; C, Markdown and CSS stay as they are.
    A name that the context does not hold is an error, never an empty text.
    """
    return _environment(room).get_template(name).render(**context)


@lru_cache
def _environment(room: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PACKAGE / room / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=select_autoescape(("html.j2", "svg.j2")),
    )
    environment.filters |= {
        "product": math.prod,
        "f4": lambda value: f"{value:.4f}",
        "kilo": lambda value: f"{value / 1000:.1f} K",
        "mega": lambda value: f"{value / 1e6:.2f} M",
        # Adding zero turns a rounded -0.0 into 0.0.
        "points": lambda value: f"{round(100 * value, 2) + 0.0:.2f}",
    }
    return environment
