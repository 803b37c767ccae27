"""`invoke clean` and vectors that differed: they go only when somebody says so."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.commands import clean
from ecgseg.commands.task import start
from ecgseg.errors import UsageError


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of what was built, with a run whose frame differed."""
    folder = tmp_path / "build"
    vectors = folder / "runs" / "2026-01-31T101500Z-seg-4-tcn-sm-host" / "vectors"
    vectors.mkdir(parents=True)
    (vectors / "host-181-ii-0.npz").write_bytes(b"kept")
    monkeypatch.setattr(paths, "BUILD", folder)
    return folder


def answering(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who sits at a terminal."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(type(clean.messages), "is_terminal", property(lambda _: True))
    monkeypatch.setattr(clean.console, "input", lambda *_, **__: answer)


def test_nobody_to_ask_is_a_refusal_that_tells_the_option(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    with pytest.raises(UsageError) as caught:
        start(clean.run)
    assert "1 vector that differed" in caught.value.what
    assert "--vectors" in caught.value.remedy
    assert build.exists()


@pytest.mark.parametrize(("answer", "stays"), [("y", False), ("Yes", False), ("n", True), ("", True)])
def test_the_answer_decides(answer: str, stays: bool, build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(answer, monkeypatch)
    start(clean.run)
    assert build.exists() == stays


def test_the_option_says_so_beforehand(build: Path) -> None:
    start(clean.run, vectors=True)
    assert not build.exists()


def test_without_vectors_nobody_is_asked(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (vector,) = build.rglob("*.npz")
    vector.unlink()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    start(clean.run)
    assert not build.exists()
