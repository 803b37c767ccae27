"""Where there is no browser, its tests are left out with what to do about it; where CI runs, that is a failure."""

from __future__ import annotations

import pytest

from support import chromium


def test_a_missing_browser_skips_a_test_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no browser: make setup EXTRAS=dev,browser"):
        chromium.missing("no browser")


def test_a_missing_browser_fails_a_test_where_ci_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no browser: make setup EXTRAS=dev,browser"):
        chromium.missing("no browser")
