"""Every page has the one base and style, reads on a phone, in the dark and on paper, and escapes what it shows."""

from __future__ import annotations

import re

import pytest

from ecgseg import paths
from ecgseg.report.palette import BUFFERS, DARK, LIGHT
from ecgseg.templating import render_template
from support.pages import Page, check_page
from support.report_pages import HARM, pages

# Parts of several pages.
MACROS = ("parts.html.j2", "leads.html.j2")
# Shows no result; tests/report/test_report_monitor.py is about it. What only it has is a style sheet of its own.
LIVE = "monitor.html.j2"
TEMPLATES = paths.ROOT / "host" / "ecgseg" / "report" / "templates"
PAGES = pages()
CSS = render_template("report", "style.css.j2", light=LIGHT, dark=DARK, buffers=BUFFERS)
COLOUR = r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl|hwb|lab|lch|oklch|color)a?\("
# Text and what it stands on. WCAG asks for 4.5 : 1; the smallest text, letters in a wave, is bold.
READABLE = [
    ("ink", "page"),
    ("ink", "card"),
    ("soft", "page"),
    ("soft", "card"),
    ("on-accent", "accent"),
    *(("on-wave", wave) for wave in ("pwave", "qrs", "twave")),
    *((text, f"{kind}-soft") for kind in ("good", "bad", "open") for text in (kind, "ink", "soft")),
]


def scripts_of(html: str) -> int:
    """Scripts of ours: that of a confusion matrix; leads as base64, in which no name stands, with what draws them."""
    leads = re.findall(
        r'<script type="application/json" id="strips">[\["\w+/=,\s\]]*</script>\n<script type="module">', html
    )
    return html.count("<script>\nconst names") + 2 * len(leads)


@pytest.fixture(params=PAGES)
def html(request: pytest.FixtureRequest) -> str:
    return PAGES[request.param]


def test_every_template_of_a_page_is_shown_here() -> None:
    bases = {"base.html.j2", LIVE, *MACROS}
    assert len({path.name for path in TEMPLATES.glob("*.html.j2")} - bases) == len(PAGES)


def test_a_page_is_the_base_with_the_one_style_and_needs_nothing_else(html: str) -> None:
    page = check_page(html, scripts=scripts_of(html), links=html.count('<a href="rig/') + html.count('<a href="#lead-'))
    assert html.startswith("<!doctype html>\n")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.tags("meta")
    assert html.count("<style") == 1
    assert f"<style>\n{CSS}</style>" in html
    assert len(page.tags("main")) == len(page.tags("footer")) == 1


def test_a_page_has_no_style_or_colour_of_its_own(html: str) -> None:
    for _, attributes, _ in Page(html).elements:
        assert not attributes.keys() & {"fill", "stroke", "color", "bgcolor", "font-family", "font-size"}
        # A number for the one style to work with, nothing that is style itself.
        assert re.fullmatch(r"--[a-z]+: [\d.]+(px)?", attributes.get("style") or "--none: 0")
    assert not re.search(COLOUR, re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))


def test_no_template_but_the_base_brings_style_and_the_style_takes_colours_from_the_palette() -> None:
    for path in TEMPLATES.glob("*.html.j2"):
        text = path.read_text(encoding="utf-8")
        assert ("<style" in text) == (path.name in ("base.html.j2", LIVE)), path.name
        assert path.name in ("base.html.j2", *MACROS) or text.startswith('{% extends "base.html.j2" %}')
    for path in TEMPLATES.glob("*.css.j2"):
        assert not re.search(COLOUR.replace("|color", ""), path.read_text(encoding="utf-8")), path.name


def test_every_variable_of_the_style_exists_and_every_colour_is_used() -> None:
    used, defined = set(re.findall(r"var\(--([\w-]+)", CSS)), set(re.findall(r"^ +--([\w-]+):", CSS, re.MULTILINE))
    assert used - defined == {"share", "least"}  # of an element
    assert defined <= used
    assert DARK.keys() <= LIGHT.keys()


def test_what_is_wide_scrolls_in_its_own_box(html: str) -> None:
    for tag, attributes, around in Page(html).elements:
        # Facts are two columns, whose text wraps.
        if tag in ("table", "svg") and attributes.get("class") not in ("facts", "defs"):
            assert "scroll" in around, attributes
    assert ".scroll { overflow-x: auto; }" in CSS


def test_light_dark_and_paper_have_their_style() -> None:
    dark = CSS.index("@media screen and (prefers-color-scheme: dark)")
    assert f"--page: {LIGHT['page']};" in CSS[:dark]
    assert f"--page: {DARK['page']};" in CSS[dark:]
    assert "@media print" in CSS
    assert "color-scheme: light dark" in CSS


@pytest.mark.parametrize(("text", "ground"), READABLE)
@pytest.mark.parametrize("palette", [LIGHT, LIGHT | DARK], ids=["light", "dark"])
def test_text_can_be_read_on_its_ground(palette: dict[str, str], text: str, ground: str) -> None:
    one, other = sorted((_luminance(palette[text]), _luminance(palette[ground])))
    assert (other + 0.05) / (one + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_harmful_text_of_a_device_a_file_or_a_user_is_shown_and_does_nothing(html: str) -> None:
    page = Page(html)
    assert HARM in page.text
    assert "alert(" not in "".join(re.findall(r"<script.*?</script>", html, re.DOTALL))
    assert len(page.tags("script")) == scripts_of(html)
    assert all("alert" not in name for _, attributes, _ in page.elements for name in attributes)


def test_harmful_text_is_escaped_wherever_the_hil_report_shows_it() -> None:
    # Title, verdict, error, details (model, image, flashed BIN), differing frames (lead, stage, replay), the lead.
    page = Page(PAGES["hil"])
    assert page.text.count(HARM) >= 12
    labels = [attributes.get("aria-label") or "" for _, attributes, _ in page.elements]
    assert sum(HARM.upper() in label for label in labels) == 2


def test_the_confusion_matrix_is_there_without_its_script() -> None:
    page = Page(PAGES["confusion matrix"])
    cells = [attributes for attributes in page.tags("td") if "tabindex" in attributes]
    assert len(cells) == 16
    assert {attributes.get("id") for _, attributes, _ in page.elements} >= {"cells", "detail"}
    shares = [float((cell["style"] or "").removeprefix("--share: ")) for cell in cells]
    assert [sum(shares[row : row + 4]) for row in range(0, 16, 4)] == pytest.approx([1.0] * 4, abs=0.002)
