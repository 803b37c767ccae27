"""Keeps a differing frame or stream as a file, and reads it again for a replay."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg import paths
from ecgseg.data.records import Record
from ecgseg.errors import ContentError, DataError, OutputError, cause
from ecgseg.files import plain, read_arrays, read_file
from ecgseg.models import ModelFile
from ecgseg.output import write_bytes
from ecgseg.pipeline import RATES_TOLD, takes_rate
from ecgseg.printable import printable

VECTORS = paths.REPORTS / "vectors"
"""Where vectors are kept unless told otherwise."""
MAX_FILE_BYTES = 16 << 20
MAX_ARRAY_BYTES = 16 << 20
MAX_MODEL_NAME = 4096
MAX_NUMBER = 2**31 - 1

_WORD = re.compile(r"[A-Za-z0-9_-]{1,40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Vector:
    """What it takes to run a differing frame, or a stream, again.

    Attributes:
        target, model: where it differed; the model by name, or its file.
        model_sha256: SHA-256 of the .tflite.
        record, lead, frame: which frame; 0 of a stream.
        rate: rate of the raw samples in Hz, 0 when the model gets its int8 input directly.
        samples: int16 [n] raw samples of the whole lead, or int8 [input_bytes].
        expected, actual: bytes by stage; of a stream "classes" and "events".
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


@dataclass(frozen=True)
class DirectInput:
    """An int8 input [input_bytes] that goes to the model past the preprocessor, and its number."""

    record_id: int
    samples: npt.NDArray[np.int8]
    lead: str = "-"
    rate: int = 0


def name_of(model: ModelFile) -> str:
    """What a vector calls a model: its name in the zoo, or its file, as far as that can be written in one line."""
    return model.name if model.from_zoo else printable(str(model.path.resolve()))


def save(vector: Vector, folder: Path) -> Path:
    """Writes a vector as .npz and returns its path.

    Raises:
        OutputError: it could not be written, or is larger than what `load` reads.
    """
    if vector.samples.nbytes > MAX_ARRAY_BYTES:
        raise OutputError(
            f"The vector of record {vector.record}, lead {vector.lead} is too long to be kept for a replay.",
            f"It has {vector.samples.nbytes:,} bytes of samples, a kept vector at most {MAX_ARRAY_BYTES:,}.",
            "Stream the record again instead.",
        )
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
    """Reads a vector; whatever is in the file, the result is a vector that can be sent, or one error.

    Raises:
        DataError: the file is missing or no vector.
    """
    try:
        return _vector(read_arrays(read_file(path, MAX_FILE_BYTES), MAX_ARRAY_BYTES))
    except KeyError as error:
        raise _no_vector(path, f"It has no array {error}.") from error
    except (OSError, ValueError) as error:
        raise _no_vector(path, cause(error, "It does not hold what such a file holds.")) from error


def _no_vector(path: Path, why: str) -> DataError:
    return DataError(
        f"'{plain(str(path))}' is not a vector that can be replayed.",
        plain(why, 400),
        "Give a .npz file that hil-test kept (its summary names them).",
    )


def _vector(arrays: Mapping[str, npt.NDArray[np.generic]]) -> Vector:
    target, model, sha256, lead = _about(arrays["about"])
    numbers = arrays["numbers"]
    if numbers.dtype.kind != "i" or numbers.shape != (3,):
        raise ContentError("its numbers are not record, frame and rate")
    record, frame, rate = (int(number) for number in numbers.tolist())
    _check_numbers(record, frame, rate)
    samples = arrays["samples"]
    wanted = np.dtype(np.int16 if rate else np.int8)
    if samples.dtype != wanted or samples.ndim != 1 or samples.size == 0:
        raise ContentError(f"its samples are {samples.dtype} {list(samples.shape)}, not {wanted} in one row")
    expected, actual = (_stages(arrays, side) for side in ("expected", "actual"))
    return Vector(target, model, sha256, record, lead, frame, rate, samples.astype(wanted), expected, actual)


def _check_numbers(record: int, frame: int, rate: int) -> None:
    if not (0 <= record <= MAX_NUMBER and 0 <= frame <= MAX_NUMBER):
        raise ContentError(f"there is no record {record}, frame {frame}")
    if rate != 0 and not takes_rate(rate):
        raise ContentError(f"its rate of {rate} Hz is none that a device takes: {RATES_TOLD}")


def _about(texts: npt.NDArray[np.generic]) -> tuple[str, str, str, str]:
    """Target, model, SHA-256 and lead, of the characters that `save` was given and no others."""
    if texts.dtype.kind != "U" or texts.shape != (4,):
        raise ContentError("it does not tell target, model, SHA-256 and lead")
    target, model, sha256, lead = (str(text) for text in texts.tolist())
    if not _WORD.fullmatch(target) or not _WORD.fullmatch(lead) or not _SHA256.fullmatch(sha256):
        raise ContentError("its target, lead or SHA-256 is none")
    if not model or len(model) > MAX_MODEL_NAME or not model.isprintable():
        raise ContentError(f"no model is named {plain(model)!r}")
    return target, model, sha256, lead


def _stages(arrays: Mapping[str, npt.NDArray[np.generic]], side: str) -> dict[str, bytes]:
    names = [name for name in arrays if name.startswith(f"{side}_")]
    if any(arrays[name].dtype != np.uint8 or arrays[name].ndim != 1 for name in names):
        raise ContentError(f"its {side} results are no bytes")
    return {name.removeprefix(f"{side}_"): arrays[name].tobytes() for name in names}


def shown_path(path: Path) -> str:
    """A path as the user would type it: relative to the repository when it lies inside."""
    return str(path.relative_to(paths.ROOT) if path.is_relative_to(paths.ROOT) else path)
