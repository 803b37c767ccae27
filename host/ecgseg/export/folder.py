"""Writes a library into a folder: all of it or nothing, and never over what somebody else put there."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from pydantic import BaseModel

from ecgseg import __version__
from ecgseg.codegen.names import ModelNames
from ecgseg.codegen.render import GENERATOR
from ecgseg.errors import OutputError, UsageError, cause
from ecgseg.export.figures import Figures
from ecgseg.export.forms import Form
from ecgseg.export.library import Library
from ecgseg.export.subject import Subject
from ecgseg.files import read_file
from ecgseg.output import write_files

FILE = "export.json"
_MAX_BYTES = 64 << 20


class Export(BaseModel):
    """What a folder holds, written as export.json beside it.

    Attributes:
        form: its layout.
        kind: "frames", "stream" or "model".
        model, model_sha256: the .tflite.
        source_sha256: of the sources inside, under the names of the firmware.
        input_rate: of raw samples, Hz.
        figures: what it costs.
        files: SHA-256 by path in the folder, of every other file.
    """

    generator: str
    generator_version: str
    form: str
    prefix: str
    kind: str
    model: str
    model_sha256: str
    source_sha256: str
    input_rate: int
    figures: Figures
    files: dict[str, str]


def write_library(folder: Path, library: Library, subject: Subject, names: ModelNames, form: Form) -> Export:
    """Writes a library; files of an earlier one that are no part of it go.

    Args:
        folder: where to; made where missing.
        library: the files.
        subject, names, form: what they were made of.

    Raises:
        UsageError: the folder holds what is no export, or files of an export that were changed since.
        OutputError: it cannot be read or written.
    """
    export = Export(
        generator=GENERATOR,
        generator_version=__version__,
        form=form.name,
        prefix=names.prefix,
        kind=subject.kind.value,
        model=subject.model.name,
        model_sha256=subject.model.sha256,
        source_sha256=library.source_sha256,
        input_rate=subject.input_rate,
        figures=library.figures,
        files={path: _sha256(text.encode("utf-8")) for path, text in sorted(library.files.items())},
    )
    earlier = check_folder(folder)
    files = {**library.files, FILE: export.model_dump_json(indent=2) + "\n"}
    write_files(folder, files, unwanted=earlier - files.keys())
    return export


def check_folder(folder: Path) -> set[str]:
    """Paths of the files of an earlier export in a folder, which may be missing or empty.

    Raises:
        UsageError: it holds something else, or such files that were changed since.
        OutputError: it cannot be read.
    """
    try:
        if not folder.is_dir() or not any(folder.iterdir()):
            return set()
        known = _earlier(folder)
        changed = [path for path, sha256 in known.items() if _is_changed(folder / path, sha256)]
    except OSError as error:
        raise OutputError(
            f"'{folder}' cannot be read.", cause(error, "The system does not say."), "Give --out another folder."
        ) from error
    if changed:
        raise UsageError(
            f"'{folder}' holds an export in which files were changed: {', '.join(sorted(changed)[:3])}.",
            "They would be written over.",
            "Move your changes to files of your own, or give --out another folder.",
        )
    return set(known)


def _earlier(folder: Path) -> dict[str, str]:
    """SHA-256 by path of what an earlier export wrote."""
    try:
        known = Export.model_validate_json(read_file(folder / FILE, _MAX_BYTES)).files
    except (FileNotFoundError, ValueError) as error:
        raise UsageError(
            f"'{folder}' is not empty and no earlier export.",
            f"Nothing is written among files of yours: there is no {FILE} in it that `invoke export` wrote.",
            "Give --out a new or an empty folder.",
        ) from error
    return {path: sha256 for path, sha256 in known.items() if _is_inside(folder, path)}


def _is_inside(folder: Path, path: str) -> bool:
    """Whether a path that a file tells stays in the folder, also by way of links."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        return False
    return (folder / path).resolve().is_relative_to(folder.resolve())


def _is_changed(path: Path, sha256: str) -> bool:
    """Whether a file that an export wrote is another now; one that is gone is nobody's any more."""
    try:
        return path.exists() and _sha256(read_file(path, _MAX_BYTES)) != sha256
    except OSError:
        return True


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
