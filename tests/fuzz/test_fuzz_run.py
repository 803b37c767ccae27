"""A fuzzer is followed to its end, keeps what it finds, and is gone when nobody waits for it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecgseg import paths
from ecgseg.errors import EcgsegError, TargetError, ToolMissingError
from ecgseg.fuzz import run
from ecgseg.fuzz.child import FOUND, Keeper
from ecgseg.fuzz.files import answered
from ecgseg.fuzz.kinds import DEVICE, KINDS, Kind


@dataclass(frozen=True)
class _Elsewhere(Kind):
    """A kind whose findings lie in a folder of the test."""

    place: Path = Path()

    @property
    def folder(self) -> Path:
        return self.place


@pytest.fixture
def kind(tmp_path: Path) -> Kind:
    return _Elsewhere("config", "nothing", 64, place=tmp_path)


def _as_fuzzer(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    """Puts a program in the fuzzer's place; it is given the fuzzer's arguments."""
    program = "import sys, time; say = lambda text: print(text, file=sys.stderr, flush=True); " + "; ".join(statements)
    monkeypatch.setattr(run, "fuzzer_command", lambda _: [sys.executable, "-c", program])


def test_what_it_says_is_counted(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    _as_fuzzer(monkeypatch, "say('#12\\tpulse cov: 3')", "say('stat::number_of_executed_units: 40')")
    seen: list[int] = []
    result = run.fuzz(kind, 1, 5, lambda _, executions, __: seen.append(executions))
    assert (result.executions, result.findings, result.seed) == (40, [], 5)
    assert seen == [12, 40]


@pytest.mark.parametrize("before", ["", "artifact_prefix='findings/'; "], ids=["alone", "after its prefix"])
def test_a_finding_is_kept_with_what_was_said_and_the_command_that_runs_it_again(
    before: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = kind.findings / "crash-1"
    written = f"{before}Test unit written to {crash}"
    _as_fuzzer(monkeypatch, "say('ERROR: AddressSanitizer')", f"say({written!r})", "sys.exit(77)")
    result = run.fuzz(kind, 1, 5)
    assert result.findings == [str(crash)]
    report = crash.with_suffix(".txt").read_text(encoding="utf-8")
    assert report.startswith(f"invoke fuzz --what config --input {crash}\n")
    assert "ERROR: AddressSanitizer" in report


def test_a_fuzzer_that_breaks_is_an_error_and_no_result_without_findings(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    _as_fuzzer(monkeypatch, "say('ImportError: x')", "sys.exit(3)")
    with pytest.raises(TargetError, match="exit code 3") as raised:
        run.fuzz(kind, 1, 5)
    assert "ImportError: x" in raised.value.why
    assert raised.value.remedy


def test_ctrl_c_ends_the_fuzzer_too(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    number = kind.folder / "pid"
    _as_fuzzer(
        monkeypatch,
        "import os, pathlib",
        f"pathlib.Path({str(number)!r}).write_text(str(os.getpid()))",
        "say('#1')",
        "time.sleep(60)",
    )

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.fuzz(kind, 1, 5, interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(number.read_text()), 0)


def test_each_way_of_ending_badly_is_kept_once_and_the_next_input_follows(
    kind: Kind, capsys: pytest.CaptureFixture[str]
) -> None:
    def read(data: bytes) -> None:
        if data == b"refused":
            raise EcgsegError("refused")
        if data:
            raise KeyError(data) if data < b"m" else RecursionError

    keeper = Keeper(kind, lambda data: answered(read, data))
    for data in (b"", b"refused", b"a", b"b", b"z", b""):
        keeper(data)
    kept = sorted(path for path in kind.findings.iterdir() if path.suffix != ".txt")
    assert [path.name.partition("-")[0] for path in kept] == ["KeyError", "RecursionError"]
    assert [path.read_bytes() for path in kept] == [b"a", b"z"]
    assert all("Traceback" in path.with_suffix(".txt").read_text(encoding="utf-8") for path in kept)
    assert capsys.readouterr().err.count(FOUND) == 2


def test_a_missing_fuzzer_is_told_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "find_spec", lambda _: None)
    with pytest.raises(ToolMissingError, match="make setup EXTRAS=dev,fuzz"):
        run.fuzz(KINDS["npz"], 1, 1)
    monkeypatch.setattr("ecgseg.image.toolchain.shutil.which", lambda _: None)
    with pytest.raises(ToolMissingError, match="apt-get install clang libclang-rt"):
        run.fuzz(KINDS[DEVICE], 1, 1)


def test_a_finding_in_the_repository_is_named_as_the_user_would_type_it() -> None:
    kept = KINDS["npz"].findings / "x"
    assert run.again("npz", kept) == f"invoke fuzz --what npz --input {kept.relative_to(paths.ROOT)}"
