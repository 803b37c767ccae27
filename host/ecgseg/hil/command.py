"""The whole of `invoke hil-test`: run, print, write, exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.cli import EXIT_INTERRUPTED, console, messages, show_error, write_json
from ecgseg.hil.result import HilRun
from ecgseg.hil.runner import HilOptions, run
from ecgseg.report.html import write_report
from ecgseg.report.terminal import show_result


@dataclass(frozen=True)
class Outputs:
    """Where results go: JSON (None: nowhere) and the HTML report (None: build/reports/hil-<target>-<model>.html)."""

    json: Path | None = None
    html: Path | None = None


def hil_test(options: HilOptions, outputs: Outputs) -> int:
    """Runs a HIL test and says what came of it.

    Returns:
        The exit code: 0 only when every byte is equal, 1 when one is not, 130 after Ctrl-C, that of the error when
        the test could not be finished. What was compared until then is written all the same.
    """
    finished = run(options)
    show_result(finished.result, console)
    if outputs.json:
        write_json(finished.result, outputs.json)
        messages.print(f"JSON: {outputs.json}", highlight=False, soft_wrap=True)
    report = outputs.html or paths.REPORTS / f"hil-{options.target}-{finished.result.model}.html"
    write_report(finished, report)
    messages.print(f"Report: {report}", highlight=False, soft_wrap=True)
    return exit_code(finished)


def exit_code(finished: HilRun) -> int:
    """Exit code of a run; prints the error that ended it."""
    if finished.interrupted:
        return EXIT_INTERRUPTED
    if finished.error is not None:
        show_error(finished.error)
        return finished.error.exit_code
    return 0 if finished.result.verdict == "pass" else 1
