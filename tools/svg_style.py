"""The style of a drawing that is light or dark as the page is that shows it, in the colours of the reports' pages."""

from __future__ import annotations

import re

from ecgseg.report.palette import DARK, LIGHT


def style(rules: str) -> str:
    """CSS for both, of rules in which `$NAME` stands for a colour of the palette.

    Raises:
        KeyError: the palette has no such colour.
    """
    return f"{_coloured(rules, LIGHT)}@media(prefers-color-scheme:dark){{{_coloured(rules, LIGHT | DARK)}}}"


def _coloured(rules: str, colours: dict[str, str]) -> str:
    return re.sub(r"\$([a-z-]+)", lambda found: colours[found[1]], rules)
