"""Models of a user's own in a folder: what each is, or why it is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg.codegen.render import render
from ecgseg.codegen.render_delineator import delineates
from ecgseg.codegen.render_stream import render_stream
from ecgseg.errors import ModelError, UsageError, cause
from ecgseg.files import is_file, plain
from ecgseg.models import CONFIGURATION_FILE, MODEL_FILE, find_model, generated_folder, holds_model
from ecgseg.pipeline import MODEL_RATE
from ecgseg.zoo import configuration

MOST_MODELS = 64
_LONGEST_PURPOSE = 200


@dataclass(frozen=True)
class OwnModel:
    """A model in a folder of the user's.

    Attributes:
        place: what --model takes: its folder, or its .tflite.
        kind: "frames", "stream", "network" (none that segments), "not trained" (a configuration alone) or "unusable".
        numbers: parameters, multiplications (a frame, or a second of a stream) and bytes of the arena.
        about: the description of its configuration, or what is wrong with it.
    """

    place: Path
    kind: str
    numbers: tuple[int, int, int] | None
    about: str


def own_models(folder: Path) -> list[OwnModel]:
    """The models in a folder, in order of name: folders with a model or a configuration, and .tflite files.

    A folder that itself holds a model is that one.

    Raises:
        UsageError: there is no such folder, or no model in it, or more than MOST_MODELS.
    """
    return [_told(place) for place in _places(folder)]


def _places(folder: Path) -> list[Path]:
    if holds_model(folder):
        return [folder]
    try:
        entries = sorted(folder.iterdir())
    except (OSError, ValueError) as error:
        why = cause(error, "No folder can have that name.")
        raise UsageError(f"The folder '{plain(str(folder))}' cannot be read.", why, "Correct --models.") from error
    found = [path for path in entries if holds_model(path) or (path.suffix == ".tflite" and is_file(path))]
    if not found:
        raise UsageError(
            f"There are no models in '{plain(str(folder))}'.",
            f"A model is a folder with a {MODEL_FILE} or a {CONFIGURATION_FILE}, or a .tflite file.",
            "Name the folder that these are in.",
        )
    if len(found) > MOST_MODELS:
        raise UsageError(
            f"There are {len(found)} models in '{plain(str(folder))}'.",
            f"At most {MOST_MODELS} are listed: each is rendered into C to know what it costs.",
            "Name a folder with fewer.",
        )
    return found


def _told(place: Path) -> OwnModel:
    is_folder = holds_model(place)
    try:
        about = _purpose(place) if is_folder else ""
        if is_folder and not is_file(place / MODEL_FILE):
            return OwnModel(place, "not trained", None, about)
        return _measured(place, about)
    except ModelError as error:
        return OwnModel(place, "unusable", None, plain(f"{error.what} {error.why}", _LONGEST_PURPOSE))


def _purpose(folder: Path) -> str:
    """The description in a folder's configuration; nothing where there is none."""
    file = folder / CONFIGURATION_FILE
    return plain(configuration.read(file).description, _LONGEST_PURPOSE) if is_file(file) else ""


def _measured(place: Path, about: str) -> OwnModel:
    # A word without a separator would be looked for in the zoo.
    chosen = find_model(str(place.absolute()))
    if delineates(chosen.data):
        stream = render_stream(chosen.path, generated_folder(chosen), name=chosen.name)
        macs = round(stream.macs * MODEL_RATE / stream.block)
        return OwnModel(place, "stream", (stream.parameters, macs, stream.arena_bytes), about)
    manifest = render(chosen.path, generated_folder(chosen), name=chosen.name)
    numbers = (manifest.parameters, manifest.macs, manifest.arena_bytes)
    return OwnModel(place, "frames" if manifest.class_count else "network", numbers, about)
