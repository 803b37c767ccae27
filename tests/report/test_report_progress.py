"""Bars of a terminal of 80 columns: nothing of them is cut off."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ecgseg import terminal
from ecgseg.hil.soak.result import Counts
from ecgseg.hil.soak.session import SoakStep
from ecgseg.report import progress


@pytest.mark.parametrize("equal", [True, False])
def test_the_bar_of_a_long_soak_fits_80_columns(equal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    shown = Console(file=text, width=80, force_terminal=True, color_system=None)
    monkeypatch.setattr(terminal, "messages", shown)
    monkeypatch.setattr(progress, "messages", shown)
    counts = Counts(frames=1_000_000, restarts=8_600, faults=300_900, retries=76_910, seconds=6_660.0)
    with progress.soak_bar("apollo4p-sim") as on_step:
        on_step(SoakStep(counts, None, 1_000_000, equal))
    assert f"Soak apollo4p-sim: 1,000,000 frames{'' if equal else ' differs'} " in text.getvalue()
    assert "100 %" in text.getvalue()
    assert "…" not in text.getvalue()
