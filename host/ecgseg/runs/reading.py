"""Reads the result of a run: its folder, its name, or a file that --json of `hil-test`, `soak` or `profile` wrote."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from ecgseg.errors import ContentError, DataError, cause
from ecgseg.files import broken_rules, expanded, is_file, plain, read_file
from ecgseg.hil.result import HilResult
from ecgseg.hil.soak.result import SoakResult
from ecgseg.hil.stream_result import StreamResult
from ecgseg.profile.board import BoardProfile
from ecgseg.profile.qemu import Profile
from ecgseg.runs.folder import ABOUT, RESULT, place

Result = HilResult | StreamResult | SoakResult | Profile | BoardProfile
KINDS: dict[type[BaseModel], str] = {
    HilResult: "a test of frames",
    StreamResult: "a test of a stream",
    SoakResult: "a soak",
    Profile: "a profile in QEMU",
    BoardProfile: "a profile of a board",
}
"""What each kind of result is called."""
_MAX_RESULT_BYTES = 64 << 20


@dataclass(frozen=True)
class Read:
    """A result that was read.

    Attributes:
        name: of the run, or the file's path.
        result: what it holds.
    """

    name: str
    result: Result


def read_result(named: str) -> Read:
    """The result that a user names.

    Args:
        named: a folder, the name of one that `invoke runs` lists, or a file.

    Raises:
        DataError: it is not there, is not whole, or is no result that can be compared.
    """
    path = _file_of(named)
    try:
        found = from_json(read_file(path, _MAX_RESULT_BYTES))
        result = _kind_of(found).model_validate(found)
        return Read(path.parent.name if path.name == RESULT else str(path), result)
    except ValidationError as error:
        raise _no_result(path, broken_rules(error)) from error
    except (OSError, ValueError) as error:
        raise _no_result(path, cause(error, "It is no JSON.")) from error


def _file_of(named: str) -> Path:
    """The file with the result; a name that is no path here is one below the place where runs are kept."""
    path = expanded(named)
    folder = next((found for found in (path, place() / named) if is_file(found / ABOUT)), None)
    if folder is None:
        return path
    if not is_file(folder / RESULT):
        raise DataError(
            f"The run {plain(folder.name)} has no result.",
            "It goes on, or was killed before its end.",
            "Name another; `invoke runs` tells which of them have a verdict.",
        )
    return folder / RESULT


def _kind_of(found: object) -> type[Result]:
    """Which result some JSON is, by the fields that it alone has.

    Raises:
        ContentError: none that can be compared.
    """
    if isinstance(found, list):
        raise ContentError("it holds the figures of several models; write those of one")
    if not isinstance(found, dict):
        raise ContentError("it is no JSON object")
    if found.get("kind") == "stream":
        return StreamResult
    if found.get("kind") == "soak":
        return SoakResult
    for name, kind in (("differing_frames", HilResult), ("instructions_per_frame", Profile), ("clocks", BoardProfile)):
        if name in found:
            return kind
    raise ContentError("it is neither a result of hil-test, nor one of soak or profile")


def _no_result(path: Path, why: str) -> DataError:
    return DataError(
        f"'{plain(str(path))}' is no result that can be compared.",
        why,
        "Name a folder or a name that `invoke runs` lists, or a file that --json of hil-test, soak or profile wrote.",
    )
