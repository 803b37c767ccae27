"""A page for a browser: base.html.j2 with the one style sheet, everything in one file that needs no network."""

from __future__ import annotations

from typing import Any

from ecgseg.report.palette import BUFFERS, DARK, LIGHT
from ecgseg.templating import render_template


def render_page(name: str, **context: Any) -> str:
    """HTML of a template that extends base.html.j2; every value of the context is escaped."""
    return render_template("report", name, light=LIGHT, dark=DARK, buffers=BUFFERS, **context)
