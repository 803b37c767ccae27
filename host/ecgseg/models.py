"""Finds the model a user names: one of the zoo, or any .tflite file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths
from ecgseg.choices import choose

DEFAULT_MODEL = "seg-4-tcn-sm"
DEFAULT_STREAM = "stream-4-tcn-lg"


@dataclass(frozen=True)
class ModelFile:
    """A .tflite file.

    Attributes:
        name: name in the zoo, or the file's name without ending as far as its characters are harmless everywhere.
        path: the file.
        data: its bytes.
        from_zoo: False for a file that the user named.
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
    return in_order(name for name in _held("model.tflite") if not name.startswith(STREAM_PREFIX))


def stream_names() -> tuple[str, ...]:
    """Models of the zoo that segment a stream, with a model.tflite."""
    return in_order(name for name in _held("model.tflite") if name.startswith(STREAM_PREFIX))


def configured_names(*, streams: bool = False) -> tuple[str, ...]:
    """Models of the zoo that have a configuration: those of frames, or those of a stream."""
    return in_order(name for name in _held("configuration.json") if name.startswith(STREAM_PREFIX) == streams)


def _held(file: str) -> list[str]:
    return [path.parent.name for path in paths.MODELS.glob(f"*/{file}")]


def find_model(name: str | None = None, tflite: str | Path | None = None) -> ModelFile:
    """The model that the options --model and --tflite name; --tflite wins.

    Raises:
        UsageError: the zoo has no such model; the message lists those it has.
        ModelError: the file cannot be read, or is larger than any model for the device.
    """
    # The menu imports this module for the default's name; numpy would make it wait.
    from ecgseg.files import expanded, safe_name
    from ecgseg.graph.load import read_model

    if tflite:
        path = expanded(tflite)
        return ModelFile(safe_name(path.stem), path, read_model(path), from_zoo=False)
    chosen = choose("model", name or DEFAULT_MODEL, (*model_names(), *stream_names()), "--model")
    path = paths.MODELS / chosen / "model.tflite"
    return ModelFile(chosen, path, read_model(path), from_zoo=True)


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
