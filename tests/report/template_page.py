"""Template of a page's tests. It guards the page of a model's memory as it stands; copy it to
tests/report/test_report_<page>.py and replace `result`, `page` and the words.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import render
from ecgseg.errors import OutputError
from ecgseg.models import find_model
from ecgseg.report.memory import write_report
from support.pages import check_page, text_of


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """A result as the rooms below make it; one put together by hand does as well."""
    return render(find_model("seg-2-tcn-sm").data, tmp_path_factory.mktemp("generated"), name="seg-2-tcn-sm")


def page(result: Manifest, folder: Path, **changes: Any) -> str:
    """The page of a result, as it was measured or changed."""
    write_report(result.model_copy(update=changes), folder / "page.html")
    return (folder / "page.html").read_text(encoding="utf-8")


def test_it_is_one_file_without_network_for_light_and_dark_and_for_those_who_hear_it(
    measured: Manifest, tmp_path: Path
) -> None:
    check_page(page(measured, tmp_path))


def test_it_says_in_words_what_was_measured(measured: Manifest, tmp_path: Path) -> None:
    text = text_of(page(measured, tmp_path))
    assert "Memory of seg-2-tcn-sm" in text
    assert f"Arena {measured.arena_bytes:,} bytes" in text
    assert all(layer.name in text for layer in measured.layers)


def test_what_comes_from_data_is_escaped(measured: Manifest, tmp_path: Path) -> None:
    html = page(measured, tmp_path, model="<script>alert(1)</script>")
    assert "<script>" not in html
    check_page(html)


def test_the_same_result_gives_the_same_bytes(measured: Manifest, tmp_path: Path) -> None:
    assert page(measured, tmp_path) == page(measured, tmp_path)


def test_a_result_without_anything_in_it_is_a_page_all_the_same(measured: Manifest, tmp_path: Path) -> None:
    check_page(page(measured, tmp_path, layers=[], buffers=[], arena_bytes=0))


def test_a_place_that_takes_no_page_is_told(measured: Manifest) -> None:
    with pytest.raises(OutputError, match="/dev/full"):
        write_report(measured, Path("/dev/full"))
