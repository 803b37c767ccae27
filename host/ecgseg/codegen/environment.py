"""The jinja2 environment of the code generator."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template


@lru_cache(maxsize=1)
def _environment() -> Environment:
    # C, not HTML: nothing is to be escaped.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["product"] = math.prod
    return environment


def template(name: str) -> Template:
    """Template of that file name in `codegen/templates/`."""
    return _environment().get_template(name)
