"""Keeps a differing frame as a file, and reads it again for a replay."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import paths
from ecgseg.data.records import Record
from ecgseg.errors import DataError
from ecgseg.output import write_bytes

VECTORS = paths.REPORTS / "vectors"
"""Where vectors are kept unless told otherwise."""


@dataclass(frozen=True)
class Vector:
    """What it takes to run a differing frame again.

    Attributes:
        target, model: where it differed; the model by name, or its file.
        model_sha256: SHA-256 of the .tflite.
        record, lead, frame: which frame.
        rate: rate of the raw samples in Hz, 0 when the model gets its int8 input directly.
        samples: int16 [n] raw samples of the whole lead, or int8 [input_bytes].
        expected, actual: bytes by stage.
    """

    target: str
    model: str
    model_sha256: str
    record: int
    lead: str
    frame: int
    rate: int
    samples: npt.NDArray[np.generic]
    expected: dict[str, bytes]
    actual: dict[str, bytes]

    def as_record(self) -> Record:
        """The raw samples as a record without annotation."""
        return Record(self.record, self.lead, self.rate, self.samples.astype(np.int16), (), "unknown", "replay")


def save(vector: Vector, folder: Path) -> Path:
    """Writes a vector as .npz and returns its path.

    Raises:
        OutputError: it could not be written.
    """
    path = folder / f"{vector.target}-{vector.model_sha256[:8]}-{vector.record}-{vector.lead}-{vector.frame}.npz"
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "about": np.array([vector.target, vector.model, vector.model_sha256, vector.lead]),
        "numbers": np.array([vector.record, vector.frame, vector.rate], dtype=np.int64),
        "samples": vector.samples,
    }
    for side, stages in (("expected", vector.expected), ("actual", vector.actual)):
        arrays |= {f"{side}_{stage}": np.frombuffer(data, dtype=np.uint8) for stage, data in stages.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    write_bytes(path, stream.getvalue())
    return path


def load(path: Path) -> Vector:
    """Reads a vector.

    Raises:
        DataError: the file is missing or no vector.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            target, model, sha256, lead = (str(part) for part in file["about"])
            record, frame, rate = (int(part) for part in file["numbers"])
            sides = {
                side: {
                    name.removeprefix(f"{side}_"): file[name].tobytes()
                    for name in file.files
                    if name.startswith(f"{side}_")
                }
                for side in ("expected", "actual")
            }
            samples = file["samples"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            f"'{path}' is not a vector that can be replayed.",
            f"{type(error).__name__}: {error}",
            "Give a .npz file that hil-test kept (its summary names them).",
        ) from error
    return Vector(target, model, sha256, record, lead, frame, rate, samples, sides["expected"], sides["actual"])


def shown_path(path: Path) -> str:
    """A path as the user would type it: relative to the repository when it lies inside."""
    return str(path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path)
