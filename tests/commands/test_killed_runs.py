"""What tools/kill_at_random.py found: a test that is killed and resumed ends with the result of an undisturbed one."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from ecgseg import paths

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
from kill_at_random import Kill, Row, read, summary, write

FILE = paths.ROOT / "tests" / "vectors" / "killed-runs.json"
ROWS = read(FILE)
KILLS = [kill for row in ROWS for kill in row.kills]


def test_no_test_that_was_killed_ended_with_another_result() -> None:
    assert len(KILLS) >= 100
    assert all(row.equal for row in ROWS)


def test_kills_hit_a_test_from_its_start_to_its_end() -> None:
    assert {kill.left for kill in KILLS} == {"nothing", "a journal", "the result"}
    assert len({kill.leads for kill in KILLS}) > 10
    assert min(kill.moment for kill in KILLS) < 1
    for row in ROWS:
        # Nothing that was finished is gone when it goes on and is killed again.
        leads = [kill.leads for kill in row.kills if kill.left == "a journal"]
        assert leads == sorted(leads)


def test_its_totals_are_those_of_its_tests_and_the_page_tells_them() -> None:
    told = json.loads(FILE.read_text(encoding="utf-8"))
    assert told["totals"] == summary(ROWS)["totals"]
    (totals,) = told["totals"].values()
    page = (paths.ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", page)
    assert f"{totals['kills']} kills in {totals['tests']} tests of frames" in text
    assert "tests/vectors/killed-runs.json" in text


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    row = Row("qemu", "m", "1", 2.5, (Kill(0.5, 3, "a journal"), Kill(1.25, 0, "the result")), True)
    write(tmp_path / "file.json", [row, row])
    assert read(tmp_path / "file.json") == [row, row]
    assert read(tmp_path / "none.json") == []
