"""The documentation as a site: every page has its place, every link leads somewhere, nothing generated is old."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ecgseg import paths
from support.chromium import PHONE, WIDE, barriers, open_file, overflow, show_as

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

sys.path.insert(0, str(paths.ROOT / "tools"))

import check_links
import draw_flow
import write_tasks_page

SITE = paths.ROOT / "tools" / "site" / "mkdocs.yml"
PAGES = [page.relative_to(paths.ROOT).as_posix() for page in check_links.pages()]
# Folders of one computer; what a rule or an example names is none.
OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:home|root|work|Users|mnt|srv)/\w+")
LIST_ITEM = re.compile(r" *(?:[-*]|\d+\.) ")


def test_every_page_is_in_the_navigation_once() -> None:
    navigation = SITE.read_text(encoding="utf-8").partition("\nnav:\n")[2]
    named = re.findall(r": (\S+\.md)$", navigation, re.MULTILINE)
    assert sorted(named) == sorted(PAGES), "put the page into the nav of tools/site/mkdocs.yml"


def test_every_link_leads_to_a_file_or_a_heading_that_is_there() -> None:
    assert list(check_links.faults()) == []
    assert sum(len(check_links.links(page)) for page in check_links.pages()) > 80


@pytest.mark.parametrize(
    ("link", "wrong"),
    [
        ("docs/start.md", ""),
        ("docs/start.md#where-next", ""),
        ("docs/nothing.md", "no such file"),
        ("docs", "no such file"),
        ("docs/start.md#nothing", "no such heading"),
        ("docs/images/flow.svg#nothing", "no such heading"),
        ("#nothing", "no such heading"),
        ("../README.md", "leads out of the repository"),
    ],
)
def test_a_dead_link_is_seen(link: str, wrong: str) -> None:
    assert check_links.fault(paths.ROOT / "README.md", link) == wrong


def test_links_in_code_are_none_and_in_a_list_they_are(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "[a](a.md) `[b](b.md)` ![c](c.png)\n\n    [d](d.md)\n    code [e](e.md)\n\n"
        "- item\n    - [f](f.md)\n\n```\n[g](g.md)\n```\n<!-- [h](h.md) -->\n[i](https://i.org/x)\n"
    )
    found = check_links.links(page)
    assert [link for link in found if not check_links.is_external(link)] == ["a.md", "c.png", "f.md"]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("1. See it pass", "1-see-it-pass"),
        ("`hil-test` says FAIL", "hil-test-says-fail"),
        ("A & B (c/d)", "a--b-cd"),
        ("[Zoo](zoo.md)", "zoo"),
        ("snake_case", "snake_case"),
    ],
)
def test_an_anchor_is_what_github_makes_of_a_heading(heading: str, anchor: str) -> None:
    assert check_links.slug(heading) == anchor


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_a_folder_of_somebodys_computer(name: str) -> None:
    assert OF_A_MACHINE.findall((paths.ROOT / name).read_text(encoding="utf-8")) == []


def test_the_number_that_the_first_steps_change_is_there() -> None:
    page = (paths.ROOT / "docs" / "start.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"sed -i 's/(.+?)/[^/]+/' (\S+)", page)
    assert found[0] in (paths.ROOT / found[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_list_is_one_for_every_markdown(name: str) -> None:
    """It stands behind a blank line, and a list in a list is four blanks further in."""
    wrong, before, fenced = [], "", False
    for number, line in enumerate((paths.ROOT / name).read_text(encoding="utf-8").splitlines(), 1):
        fenced ^= line.startswith("```")
        item = None if fenced else LIST_ITEM.match(line)
        if item and before and not (before.startswith(" ") or LIST_ITEM.match(before) or before.startswith("```")):
            wrong.append(number)
        if item and (len(line) - len(line.lstrip())) % 4:
            wrong.append(number)
        before = line
    assert wrong == []


def test_the_page_of_the_tasks_is_what_its_tool_writes() -> None:
    committed = write_tasks_page.PAGE.read_text(encoding="utf-8")
    assert committed == write_tasks_page.page(), "run: python tools/write_tasks_page.py"


def test_the_page_of_the_tasks_has_every_task_and_option() -> None:
    page = write_tasks_page.PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([a-z-]+)\n(.*?)(?=^## )", page, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(write_tasks_page.runs())
    assert ":func:" not in page, "say what `Returns` are where the task is"
    for name, run in write_tasks_page.runs().items():
        for field in write_tasks_page.declared(write_tasks_page.options_of(run)):
            typed = field.field.upper() if field.positional else field.flag
            assert f"| `{typed}" in sections[name], (name, typed)


def test_every_exit_code_is_explained_under_troubleshooting() -> None:
    page = (paths.ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    table = page.partition("## Exit codes")[2].partition("\n## ")[0]
    explained = re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE)
    assert explained == [
        "0",
        "1",
        *(row.split("|")[1].strip() for row in write_tasks_page.code_rows()),
        *explained[-2:],
    ]
    assert explained[-2:] == ["129, 130, 143", "141"]


def test_the_picture_of_the_steps_is_current_and_names_folders_that_are_there() -> None:
    drawn = draw_flow.picture()
    assert draw_flow.PICTURE.read_text(encoding="utf-8") == drawn, "run: python tools/draw_flow.py"
    texts = [str(element.text) for element in ElementTree.fromstring(drawn).iter() if element.get("class") == "file"]
    assert len(texts) == 8
    assert [text for text in texts if not (paths.ROOT / text).is_dir()] == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    if importlib.util.find_spec("mkdocs") is None and not os.environ.get("CI"):
        pytest.skip("MkDocs, which builds the site, is not installed: make setup EXTRAS=dev,docs")
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        str(SITE),
        "--site-dir",
        str(folder),
    ]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def built(site: Path, name: str) -> Path:
    """File of the site that was made of a page."""
    return site / f"{re.sub(r'README.md$', 'index.md', name).removesuffix('.md')}.html"


@pytest.mark.slow
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(site: Path) -> None:
    for name in PAGES:
        html = built(site, name).read_text(encoding="utf-8")
        assert re.findall(r"<(?:script|img|iframe|link rel=\"stylesheet\")[^>]*(?:src|href)=\"https?:", html) == []
    assert (site / "docs" / "images" / "flow.svg").is_file()
    assert "lead" in (site / "search" / "search_index.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_no_page_of_the_site_is_wider_than_a_phone(site: Path, chromium: Chrome) -> None:
    show_as(chromium, width=PHONE)
    wide = {}
    for name in PAGES:
        open_file(chromium, built(site, name))
        wide[name] = overflow(chromium)
    assert [name for name, pixels in wide.items() if pixels] == []


# Between them they have what pages are made of: tables, wide ones too, code of several languages, pictures, lists.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["docs/segment.md", "docs/formats.md"])
def test_a_page_of_the_site_keeps_nobody_out(site: Path, chromium: Chrome, name: str) -> None:
    for width, dark in ((WIDE, False), (PHONE, True)):
        show_as(chromium, width=width, dark=dark)
        open_file(chromium, built(site, name))
        assert barriers(chromium) == []
