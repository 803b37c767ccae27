"""What every page must be: one well-formed file that needs no network, for light and dark and whoever hears it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "link", "input"}
LOADING = {"link", "img", "iframe", "object"}


class Page(HTMLParser):
    """Reads a page and fails unless every element is closed in order.

    Attributes:
        elements: tag and attributes of every element, and the classes of what it is in, in order.
        text: what stands between the tags.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), [str(around.get("class")) for _, around in self.open]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes, _ in self.elements if tag == name]


def check_page(html: str, *, scripts: int = 0, links: int = 0) -> Page:
    """Fails for a page that is not well formed, loads anything, or cannot be read without colours or sight.

    Args:
        html: the page.
        scripts: how many it has; each stands in the page.
        links: how many it has; each leads to a file beside it, and loads nothing before somebody follows it.
    """
    page = Page(html)
    html, found = re.subn(r'<a href="(?!\w*:|/)[^"]*"', "<a", html)
    assert found == links
    tags = [tag for tag, _, _ in page.elements]
    assert not LOADING & set(tags)
    assert tags.count("script") == scripts
    assert not re.search(r"(?:src|href)=|url\((?!#)|@import|https?:", html.replace("http://www.w3.org/2000/svg", ""))
    assert '<html lang="en">' in html
    assert re.search(r"color-scheme:\s*(light )?dark", html)
    assert html.count("<h1>") == 1
    named = [figure for figure in page.tags("svg") if figure.get("aria-hidden") != "true"]
    assert all(figure.get("role") == "img" and figure.get("aria-label") for figure in named)
    return page


def text_of(html: str) -> str:
    """What a reader sees of a page, on one line."""
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL))
