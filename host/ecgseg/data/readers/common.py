"""What readers of all formats share: names of results, limits, and the words for a file that is not as it should be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.data.recording import Signal
from ecgseg.errors import ContentError, DataError, cause
from ecgseg.files import plain, read_part, safe_name

MAX_CHANNELS = 64
# Of a recording; 12 days at 1000 Hz. No file is read as a whole.
MAX_SAMPLES = 1 << 30
MAX_FILE_BYTES = 1 << 40
_AT_ONCE = 4 << 20
NAME_LENGTH, UNIT_LENGTH = 60, 20


def result_name(name: str) -> str:
    """What results of a file of that name are called: letters, digits, `_` and `-`."""
    return re.sub(r"[^\w-]", "_", safe_name(name), flags=re.ASCII)


def unreadable(path: Path, error: BaseException, remedy: str) -> DataError:
    """The error for a file that is none of its format, or a damaged one.

    Args:
        path: the file.
        error: what was caught.
        remedy: what to do.
    """
    return DataError(
        f"The recording '{plain(str(path))}' cannot be read.",
        plain(cause(error, "It is not as its format has it."), 400),
        remedy,
    )


def rate_question(path: Path, why: str = "") -> DataError:
    """The question for the rate of a recording that does not tell it."""
    return DataError(
        f"How many samples a second has '{plain(str(path))}'?",
        why or "The file does not say, and nothing in it tells.",
        "Say it with --rate HZ, for example --rate 500.",
    )


def check_counts(channels: int, samples: int) -> None:
    """Refuses what no recording is.

    Raises:
        ContentError: it holds no samples, or too many of them or of channels.
    """
    if not 1 <= channels <= MAX_CHANNELS:
        raise ContentError(f"it has {channels} channels, not 1 to {MAX_CHANNELS}")
    if not 1 <= samples <= MAX_SAMPLES:
        raise ContentError(f"it holds {samples or 'no'} samples")


def rows_of(path: Path, start: int, row_bytes: int, first: int, end: int) -> Iterator[bytes]:
    """The rows first .. end - 1 of a file, a few megabytes at a time: of many channels one is kept.

    Args:
        path: the file.
        start: where row 0 is.
        row_bytes: of each.
        first, end: which rows.

    Raises:
        OSError: it cannot be read.
        ContentError: it ends before.
    """
    step = max(1, _AT_ONCE // row_bytes)
    for row in range(first, end, step):
        last = min(row + step, end)
        data = read_part(path, start + row * row_bytes, (last - row) * row_bytes)
        if len(data) != (last - row) * row_bytes:
            raise ContentError(f"it ends before sample {end}")
        yield data


def joined(parts: Iterable[Signal]) -> Signal:
    """One stretch of several that follow each other."""
    found = list(parts)
    return Signal(np.concatenate([part.values for part in found]), np.concatenate([part.at_rail for part in found]))


def signal_of(values: npt.NDArray[np.generic]) -> Signal:
    """A stretch of numbers as they are stored: integers at an end of their type are at the converter's rail.

    What is not finite was not recorded.
    """
    found = np.asarray(values, dtype=np.float64)
    if np.issubdtype(values.dtype, np.integer):
        ends = np.iinfo(str(values.dtype))
        return Signal(found, (values == ends.min) | (values == ends.max))
    return Signal(np.where(np.isfinite(found), found, np.nan), np.zeros(found.size, np.bool_))
