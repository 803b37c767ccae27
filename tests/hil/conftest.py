"""What the tests of rogue devices share."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.rogue_cli import HilTest


@pytest.fixture
def hil(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> HilTest:
    """`invoke hil-test` as it is, but for what would render, build and start something."""
    return HilTest(monkeypatch, capsys, tmp_path)
