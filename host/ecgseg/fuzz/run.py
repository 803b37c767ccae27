"""Runs a fuzzer as a process, follows it, and keeps what it finds."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel

from ecgseg import paths
from ecgseg.codegen.render import render
from ecgseg.errors import TargetError, ToolMissingError
from ecgseg.fuzz.child import FOUND
from ecgseg.fuzz.kinds import DEVICE, Kind
from ecgseg.image.boards import HOST
from ecgseg.image.build import build
from ecgseg.image.programs import FUZZ
from ecgseg.models import find_model
from ecgseg.output import write_text

# The smallest of the zoo: the more inputs a second, the more is found.
_MODEL = "seg-2-tcn-sm"
_MEMORY_MB = 2048
_END_SECONDS = 30.0
_REPORT_LINES = 200
_STATUS = re.compile(r"^#(\d+)\s")
_EXECUTED = re.compile(r"^stat::number_of_executed_units: (\d+)")
# libFuzzer names the prefix on the same line, before it.
_ARTIFACT = re.compile(r"(?:^|; )Test unit written to (.+)$")

Progress = Callable[[float, int, int], None]
"""Called with seconds, inputs and findings so far."""


class FuzzResult(BaseModel):
    """What a fuzzer did.

    Attributes:
        what: which.
        seed: of its random numbers.
        seconds: it ran.
        executions: inputs.
        findings: files of inputs that ended badly; what was said lies beside each as .txt.
    """

    what: str
    seed: int
    seconds: float
    executions: int
    findings: list[str]


def fuzz(kind: Kind, seconds: float, seed: int, progress: Progress = lambda *_: None) -> FuzzResult:
    """Fuzzes for a time. What is found is kept as it is found, also when this is interrupted.

    Args:
        kind: what.
        seconds: how long; at least one.
        seed: of the random numbers, at least 1.
        progress: is told about it.

    Raises:
        ToolMissingError: clang or atheris is not installed.
        BuildError: the device's fuzzer does not build.
        TargetError: the fuzzer ended by itself, without a finding.
    """
    command = fuzzer_command(kind)
    corpus = kind.folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    kind.findings.mkdir(parents=True, exist_ok=True)
    arguments = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-seed={seed}",
        f"-max_len={kind.largest}",
        f"-timeout={kind.seconds}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-artifact_prefix={kind.findings}/",
        "-print_final_stats=1",
        str(corpus),
        str(kind.corpus),
    ]
    start = time.monotonic()
    seen = _Seen()
    with _running([*command, *arguments]) as process:
        for line in _lines(process):
            seen.take(line)
            progress(time.monotonic() - start, seen.executions, len(seen.findings))
    if process.returncode != 0 and not seen.findings:
        raise _ended(kind, process.returncode, seen.lines)
    seen.report(kind)
    found = sorted(str(path) for path in seen.findings)
    return FuzzResult(
        what=kind.name, seed=seed, seconds=time.monotonic() - start, executions=seen.executions, findings=found
    )


def run_again(kind: Kind, path: Path) -> tuple[bool, str]:
    """Runs one input. Returns whether it ended well, and what was said.

    Raises:
        ToolMissingError, BuildError: as :func:`fuzz`.
    """
    limits = [f"-timeout={kind.seconds}", f"-rss_limit_mb={_MEMORY_MB}", f"-artifact_prefix={kind.findings}/"]
    kind.findings.mkdir(parents=True, exist_ok=True)
    with _running([*fuzzer_command(kind), *limits, str(path)]) as process:
        lines = list(_lines(process))
    bad = process.returncode != 0 or any(line.startswith(FOUND) for line in lines)
    reports = [Path(line.removeprefix(FOUND)).with_suffix(".txt") for line in lines if line.startswith(FOUND)]
    return not bad, "\n".join([*lines, *(report.read_text(encoding="utf-8") for report in reports)])


class _Seen:
    """What a fuzzer has said so far."""

    def __init__(self) -> None:
        self.executions = 0
        self.findings: dict[Path, None] = {}
        self.lines: list[str] = []

    def take(self, line: str) -> None:
        """One line."""
        if found := _STATUS.match(line) or _EXECUTED.match(line):
            self.executions = max(self.executions, int(found[1]))
        elif found := _ARTIFACT.search(line):
            self.findings[Path(found[1])] = None
        elif line.startswith(FOUND):
            self.findings[Path(line.removeprefix(FOUND))] = None
        else:
            self.lines = [*self.lines[-_REPORT_LINES:], line]

    def report(self, kind: Kind) -> None:
        """Writes beside each finding what was said, and how to run it again."""
        for path in self.findings:
            report = path.with_suffix(".txt")
            said = report.read_text(encoding="utf-8") if report.is_file() else "\n".join(self.lines) + "\n"
            write_text(report, f"{again(kind.name, path)}\n\n{said}")


def again(what: str, path: Path | str) -> str:
    """The command that runs a finding again."""
    path = Path(path)
    return (
        f"invoke fuzz --what {what} --input {path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path}"
    )


def fuzzer_command(kind: Kind) -> list[str]:
    """What starts the fuzzer; arguments of libFuzzer follow. The device's is built for it.

    Raises:
        ToolMissingError, BuildError: as :func:`fuzz`.
    """
    if kind.name != DEVICE:
        if find_spec("atheris") is None:
            raise ToolMissingError(
                "atheris is not installed.",
                "It guides the fuzzers of Python code; `make setup` leaves it out.",
                "Run: make setup EXTRAS=dev,fuzz",
            )
        return [sys.executable, "-m", "ecgseg.fuzz.child", kind.name]
    model = find_model(_MODEL)
    generated = kind.folder / "generated"
    render(model.path, generated, name=model.name)
    return [str(build(HOST, generated, program=FUZZ, out_dir=kind.folder / "image").elf)]


@contextmanager
def _running(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The process in a group of its own: Ctrl-C reaches this one alone, which then ends the other."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    process = subprocess.Popen(
        command,
        cwd=paths.ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        yield process
        process.wait(_END_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stderr is not None
    for line in process.stderr:
        yield line.rstrip("\n")


def _ended(kind: Kind, code: int, lines: Sequence[str]) -> TargetError:
    return TargetError(
        f"The fuzzer {kind.name} ended by itself with exit code {code}.",
        "\n".join(lines[-10:]),
        "Correct what it names, and run it again.",
    )
