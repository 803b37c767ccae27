"""Several configurations of a model trained alike and compared on the validation patients: `invoke sweep FILE`.

Test patients are not looked at: whoever chooses among many on them has none left to judge the chosen one on.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from math import prod
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from ecgseg.errors import ContentError, EcgsegError, ModelError, UsageError, cause
from ecgseg.files import broken_rules, expanded, is_file, plain, read_toml, safe_name
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.jobs import Job, Outcome, Trainings, job_of, train_all

MOST = 256
_LARGEST_BYTES = 1 << 20
_DEEPEST = 8
_LONGEST_LABEL = 300
# What a base need not have for a grid to have values in it.
_OPTIONAL = "fine_tuning"


class Row(BaseModel):
    """A configuration of a sweep and what came of it.

    Attributes:
        name: of its file, or its values of the grid.
        digest: of the configuration.
        int8_weighted_f1, float_weighted_f1: on the validation patients, of the int8 model and of the chosen look.
        step: of the chosen look.
        parameters, macs: of the int8 graph; MACs of a frame, or of a second of a stream.
        source: the data, for people.
        folder: of the int8 model, as --model takes it.
        error: why there are no figures.
    """

    name: str
    digest: str
    int8_weighted_f1: float | None = None
    float_weighted_f1: float | None = None
    step: int | None = None
    parameters: int
    macs: int
    source: str = ""
    folder: str = ""
    error: str = ""


class Sweep(BaseModel):
    """The file table.json: what has been trained so far, best first, and last what could not be.

    Attributes:
        file: what was swept over.
        wanted: how many configurations there are.
    """

    file: str
    wanted: int
    rows: list[Row]


class _File(BaseModel):
    """A TOML file: `base`, a model of the zoo or a path from the file's folder, and the values of `grid`."""

    model_config = ConfigDict(extra="forbid")

    base: str
    grid: dict[str, Any]


def configurations(place: Path) -> dict[str, ModelConfiguration]:
    """The configurations to be compared, by name.

    Args:
        place: a TOML file with a base and a grid of values, or a folder of configuration files (.json).

    Raises:
        UsageError: it is neither, or there are none, too many, or two that are the same.
        ModelError: a configuration or the file is not valid.
    """
    if os.path.isdir(place):
        found = {path.stem: zoo.read(path) for path in _files_in(place)}
    elif place.suffix == ".toml" and is_file(place):
        found = _grid(place)
    else:
        raise UsageError(
            f"'{plain(str(place))}' is nothing to sweep over.",
            "That is a TOML file with `base` and `grid`, or a folder of configuration files (.json).",
            "Name one; docs/own-model.md shows how it looks.",
        )
    seen: dict[str, str] = {}
    for name, configuration in found.items():
        other = seen.setdefault(configuration.digest(), name)
        if other != name:
            raise UsageError(
                f"'{plain(other)}' and '{plain(name)}' are the same configuration.",
                "Both would be trained to the same bytes.",
                f"Take one of them out of {plain(str(place))}.",
            )
    return found


def _files_in(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == ".json" and is_file(path))
    except OSError as error:
        why = cause(error, "The system does not say.")
        raise UsageError(f"The folder '{plain(str(folder))}' cannot be read.", why, "Correct it.") from error
    _require_some(len(found), folder)
    return found


def _require_some(count: int, place: Path) -> None:
    if not 1 <= count <= MOST:
        raise UsageError(
            f"There are {count} configurations in '{plain(str(place))}'.",
            f"Each is trained; a sweep takes 1 to {MOST}.",
            "Give it others, or fewer values.",
        )


def _grid(path: Path) -> dict[str, ModelConfiguration]:
    """The base with every combination of values; the last key changes first."""
    said = _read(path)
    values = dict(_flat(path, said.grid))
    _require_some(prod(len(found) for found in values.values()) if values else 0, path)
    base = _base(path, said.base)
    found = {}
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        name = ", ".join(f"{key}={json.dumps(value, default=str)}" for key, value in chosen.items())
        name = plain(name, _LONGEST_LABEL)
        if name in found:
            raise _wrong(path, f"Its grid has {name} twice.")
        found[name] = _with(path, base, chosen, name)
    return found


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(read_toml(path, _LARGEST_BYTES))
    except ValidationError as error:
        raise _wrong(path, broken_rules(error)) from error
    except (OSError, ContentError) as error:
        raise _wrong(path, cause(error, "The system does not say.")) from error


