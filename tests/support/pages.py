"""What every page must be: one well-formed file that needs no network, for light and dark and whoever hears it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "link", "input"}
LOADING = {"script", "link", "img", "iframe", "object"}


class Balance(HTMLParser):
    """Checks that every element is closed in order.

    Attributes:
        open: elements that are not closed yet.
        tags: every element with its attributes, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_page(html: str) -> None:
    """Fails for a page that is not well formed, loads anything, or cannot be read without colours or sight."""
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    assert not LOADING & {tag for tag, _ in parser.tags}
    assert not re.search(r"(?:src|href)=|url\((?!#)|@import|https?:", html.replace("http://www.w3.org/2000/svg", ""))
    assert '<html lang="en">' in html
    assert re.search(r"color-scheme:\s*(light )?dark", html)
    assert html.count("<h1>") == 1
    figures = [attributes for tag, attributes in parser.tags if tag == "svg"]
    named = [figure for figure in figures if figure.get("aria-hidden") != "true"]
    assert all(figure.get("role") == "img" and figure.get("aria-label") for figure in named)


def text_of(html: str) -> str:
    """What a reader sees of a page, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))
