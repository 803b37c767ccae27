"""The report of a test as one who opens it in a browser finds it: table, strips, keys, dark, paper, no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ecgseg.hil.result import HilRun
from ecgseg.output import write_text
from ecgseg.report.html import render_report
from ecgseg.report.palette import DARK, LIGHT
from support.chromium import PHONE, barriers, complaints, open_file, overflow, show_as
from support.report_pages import MISMATCH, pages
from support.strips import annotated_lead, late, run_of

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.slow
PAGES = pages()
READY = "document.documentElement.classList.contains('is-scripted')"
LEADS = "[...document.querySelectorAll('#leads tbody tr:not([hidden]) th')].map(cell => cell.textContent)"
PRESS = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))"
# How many points of the drawing have a colour of the style.
PAINTED = """
const canvas = document.getElementById('strip-drawing'), wanted = arguments[0];
const colour = getComputedStyle(canvas).getPropertyValue('--' + wanted).trim();
const rgb = [1, 3, 5].map(at => parseInt(colour.slice(at, at + 2), 16));
const copy = Object.assign(document.createElement('canvas'), {width: canvas.width, height: canvas.height});
const pen = copy.getContext('2d', {willReadFrequently: true});
pen.drawImage(canvas, 0, 0);
const {data} = pen.getImageData(0, 0, canvas.width, canvas.height);
let found = 0;
for (let i = 0; i < data.length; i += 4) found += rgb.every((part, n) => data[i + n] === part);
return found;
"""


def five_leads() -> HilRun:
    """Five leads: one differs, one is long, and one has its P onset far off."""
    lead, long = annotated_lead(), annotated_lead(180)
    device = lead.device.copy()
    device[412:421] = 3
    differing = replace(lead, record=replace(lead.record, record_id=181), device=device, equal=False)
    return run_of(
        [
            replace(lead, record=replace(lead.record, record_id=2, lead="v1")),
            late(lead, 10, "v1", 2, rhythm="atrial flutter"),
            differing,
            replace(long, record=replace(long.record, record_id=30)),
            late(lead, 3, "avf", 1),
        ],
        verdict="fail",
        mismatches=[MISMATCH],
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "it's a report.html"
    write_text(path, render_report(five_leads()))
    return path


@pytest.fixture
def page(chromium: Chrome, report: Path) -> Iterator[Chrome]:
    """The page, wide and light, that must not have complained of anything in the end."""
    open_file(chromium, report)
    wait(chromium, READY)
    yield chromium
    assert complaints(chromium) == []


def wait(window: Chrome, condition: str) -> None:
    """Until a condition of the page holds."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(window, 60, 0.05).until(lambda shown: shown.execute_script(f"return Boolean({condition})"))


def text(window: Chrome, name: str) -> str:
    return str(window.execute_script("return document.getElementById(arguments[0]).textContent", name))


def click(window: Chrome, selector: str) -> None:
    window.execute_script("document.querySelector(arguments[0]).click()", selector)


def opened(window: Chrome, name: str) -> None:
    wait(window, f"document.getElementById('strip-name').textContent === {name!r}")


def leads(window: Chrome) -> list[str]:
    return list(window.execute_script(f"return {LEADS}"))


def test_the_worst_p_onset_is_found_in_three_clicks(page: Chrome) -> None:
    click(page, "[data-point='P onset'] button")
    assert leads(page)[0] == "10 V1"
    click(page, "#leads tbody tr button")
    opened(page, "Record 10, lead V1")
    click(page, "#strip-worst")
    assert "Beat 3 of" in text(page, "strip-told")
    assert "PR" in text(page, "strip-told")
    assert page.execute_script(PAINTED, "bad") > 100


def test_headings_sort_numbers_as_numbers_and_names_as_names(page: Chrome) -> None:
    click(page, "#leads thead th:first-child button")
    assert leads(page) == ["2 V1", "3 AVF", "10 V1", "30 II", "181 II"]
    click(page, "#leads thead th:first-child button")
    assert leads(page) == ["181 II", "30 II", "10 V1", "3 AVF", "2 V1"]
    assert page.execute_script("return document.querySelector('[aria-sort]').ariaSort") == "descending"
    click(page, "[data-point='P onset'] button")
    assert leads(page)[:2] == ["10 V1", "3 AVF"]


