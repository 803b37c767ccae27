"""The folder of a run: what is in it, how it is begun and ended."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ecgseg import paths
from ecgseg.doctor.versions import versions_here
from ecgseg.errors import DataError, OutputError, cause
from ecgseg.files import broken_rules, expanded, is_file, read_file, safe_name
from ecgseg.hil.provenance import Provenance
from ecgseg.hil.result import HilResult
from ecgseg.hil.rig.result import RigResult
from ecgseg.hil.soak.result import SoakResult, SoakVerdict
from ecgseg.hil.stream_result import StreamResult
from ecgseg.output import output_error, write_json

ENVIRONMENT = "ECGSEG_RUNS"
ABOUT, RESULT, REPORT, VECTORS, JOURNAL = "run.json", "result.json", "report.html", "vectors", "leads.progress"
_MAX_ABOUT_BYTES = 1 << 20
_MOST_OF_ONE_SECOND = 1000


class RunAbout(BaseModel):
    """What a run's folder says of it in run.json.

    Attributes:
        task: that made it, such as "hil-test".
        model: by name, or that of its file; of a rig that of the rig's file.
        target: where it ran; "rig" of one.
        verdict: as in the result; None as long as there is none: the run goes on, or was killed.
        compared: how much of it was compared.
        unit: of `compared`: "frames", "leads" of a stream, or "tests" of a rig.
        provenance: when and by which command it was begun, and what computed.
        fingerprint: of what was asked for; only a run of the same is resumed.
    """

    task: str
    model: str
    target: str
    verdict: SoakVerdict | None = None
    compared: int = 0
    unit: str = "frames"
    provenance: Provenance
    fingerprint: str = ""


@dataclass(frozen=True)
class RunFolder:
    """A folder in which a run is kept.

    Attributes:
        path: build/runs/DATE-MODEL-TARGET.
        about: what run.json says.
    """

    path: Path
    about: RunAbout

    @property
    def result(self) -> Path:
        """The result for machines, with its provenance."""
        return self.path / RESULT

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / REPORT

    @property
    def vectors(self) -> Path:
        """Folder of what differed; there only when something did."""
        return self.path / VECTORS

    @property
    def journal(self) -> Path:
        """Which leads were equal, as long as the run has not come to its end."""
        return self.path / JOURNAL

    def end(self, result: HilResult | StreamResult) -> None:
        """Writes the result, then into run.json what came of the run.

        Raises:
            OutputError: one of the two could not be written.
        """
        compared, unit = (result.streams, "leads") if isinstance(result, StreamResult) else (result.frames, "frames")
        self._end(result, result.verdict, compared, unit)

    def end_rig(self, result: RigResult) -> None:
        """Writes what came of a rig, whose tests are runs of their own.

        Raises:
            OutputError: it could not be written.
        """
        self._end(result, result.verdict, len(result.runs), "tests")

    def end_soak(self, result: SoakResult) -> None:
        """Writes what came of a soak.

        Raises:
            OutputError: it could not be written.
        """
        self._end(result, result.verdict, result.counts.frames, "frames")

    def _end(self, result: BaseModel, verdict: SoakVerdict, compared: int, unit: str) -> None:
        write_json(result, self.result)
        ended = {"verdict": verdict, "compared": compared, "unit": unit}
        write_json(self.about.model_copy(update=ended), self.path / ABOUT)

    def forget(self) -> None:
        """Removes the folder of a run that came to nothing."""
        shutil.rmtree(self.path, ignore_errors=True)


def place() -> Path:
    """Where runs are kept: what the environment variable ECGSEG_RUNS names, else build/runs."""
    named = os.environ.get(ENVIRONMENT)
    return expanded(named) if named else paths.RUNS


def begin(task: str, model: str, target: str, command: str, fingerprint: str = "") -> RunFolder:
    """Makes the folder of a run; no other has its name, and none is ever overwritten.

    Args:
        task: such as "hil-test".
        model: by name.
        target: where it runs.
        command: as it was typed.
        fingerprint: of what is asked for.

    Raises:
        OutputError: it could not be made.
    """
    origin = Provenance.now(command)
    about = RunAbout(task=task, model=model, target=target, provenance=origin, fingerprint=fingerprint)
    when = about.provenance.started.replace(":", "")
    folder = place()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _new_folder(folder, f"{when}-{safe_name(model)}-{safe_name(target)}")
    except OSError as error:
        raise output_error(folder, error) from error
    begun = RunFolder(path, about)
    write_json(about, path / ABOUT)
    return begun


def _new_folder(folder: Path, name: str) -> Path:
    """Several that begin in one second are numbered; the system decides whose a name is."""
    for number in range(1, _MOST_OF_ONE_SECOND):
        path = folder / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return path
    raise FileExistsError(f"There are {_MOST_OF_ONE_SECOND} runs of that second")


def kept() -> list[RunFolder]:
    """All runs that are kept, the newest first; folders without a run.json that can be read are passed over."""
    try:
        folders = [path for path in place().iterdir() if path.is_dir()]
    except OSError:
        return []
    found = list(_readable(folders))
    return sorted(found, key=lambda run: (run.about.provenance.started, run.path.name), reverse=True)


def stopped(fingerprint: str) -> RunFolder | None:
    """The newest run of the same that did not come to its end, by the same program and versions; None without one."""
    versions = versions_here()
    return next(
        (
            run
            for run in kept()
            if run.about.fingerprint == fingerprint
            and run.about.provenance.versions == versions
            and is_file(run.journal)
        ),
        None,
    )


def _readable(folders: list[Path]) -> Iterator[RunFolder]:
    for path in folders:
        try:
            yield opened(path)
        except DataError:
            continue


def opened(path: Path) -> RunFolder:
    """The run of a folder.

    Raises:
        DataError: it has no run.json, or one that tells no run.
    """
    try:
        about = RunAbout.model_validate_json(read_file(path / ABOUT, _MAX_ABOUT_BYTES))
    except (OSError, ValueError) as error:
        why = broken_rules(error) if isinstance(error, ValidationError) else cause(error, "It cannot be read.")
        raise DataError(
            f"'{path}' is not the folder of a run.",
            f"{ABOUT} in it tells none. {why}",
            "`invoke runs` lists those that are kept.",
        ) from error
    return RunFolder(path, about)


def vectors_in(folder: Path) -> list[Path]:
    """Vectors below a folder: what differed in some run, kept to be run again.

    Raises:
        OutputError: the folder cannot be looked at.
    """
    try:
        return sorted(path for path in folder.rglob("*.npz") if path.parent.name == VECTORS)
    except OSError as error:
        raise OutputError(
            f"'{folder}' cannot be looked at.", cause(error, "The system does not say."), "Check its permissions."
        ) from error
