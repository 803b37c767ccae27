"""The whole of `invoke hil-test`: run, print, write, exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.choices import choose
from ecgseg.commands.guard import EXIT_INTERRUPTED, show_error
from ecgseg.data.records import parse_leads, parse_records
from ecgseg.hil.result import HilRun
from ecgseg.hil.runner import HilOptions, run
from ecgseg.image.backends import BACKENDS
from ecgseg.link.ports import DEFAULT_BAUD
from ecgseg.output import write_json
from ecgseg.report.html import write_report
from ecgseg.report.picture import write_picture
from ecgseg.report.progress import hil_bar
from ecgseg.report.terminal import show_result
from ecgseg.targets import TargetOptions, targets
from ecgseg.terminal import console, messages


@dataclass(frozen=True)
class Outputs:
    """Where results go: JSON (None: nowhere) and the HTML report (None: build/reports/hil-<target>-<model>.html).

    `picture` is a PNG of the last lead shown in the report; None: no picture.
    """

    json: Path | None = None
    html: Path | None = None
    picture: Path | None = None


def hil_test(options: HilOptions, outputs: Outputs) -> int:
    """Runs a HIL test and says what came of it.

    Returns:
        The exit code: 0 only when every byte is equal, 1 when one is not, 130 after Ctrl-C, that of the error when
        the test could not be finished. What was compared until then is written all the same.
    """
    with hil_bar(options.target) as on_step:
        finished = run(options, on_step)
    show_result(finished.result, console)
    if outputs.json:
        write_json(finished.result, outputs.json)
        messages.print(f"JSON: {outputs.json}", highlight=False, soft_wrap=True)
    report = outputs.html or paths.REPORTS / f"hil-{options.target}-{finished.result.model}.html"
    write_report(finished, report)
    messages.print(f"Report: {report}", highlight=False, soft_wrap=True)
    if outputs.picture and finished.shown:
        write_picture(finished.shown[-1], finished.result, outputs.picture)
        messages.print(f"Picture: {outputs.picture}", highlight=False, soft_wrap=True)
    return exit_code(finished)


def exit_code(finished: HilRun) -> int:
    """Exit code of a run; prints the error that ended it."""
    if finished.interrupted:
        return EXIT_INTERRUPTED
    if finished.error is not None:
        show_error(finished.error)
        return finished.error.exit_code
    return 0 if finished.result.verdict == "pass" else 1


@dataclass(frozen=True)
class Typed:
    """Options of `invoke hil-test` as the user types them."""

    target: str
    model: str | None = None
    tflite: str | None = None
    records: str = "test"
    leads: str = "all"
    ludb: str | None = None
    backend: str = "aot"
    tflm_dir: str | None = None
    port: str | None = None
    serial: str | None = None
    baud: int = DEFAULT_BAUD
    replay: str | None = None
    json: str | None = None
    html: str | None = None
    picture: str | None = None

    def parse(self) -> tuple[HilOptions, Outputs]:
        """Options and outputs.

        Raises:
            UsageError: an option makes no sense.
        """
        options = HilOptions(
            target=choose("target", self.target, tuple(sorted(targets())), "--target"),
            model=self.model,
            tflite=_path(self.tflite),
            records=parse_records(self.records),
            leads=parse_leads(self.leads),
            ludb=_path(self.ludb),
            replay=_path(self.replay),
            backend=choose("backend", self.backend, BACKENDS, "--backend"),
            tflm_dir=_path(self.tflm_dir),
            target_options=TargetOptions(port=self.port, baud=self.baud, serial_number=self.serial),
        )
        return options, Outputs(_path(self.json), _path(self.html), _path(self.picture))


def _path(text: str | None) -> Path | None:
    return Path(text).expanduser() if text else None


def demo(ludb: str | None, picture: str | None) -> int:
    """A HIL test in QEMU over lead II of the test records, with its report.

    Returns:
        The exit code of the test.
    """
    report = paths.REPORTS / "demo.html"
    return hil_test(*Typed("qemu", leads="ii", ludb=ludb, html=str(report), picture=picture).parse())


def leave(code: int) -> None:
    """Ends the program with an exit code, unless it is 0."""
    if code:
        raise SystemExit(code)