def test_filters_leave_what_was_asked_for(page: Chrome) -> None:
    def set_to(name: str, value: object) -> list[str]:
        page.execute_script(
            "const field = document.getElementById('filters').elements[arguments[0]];"
            "field[field.type === 'checkbox' ? 'checked' : 'value'] = arguments[1];"
            "field.dispatchEvent(new Event('input', {bubbles: true}))",
            name,
            value,
        )
        return sorted(leads(page))

    assert set_to("lead", "V1") == ["10 V1", "2 V1"]
    assert text(page, "listed") == "2 of 5 leads"
    assert set_to("rhythm", "atrial flutter") == ["10 V1"]
    set_to("lead", "")
    set_to("rhythm", "")
    assert set_to("record", "3") == ["3 AVF", "30 II"]
    set_to("record", "")
    assert set_to("differs", True) == ["181 II"]


def test_a_strip_is_read_with_keys_alone(page: Chrome) -> None:
    click(page, "#leads thead th:first-child button")
    click(page, "#leads tbody tr:nth-child(2) button")
    opened(page, "Record 3, lead AVF")
    assert page.execute_script("return document.activeElement.id") == "strip-name"
    page.execute_script(PRESS, "ArrowRight")
    page.execute_script(PRESS, "ArrowRight")
    assert text(page, "strip-told").startswith("Beat 2 of ")
    before = text(page, "strip-scale")
    page.execute_script(PRESS, "+")
    assert text(page, "strip-scale") != before
    page.execute_script(PRESS, "w")
    assert text(page, "strip-told").startswith("Beat 3 of ")
    page.execute_script(PRESS, "n")
    opened(page, "Record 10, lead V1")
    page.execute_script(PRESS, "p")
    opened(page, "Record 3, lead AVF")
    page.execute_script(PRESS, "Escape")
    assert page.execute_script("return document.getElementById('strip').hidden")
    assert page.execute_script("return document.activeElement.textContent") == "3 AVF"


def test_what_differs_opens_its_strip_where_it_differs(page: Chrome) -> None:
    click(page, "a[data-opens]")
    opened(page, "Record 181, lead II")
    assert text(page, "strip-badge") == "device ≠ Python"
    assert page.execute_script(PAINTED, "bad") > 100


def test_half_an_hour_is_drawn_moved_through_and_seen_as_a_whole(page: Chrome) -> None:
    click(page, "[data-record='30'] button")
    opened(page, "Record 30, lead II")
    assert text(page, "strip-about").endswith("30:00")
    page.execute_script(PRESS, "End")
    assert float(page.execute_script("return document.getElementById('strip-place').value")) > 1780
    assert page.execute_script(PAINTED, "ink") > 100
    page.execute_script(PRESS, "0")
    assert page.execute_script("return document.getElementById('strip-place').hidden")
    assert page.execute_script(PAINTED, "ink") > 1000


def test_a_strip_follows_the_dark_and_is_light_on_paper(page: Chrome) -> None:
    click(page, "[data-record='10'] button")
    opened(page, "Record 10, lead V1")
    assert page.execute_script(PAINTED, "card") > 10_000
    for media, ground in (("", DARK["card"]), ("print", LIGHT["card"])):
        show_as(page, dark=True, media=media)
        wait(page, f"getComputedStyle(document.body).getPropertyValue('--card') === '{ground}'")
        wait(page, f"(() => {{ {PAINTED.replace('arguments[0]', repr('card'))} }})() > 10000")
    hidden = "return [...document.querySelectorAll('.tools, .filters')].map(part => getComputedStyle(part).display)"
    assert set(page.execute_script(hidden)) == {"none"}
    assert len(page.print_page()) > 10_000


def test_without_scripts_verdict_differences_and_table_are_there(chromium: Chrome, report: Path) -> None:
    chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        open_file(chromium, report)
        seen = chromium.find_element("tag name", "main").text
    finally:
        chromium.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert all(
        words in seen
        for words in ("What differs first", "All 5 leads", "10 V1", "Without scripts", "Record 181, lead II")
    )
    assert "only those that differ" not in seen


@pytest.mark.parametrize("name", PAGES)
def test_no_page_keeps_anybody_out_or_is_wider_than_a_phone(chromium: Chrome, tmp_path: Path, name: str) -> None:
    write_text(tmp_path / "page.html", PAGES[name])
    # In one light alone: that text can be read in both is tested where the colours are.
    show_as(chromium, PHONE, 844, dark=True)
    open_file(chromium, tmp_path / "page.html")
    assert overflow(chromium) <= 0
    assert barriers(chromium) == []
    assert complaints(chromium) == []


def test_an_open_strip_keeps_nobody_out(page: Chrome) -> None:
    click(page, "[data-record='10'] button")
    opened(page, "Record 10, lead V1")
    assert barriers(page) == []
    show_as(page, PHONE, 844, dark=True)
    assert overflow(page) <= 0
