"""The tests of a rig as commands, each with its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic_core import from_json

from ecgseg.errors import cause
from ecgseg.files import read_file, safe_name
from ecgseg.hil.result import HilResult
from ecgseg.hil.rig.file import RigFile, RigTarget
from ecgseg.hil.stream_result import StreamResult
from ecgseg.models import find_model

STEPS = "ECGSEG_STEPS"
"""Environment variable that names the file in which a test tells how far it is."""
_MAX_STEPS_BYTES = 100
_MAX_LOG_BYTES = 1 << 20
_MAX_RESULT_BYTES = 64 << 20
_ERROR, _PARTS = "Error: ", 3


@dataclass(frozen=True)
class Job:
    """A test of one model on one target.

    Attributes:
        name: of the target; jobs of one name follow one another.
        target: what it is.
        model: by name, or that of its file.
        commands: run one after the other; the last is the test.
        folder: where its files go.
        stem: of the names of its files.
        seconds: how long it may take at most.
    """

    name: str
    target: str
    model: str
    commands: tuple[tuple[str, ...], ...] = field(repr=False)
    folder: Path
    stem: str
    seconds: float

    @property
    def json(self) -> Path:
        """The test's own result."""
        return self.folder / f"{self.stem}.json"

    @property
    def html(self) -> Path:
        """The test's own page."""
        return self.folder / f"{self.stem}.html"

    @property
    def log(self) -> Path:
        """What its commands said."""
        return self.folder / f"{self.stem}.log"

    @property
    def steps(self) -> Path:
        """How far it is."""
        return self.folder / f"{self.stem}.steps"

    def place_of(self, file: Path) -> str:
        """One of its files as seen from the folder around `folder`."""
        return f"{self.folder.name}/{file.name}"

    def result(self) -> HilResult | StreamResult | None:
        """The test's own result; None where it left none that is whole."""
        try:
            found = from_json(read_file(self.json, _MAX_RESULT_BYTES))
            kind = StreamResult if isinstance(found, dict) and found.get("kind") == "stream" else HilResult
            return kind.model_validate(found)
        except (OSError, ValueError):
            return None

    def progress(self) -> tuple[int, int, bool]:
        """Leads that are compared, how many there are, and whether all are equal; (0, 0, True) when nobody told."""
        try:
            done, total, equal = map(int, read_file(self.steps, _MAX_STEPS_BYTES).split())
        except (OSError, ValueError):
            return 0, 0, True
        return done, total, bool(equal)

    def said(self) -> str:
        """The error that its commands told last, else the last line of what they said."""
        try:
            lines = read_file(self.log, _MAX_LOG_BYTES).decode(errors="replace").splitlines()
        except OSError as error:
            return cause(error, "It is not known what it said.")
        told = [number for number, line in enumerate(lines) if line.startswith(_ERROR)]
        if told:
            return " ".join(line.strip() for line in lines[told[-1] :][:_PARTS]).removeprefix(_ERROR)
        return next((line.strip() for line in reversed(lines) if line.strip()), "It said nothing.")


def jobs_of(
    rig: RigFile, folder: Path, invoke: Sequence[str], shared: Sequence[str] = (), *, resume: bool = False
) -> list[Job]:
    """The tests of a rig in the order of its file.

    Args:
        rig: what the file says.
        folder: where files of the tests go.
        invoke: what starts a task.
        shared: further words of every test.
        resume: every test goes on where it was stopped, but those with faults in their line.

    Raises:
        UsageError, ModelError: a model is not there.
    """
    jobs: list[Job] = []
    for target in rig.target:
        for named in target.models:
            model = find_model(named).name
            stem = f"{len(jobs) + 1:02d}-{target.name}-{safe_name(model)}"
            job = Job(target.name, target.target, model, (), folder, stem, target.seconds)
            places = ("--json", str(job.json), "--html", str(job.html))
            goes_on = ("--resume",) if resume and target.inject is None else ()
            test = (*invoke, "hil-test", *_words(target, named), *shared, *goes_on, *places)
            flash = ((*invoke, "flash", "--model", named, *_place(target)),) if target.flash else ()
            jobs.append(replace(job, commands=(*flash, test)))
    return jobs


def _words(target: RigTarget, model: str) -> list[str]:
    words = ["--target", target.target, "--model", model, *_place(target)]
    words += ["--baud", str(target.baud)] if target.baud is not None else []
    words += ["--stream"] if target.stream else []
    words += ["--inject", target.inject] if target.inject is not None else []
    given = target.model_fields_set
    return words + [word for key in ("records", "leads") if key in given for word in (f"--{key}", getattr(target, key))]


def _place(target: RigTarget) -> list[str]:
    port = ["--port", target.port] if target.port is not None else []
    return port + (["--serial", target.serial] if target.serial is not None else [])
