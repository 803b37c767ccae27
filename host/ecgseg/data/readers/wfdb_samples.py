"""Decodes a part of a WFDB signal file: https://wfdb.io/spec/signal.html has the formats.

The library decodes parts too, but not of every format, and it reads the header anew for each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import ContentError
from ecgseg.files import read_part

Bytes = npt.NDArray[np.uint8]
Stored = npt.NDArray[np.int64]

# Bits of a sample's value by format.
VALUE_BITS = {"16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 10, "311": 10}
VALUE_BITS |= {"508": 8, "516": 16, "524": 24}
COMPRESSED = ("508", "516", "524")
# Samples and bytes of what belongs together.
_GROUPS = {"212": (2, 3), "310": (3, 4), "311": (3, 4)} | {"24": (1, 3), "32": (1, 4), "80": (1, 1)}
_GROUPS |= dict.fromkeys(("16", "61", "160"), (1, 2))
_TYPES = {"16": "<i2", "61": ">i2", "160": "<u2", "32": "<i4", "80": "u1"}
_OFFSETS = {"160": 1 << 15, "80": 1 << 7}


def samples_in(form: str, size: int) -> int:
    """Samples that so many bytes of a format hold."""
    samples, width = _GROUPS[form]
    whole, rest = divmod(size, width)
    # Of a group that was cut off, the samples whose bytes are there.
    return samples * whole + (rest > 1 if form == "212" else 0)


def stored_samples(path: Path, form: str, first_byte: int, first: int, count: int) -> Stored:
    """Samples of a file, all of its signals one after the other, as numbers of the converter.

    Args:
        path: the file.
        form: its format, none that is compressed.
        first_byte: where sample 0 is.
        first, count: which samples.

    Raises:
        OSError: the file is none, or cannot be read.
        ContentError: it ends before.
    """
    samples, width = _GROUPS[form]
    group = first // samples
    groups = -(-(first + count) // samples) - group
    data = np.frombuffer(read_part(path, first_byte + width * group, width * groups), np.uint8)
    short = width * groups - data.size
    if short >= width or samples_in(form, data.size) < first + count - samples * group:
        raise ContentError(f"{path.name} ends before sample {first + count}")
    data = np.concatenate((data, np.zeros(short, np.uint8)))
    return _decoded(form, data)[first - samples * group :][:count]


def _decoded(form: str, data: Bytes) -> Stored:
    if form in _TYPES:
        return data.view(_TYPES[form]).astype(np.int64) - _OFFSETS.get(form, 0)
    wide: Any = data.astype(np.int64).reshape(-1, _GROUPS[form][1]).T
    if form == "24":
        parts = [wide[0] | wide[1] << 8 | wide[2] << 16]
    elif form == "212":
        parts = [wide[0] | (wide[1] & 0x0F) << 8, wide[2] | (wide[1] & 0xF0) << 4]
    else:
        low, high = wide[0] | wide[1] << 8, wide[2] | wide[3] << 8
        if form == "310":
            parts = [low >> 1 & 0x3FF, high >> 1 & 0x3FF, low >> 11 | (high >> 11) << 5]
        else:
            parts = [low & 0x3FF, (low | high << 16) >> 10 & 0x3FF, high >> 4 & 0x3FF]
    bits = VALUE_BITS[form]
    values = np.stack(parts, axis=1).reshape(-1)
    return np.asarray(values - ((values >> (bits - 1)) << bits))