def _wrong(path: Path, why: str) -> ModelError:
    return ModelError(f"The sweep {plain(str(path))} is not valid.", why, "Correct the file (docs/own-model.md).")


def _flat(path: Path, grid: dict[str, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, list[Any]]]:
    """Dotted names and their values."""
    for key, value in grid.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _flat(path, value, f"{name}.", depth + 1)
        elif isinstance(value, list) and value:
            yield name, value
        else:
            raise _wrong(path, f"grid.{plain(name)} is no list of values, such as [0.8, 0.9].")


def _base(path: Path, word: str) -> ModelConfiguration:
    own = "/" in word or word.endswith(".json")
    try:
        return zoo.load(str((path.parent / expanded(word)).absolute()) if own else word)
    except UsageError as error:
        raise _wrong(path, f"Its base is none. {error.what} {error.why}") from error


def _with(path: Path, base: ModelConfiguration, chosen: dict[str, Any], name: str) -> ModelConfiguration:
    """The base with other values.

    Raises:
        ModelError: it is no configuration then.
    """
    content = base.model_dump(mode="json")
    for key, value in chosen.items():
        *parents, last = key.split(".")
        if key.startswith(f"{_OPTIONAL}.") and content.get(_OPTIONAL) is None:
            content[_OPTIONAL] = {"augmentation": {}}
        inside: Any = content
        for parent in parents:
            inside = inside.get(parent) if isinstance(inside, dict) else None
        if not isinstance(inside, dict):
            raise _wrong(path, f"The base has nothing that grid.{plain(key)} could be in.")
        inside[last] = value
    try:
        return zoo.parsed(json.dumps(content, default=str), path.parent)
    except ValidationError as error:
        raise _wrong(path, f"With {name}:\n{broken_rules(error)}") from error


def default_folder(place: Path) -> str:
    """Where the models and the table of a sweep go, below `build/zoo`."""
    return f"sweep/{safe_name(place.absolute().stem)}"


def sweep(
    place: Path,
    found: dict[str, ModelConfiguration],
    trainings: Trainings,
    console: Console,
    keep: Callable[[Sweep], None],
    ludb_option: str | Path | None = None,
) -> Sweep:
    """Trains every configuration; what was trained before is not trained again.

    Args:
        place: what is swept over.
        found: as from :func:`configurations`.
        trainings: trains them.
        console: where it is told what was trained before.
        keep: is given the table whenever a training has ended.
        ludb_option: folder of LUDB.

    Raises:
        DataError, OutputError, TargetError: a training cannot go on, and neither can the others.
        ModelError: no configuration can be trained, the first of them for this reason.
    """
    jobs = [
        job_of(one, name, f"{default_folder(place)}/{one.digest()[:12]}", ludb_option, judge=True)
        for name, one in found.items()
    ]
    outcomes: dict[int, Outcome | EcgsegError] = {}
    table = _table(place, jobs, outcomes)
    with closing(train_all(jobs, trainings, console)) as results:
        for index, outcome in results:
            if isinstance(outcome, EcgsegError) and not isinstance(outcome, ModelError):
                raise outcome
            outcomes[index] = outcome
            table = _table(place, jobs, outcomes)
            keep(table)
    failed = [outcome for _, outcome in sorted(outcomes.items()) if isinstance(outcome, EcgsegError)]
    if len(failed) == len(jobs):
        raise failed[0]
    return table


def _table(place: Path, jobs: Sequence[Job], outcomes: dict[int, Outcome | EcgsegError]) -> Sweep:
    rows = [_row(jobs[index], outcome) for index, outcome in sorted(outcomes.items())]
    rows.sort(key=lambda row: -1.0 if row.int8_weighted_f1 is None else row.int8_weighted_f1, reverse=True)
    return Sweep(file=str(place), wanted=len(jobs), rows=rows)


def _row(job: Job, outcome: Outcome | EcgsegError) -> Row:
    configuration = job.configuration
    row = Row(
        name=job.label, digest=configuration.digest(), parameters=configuration.parameters, macs=configuration.macs
    )
    if isinstance(outcome, EcgsegError):
        return row.model_copy(update={"error": f"{outcome.what} {outcome.why}".strip()})
    return row.model_copy(
        update={
            "int8_weighted_f1": outcome.int8_weighted_f1,
            "float_weighted_f1": outcome.best.weighted_f1,
            "step": outcome.best.step,
            "source": outcome.source,
            "folder": str(job.folder),
        }
    )
