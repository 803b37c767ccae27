"""Finds the model a user names: one of the zoo, a folder or file of one's own."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.choices import choose
from ecgseg.errors import ModelError

DEFAULT_MODEL = "seg-4-tcn-sm"
DEFAULT_STREAM = "stream-4-tcn-lg"
MODEL_FILE = "model.tflite"
CONFIGURATION_FILE = "configuration.json"
_LARGEST_CONFIGURATION = 1 << 20


@dataclass(frozen=True)
class ModelFile:
    """A .tflite file.

    Attributes:
        name: name in the zoo, or that of the folder, or of the file without ending, as far as its characters are
            harmless everywhere.
        path: the file.
        data: its bytes.
        from_zoo: False for a folder or file that the user named.
    """

    name: str
    path: Path
    data: bytes
    from_zoo: bool

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def model_names() -> tuple[str, ...]:
    """Models of the zoo that segment frames and can be rendered: those with a model.tflite."""
    return in_order(name for name in _held(MODEL_FILE) if not name.startswith(STREAM_PREFIX))


def stream_names() -> tuple[str, ...]:
    """Models of the zoo that segment a stream, with a model.tflite."""
    return in_order(name for name in _held(MODEL_FILE) if name.startswith(STREAM_PREFIX))


def configured_names(*, streams: bool = False) -> tuple[str, ...]:
    """Models of the zoo that have a configuration: those of frames, or those of a stream."""
    return in_order(name for name in _held(CONFIGURATION_FILE) if name.startswith(STREAM_PREFIX) == streams)


def _held(file: str) -> list[str]:
    return [path.parent.name for path in paths.MODELS.glob(f"*/{file}")]


def named_place(word: str) -> Path | None:
    """The folder or file that --model names by its path; None where it names a model of the zoo, or nothing.

    A path is what looks like one (with a separator, or ending in .tflite or .json), and the name of a folder that holds
    a model, unless the zoo has that name.
    """
    from ecgseg.files import expanded

    if "/" in word or os.sep in word or word.startswith("~") or word.endswith((".tflite", ".json")):
        return expanded(word)
    here = Path(word)
    return here if word and not (paths.MODELS / word).is_dir() and holds_model(here) else None


def holds_model(folder: Path) -> bool:
    """Whether a folder holds a model, or the configuration that one is trained from."""
    from ecgseg.files import is_file

    return is_file(folder / MODEL_FILE) or is_file(folder / CONFIGURATION_FILE)


def find_model(name: str | None = None, tflite: str | Path | None = None) -> ModelFile:
    """The model that the options --model and --tflite name; --tflite wins.

    Args:
        name: of the zoo, or the path of a folder with a model.tflite, of its configuration.json, or of a .tflite.
        tflite: path of a .tflite.

    Raises:
        UsageError: the zoo has no such model; the message lists those it has.
        ModelError: there is no model, it cannot be read, or it is larger than any model for the device.
    """
    # The menu imports this module for the default's name; numpy would make it wait.
    from ecgseg.files import expanded, safe_name
    from ecgseg.graph.load import read_model

    if tflite:
        path = expanded(tflite)
        return ModelFile(safe_name(path.stem), path, read_model(path), from_zoo=False)
    chosen = name or DEFAULT_MODEL
    place = named_place(chosen)
    if place is not None:
        return _own_model(place)
    chosen = choose("model", chosen, (*model_names(), *stream_names()), "--model")
    path = paths.MODELS / chosen / MODEL_FILE
    return ModelFile(chosen, path, read_model(path), from_zoo=True)


def _own_model(place: Path) -> ModelFile:
    """The model in a folder of the user's own, or his file."""
    from ecgseg.files import is_file, plain, safe_name
    from ecgseg.graph.load import read_model

    folder = place.parent if place.name == CONFIGURATION_FILE else place
    if not os.path.isdir(folder):
        return ModelFile(safe_name(place.stem), place, read_model(place), from_zoo=False)
    path = folder / MODEL_FILE
    if not is_file(path):
        trained = is_file(folder / CONFIGURATION_FILE)
        raise ModelError(
            f"There is no {MODEL_FILE} in '{plain(str(folder))}'.",
            "It has a configuration, but no model was made of it yet." if trained else "A model's folder holds one.",
            f"Run `invoke train --model {plain(str(folder))}`."
            if trained
            else "Name another folder, or a .tflite file.",
        )
    return ModelFile(safe_name(Path(os.path.realpath(folder)).name), path, read_model(path), from_zoo=False)


def streams_by_configuration(name: str) -> bool:
    """Whether the configuration of a model says that it is one of a stream; it is read in full elsewhere.

    It is asked before numpy is imported. A file that cannot be read says nothing.
    """
    from ecgseg.files import read_text

    place = named_place(name)
    if place is None:
        return name.startswith(STREAM_PREFIX)
    try:
        file = place / CONFIGURATION_FILE if place.is_dir() else place
        told = json.loads(read_text(file, _LARGEST_CONFIGURATION))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("kind") == "stream"


def generated_folder(model: ModelFile) -> Path:
    """Where the C of a model goes unless the user says otherwise; a file of the user's own gets its hash."""
    return paths.BUILD / "generated" / (model.name if model.from_zoo else f"{model.name}-{model.sha256[:8]}")


ZOO = ("seg-2-tcn-sm", "seg-4-tcn-sm", "seg-4-tcn-lg")
STREAMS = ("stream-4-tcn-sm", "stream-4-tcn-lg")
# Told by the name, because the menu lists models and reads no files.
STREAM_PREFIX = "stream-"


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Names in the one order of every list of models: those of the zoo, frames first, then any others by name."""
    found = set(names)
    known = (*ZOO, *STREAMS)
    return (*[name for name in known if name in found], *sorted(found - set(known)))
