"""The soaks that are committed: every byte equal, nothing lost, nothing grows, as the page about soaks tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.hil.soak.result import Counts, SoakResult
from ecgseg.hil.soak.trends import MOST_WINDOWS, trends

FILES = {target: Path(__file__).parents[1] / "vectors" / f"soak-{target}.json" for target in ("host", "qemu")}
PAGE = (paths.ROOT / "docs" / "soak.md").read_text(encoding="utf-8")


@pytest.fixture(params=FILES)
def soak(request: pytest.FixtureRequest) -> SoakResult:
    found = SoakResult.model_validate_json(FILES[request.param].read_text(encoding="utf-8"))
    assert found.target == request.param
    return found


def test_every_byte_was_equal_and_nothing_lost_through_faults_and_restarts(soak: SoakResult) -> None:
    counts = soak.counts
    assert (soak.verdict, soak.error, soak.mismatches) == ("pass", None, [])
    assert counts.frames == counts.expected_frames >= (soak.wanted_frames or 0) > 0
    assert (counts.mismatched_bytes, counts.differing_frames) == (0, 0)
    assert min(counts.faulty_leads, counts.faults, counts.retries, counts.restarts, counts.power_cycles) > 0


def test_memory_and_time_on_a_core_did_not_grow(soak: SoakResult) -> None:
    if len(soak.windows) <= MOST_WINDOWS:
        assert trends(soak.windows) == soak.trends
    outcomes = {trend.name: trend.outcome for trend in soak.trends}
    assert "grows" not in outcomes.values()
    for name in ("memory of this program", "memory of the target", "time on a core, median"):
        assert outcomes[name] == "steady"


def test_its_windows_add_up_to_its_counts(soak: SoakResult) -> None:
    counts = Counts()
    for window in soak.windows:
        counts = counts.plus(window)
    assert counts.model_dump(exclude={"seconds"}) == soak.counts.model_dump(exclude={"seconds"})
    lives = len({(window.session, window.process, window.life) for window in soak.windows})
    assert len(soak.windows) <= MOST_WINDOWS + lives


def test_the_page_tells_its_figures(soak: SoakResult) -> None:
    assert row(soak) in PAGE


def row(soak: SoakResult) -> str:
    """The line of the table of docs/soak.md."""
    counts = soak.counts
    typical = {trend.name: f"{trend.typical:.2f} {trend.unit}" for trend in soak.trends}
    cells = (
        f"`{soak.target}`",
        f"{counts.frames:,}",
        f"{counts.compared_bytes:,}",
        f"{counts.faults:,}",
        f"{counts.restarts + counts.power_cycles:,}",
        f"{counts.retries:,}",
        typical["memory of this program"],
        typical["memory of the target"],
        typical["time on a core, median"],
    )
    return f"| {' | '.join(cells)} |"
