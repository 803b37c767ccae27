"""What came of a rig: each of its tests, and of all of them one verdict and one exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from ecgseg.hil.provenance import Provenance
from ecgseg.hil.result import Verdict

DIFFERS = 1


class RigRun(BaseModel):
    """A test of one model on one target.

    Attributes:
        name: of the target, as the rig calls it.
        target: what it is, such as "qemu".
        model: by name, or that of its file.
        verdict: "pass" and "fail" as the test's own; "incomplete" also where it left no result.
        exit_code: 0 for "pass", 1 for "fail", else that of the error (docs/troubleshooting.md).
        done, total: leads that were compared, and how many there are; 0 when that was not told.
        compared_bytes, mismatched_bytes: as in the test's result; 0 without one.
        seconds: from its start to its end.
        error: why it has no verdict, or came to no end; None otherwise.
        result, report, log: files, from the folder of the rig's run: the test's own result and page, None where it left
            none, and what it said.
    """

    name: str
    target: str
    model: str
    verdict: Verdict
    exit_code: int
    done: int = 0
    total: int = 0
    compared_bytes: int = 0
    mismatched_bytes: int = 0
    seconds: float = 0.0
    error: str | None = None
    result: str | None = None
    report: str | None = None
    log: str | None = None


class RigResult(BaseModel):
    """What came of all tests of a rig.

    Attributes:
        kind: tells it from the result of one test.
        rig: the file that names the targets.
        verdict: "pass" when every test passed; "fail" when a byte of any differed; else "incomplete".
        exit_code: 0, 1, or that of the first test without a verdict.
        runs: in the order of the file.
        seconds: from the first start to the last end.
        error: of the rig itself: a signal that stopped it.
        provenance: when, by which command, what computed.
    """

    kind: Literal["rig"] = "rig"
    rig: str
    verdict: Verdict
    exit_code: int
    runs: list[RigRun]
    seconds: float
    error: str | None = None
    provenance: Provenance | None = None

    @staticmethod
    def of(rig: str, runs: Sequence[RigRun], seconds: float, stopped: tuple[str, int] | None = None) -> RigResult:
        """The result of tests.

        Args:
            rig: the file.
            runs: in the order of the file.
            seconds: that all took.
            stopped: words and exit code of the signal that stopped the rig.
        """
        codes = [run.exit_code for run in runs if run.exit_code]
        verdict: Verdict = "pass"
        if any(run.verdict == "fail" for run in runs):
            verdict, code = "fail", DIFFERS
        elif codes or stopped:
            verdict, code = "incomplete", next(iter(codes), 0)
        else:
            code = 0
        return RigResult(
            rig=rig,
            verdict=verdict,
            exit_code=stopped[1] if stopped else code,
            runs=list(runs),
            seconds=round(seconds, 3),
            error=stopped[0] if stopped else None,
        )
