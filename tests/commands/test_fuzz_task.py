"""`invoke fuzz`: what it refuses before the work, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecgseg.commands import fuzz
from ecgseg.commands.task import start
from ecgseg.errors import UsageError
from ecgseg.fuzz.kinds import KINDS, Kind
from ecgseg.fuzz.run import FuzzResult


@pytest.fixture
def fuzzed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, int]]:
    """What was fuzzed, for how many seconds, with which seed; nothing is found, but in archives."""
    done: list[tuple[str, float, int]] = []

    def fuzz_nothing(kind: Kind, seconds: float, seed: int, progress: object) -> FuzzResult:
        done.append((kind.name, seconds, seed))
        found = ["build/[x]"] if kind.name == "archive" else []
        return FuzzResult(what=kind.name, seed=seed, seconds=seconds, executions=9, findings=found)

    monkeypatch.setattr("ecgseg.fuzz.run.fuzz", fuzz_nothing)
    return done


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"minutes": "0"}, "--minutes 0 is no time"),
        ({"minutes": "nan"}, "--minutes nan is no time"),
        ({"minutes": "ten"}, "--minutes ten is no time"),
        ({"seed": 0}, "--seed 0 is no seed"),
        ({"what": "devise"}, "Did you mean 'device'"),
        ({"input": "x"}, "--input says not what reads it"),
        ({"input": "none", "what": "npz"}, "There is no file 'none'"),
        ({"input": "x", "what": "npz", "seed": 1}, "--input does not go with --seed"),
    ],
)
def test_what_makes_no_sense_is_told_before_the_work(
    typed: dict[str, object], said: str, fuzzed: list[tuple[str, float, int]]
) -> None:
    with pytest.raises(UsageError, match=said):
        start(fuzz.run, **typed)
    assert fuzzed == []


def test_the_exit_code_tells_whether_something_was_found(
    fuzzed: list[tuple[str, float, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(fuzz.run, what="npz", minutes="0.5", seed=7) == 0
    assert fuzzed == [("npz", 30.0, 7)]
    assert start(fuzz.run, minutes="0.1") == fuzz.EXIT_FOUND
    assert [name for name, *_ in fuzzed[1:]] == list(KINDS)
    assert "again: invoke fuzz --what archive --input build/[x]" in capsys.readouterr().out


def test_an_input_is_run_again(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "x").write_bytes(b"")
    monkeypatch.setattr("ecgseg.fuzz.run.run_again", lambda kind, path: (path.name == "x", "said [red]"))
    assert start(fuzz.run, what="npz", input=str(tmp_path / "x")) == 0
    (tmp_path / "y").write_bytes(b"")
    assert start(fuzz.run, what="npz", input=str(tmp_path / "y")) == fuzz.EXIT_FOUND
    assert "said [red]" in capsys.readouterr().out
