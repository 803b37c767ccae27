"""Reads a WFDB recording of any length in pieces: one segment or many, every format but that of differences.

Any of its files may be longer than there is memory.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.data.readers.wfdb import UNREADABLE
from ecgseg.data.readers.wfdb_header import MAX_SAMPLES, NOTHING, Header, Line, read_header
from ecgseg.data.readers.wfdb_samples import COMPRESSED, VALUE_BITS, samples_in, stored_samples
from ecgseg.data.recording import Channel, Signal
from ecgseg.errors import ContentError, DataError, cause
from ecgseg.files import checked_size, is_file, plain, safe_name

_MAX_FILE_BYTES = 1 << 40
# Samples of all signals together that are decoded at once.
_AT_ONCE = 1 << 21


class WfdbRecording:
    """A WFDB recording, read in pieces.

    Args:
        path: the recording's name, with or without .hea or the suffix of another of its files.

    Attributes:
        name: of its results.
        channels: all signals.

    Raises:
        DataError: there is no such recording, or its header or files are not as the format has them.
    """

    def __init__(self, path: Path) -> None:
        self._base = _base(path)
        self.name = _result_name(self._base)
        try:
            header = read_header(self._base)
            parts = _segments(header)
            self._parts: tuple[Header | None, ...] = tuple(part for _, part in parts)
            self._starts = np.cumsum([0, *(length for length, _ in parts)]).tolist()
            named = _layout(header, self._parts)
        except UNREADABLE as error:
            raise _unreadable(self._base, error) from error
        self._rate = header.rate
        self.channels = tuple(
            Channel(number, line.name, line.unit, header.rate * line.per_frame, self._starts[-1] * line.per_frame)
            for number, line in enumerate(named.signals)
        )
        self._per_frame = [line.per_frame for line in named.signals]
        # Segments of a fixed layout have the same signals in the same order; of a variable one they go by their names.
        self._by_name = bool(header.segments) and named not in self._parts

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """See `Recording`."""
        per_frame = self._per_frame[channel.number]
        frames = range(first // per_frame, -(-end // per_frame))
        try:
            parts = list(self._read_frames(channel, frames.start, frames.stop))
        except UNREADABLE as error:
            raise _unreadable(self._base, error) from error
        values = np.concatenate([part.values for part in parts])
        at_rail = np.concatenate([part.at_rail for part in parts])
        kept = slice(first - frames.start * per_frame, end - frames.start * per_frame)
        return Signal(values[kept], at_rail[kept])

    def _read_frames(self, channel: Channel, first: int, end: int) -> Any:
        """Signals of the frames first .. end - 1, one after the other; a gap is NaN."""
        while first < end:
            index = bisect_right(self._starts, first) - 1
            part, start = self._parts[index], self._starts[index]
            line = self._line(part, channel)
            last = min(end, self._starts[index + 1])
            if part is None or line is None:
                missing = (last - first) * self._per_frame[channel.number]
                yield Signal(np.full(missing, np.nan), np.zeros(missing, np.bool_))
            else:
                last = min(last, first + max(1, _AT_ONCE // sum(one.per_frame for one in part.signals)))
                yield line.values(_stored(part, part.signals.index(line), first - start, last - start))
            first = last

    def _line(self, part: Header | None, channel: Channel) -> Line | None:
        """The signal of a segment that is a channel of the recording; None where it has none."""
        if part is None:
            return None
        if self._by_name:
            found = next((line for line in part.signals if line.name == channel.name), None)
        else:
            found = part.signals[channel.number]
        if found is not None and (found.unit, found.per_frame) != (channel.unit, self._per_frame[channel.number]):
            raise ContentError(f"its segment {part.base.name} has {channel.label} in another unit or at another rate")
        return found


def _stored(part: Header, signal: int, first: int, end: int) -> npt.NDArray[np.int64]:
    """Numbers of a signal as they are stored, int64 [frames * samples in a frame]; what skew leaves out is missing."""
    line = part.signals[signal]
    missing = -(1 << (VALUE_BITS[line.format] - 1))
    if line.format in COMPRESSED:
        return _unpacked(part, signal, first, end)
    start, stop = first + line.skew, min(end + line.skew, part.frames)
    together = [one for one in part.signals if one.file == line.file]
    frame = sum(one.per_frame for one in together)
    before = sum(one.per_frame for one in together[: together.index(line)])
    path = part.base.with_name(line.file)
    count = max(stop - start, 0)
    flat = stored_samples(path, line.format, line.first_byte, start * frame, count * frame)
    found = flat.reshape(count, frame)[:, before : before + line.per_frame].reshape(-1)
    return np.concatenate((found, np.full((end - first) * line.per_frame - found.size, missing)))


def _unpacked(part: Header, signal: int, first: int, end: int) -> npt.NDArray[np.int64]:
    """The same of a compressed file, through the library."""
    # Slow to import, and not needed where nothing is read.
    import wfdb

    read: Any = wfdb.rdrecord(
        str(part.base), sampfrom=first, sampto=end, channels=[signal], physical=False, smooth_frames=False
    )
    stored = np.asarray(read.e_d_signal[0], dtype=np.int64)
    if stored.size != (end - first) * part.signals[signal].per_frame:
        raise ContentError("its files hold fewer samples than its header counts")
    return stored


def _base(path: Path) -> Path:
    """Path of the recording without a suffix, absolute, for the library takes some relative ones for addresses."""
    for base in (path, path.with_suffix("")) if path.name else ():
        if is_file(base.with_name(f"{base.name}.hea")):
            return base.absolute()
    raise DataError(
        f"There is no recording '{plain(str(path))}'.",
        "A WFDB recording has a header of that name with .hea behind it.",
        "Name a header (.hea), or the recording without a suffix.",
    )


def _result_name(base: Path) -> str:
    return re.sub(r"[^\w-]", "_", safe_name(base.name), flags=re.ASCII)


def _unreadable(base: Path, error: BaseException) -> DataError:
    if isinstance(error, FileNotFoundError) and error.filename:
        why = f"There is no {plain(Path(str(error.filename)).name)}, which it names."
    else:
        why = plain(cause(error, "Its header or samples are not as the format has them."), 400)
    return DataError(
        f"The recording '{plain(str(base))}' cannot be read.",
        why,
        "Copy it anew with all of its files, or write it anew with wfdb.wrsamp.",
    )


def _segments(header: Header) -> list[tuple[int, Header | None]]:
    """Frames and header of each stretch of a recording; None for a gap. The layout of a variable one is none."""
    if not header.segments:
        whole = replace(header, frames=_checked_frames(header))
        return [(whole.frames, whole)]
    parts: list[tuple[int, Header | None]] = []
    for name, frames in header.segments:
        if not frames:
            continue
        if name == NOTHING:
            parts.append((frames, None))
            continue
        part = read_header(header.base.with_name(name))
        if part.segments or part.rate != header.rate:
            raise ContentError(f"its segment {name} is of several segments itself, or of another rate")
        part = replace(part, frames=_checked_frames(part))
        if part.frames < frames:
            raise ContentError(f"its segment {name} is shorter than it says")
        parts.append((frames, part))
    total = sum(frames for frames, _ in parts)
    if not 0 < total <= MAX_SAMPLES or header.frames not in (0, total):
        raise ContentError(f"its segments hold {total} samples together, its header counts {header.frames}")
    return parts


def _checked_frames(header: Header) -> int:
    """Frames of a segment; its files are large enough for them."""
    frames = header.frames
    files: dict[str, list[Line]] = {}
    for line in header.signals:
        files.setdefault(line.file, []).append(line)
    for name, lines in files.items():
        size = checked_size(header.base.with_name(name), _MAX_FILE_BYTES)
        if len({(line.format, line.first_byte) for line in lines}) > 1:
            raise ContentError(f"its header tells of several formats in {name}")
        if lines[0].format in COMPRESSED:
            continue
        held = samples_in(lines[0].format, size - lines[0].first_byte) // sum(line.per_frame for line in lines)
        frames = frames or held
        if held < frames:
            raise ContentError(f"its header counts {frames} samples, which the {size} bytes of {name} cannot hold")
    if not 0 < frames <= MAX_SAMPLES:
        raise ContentError(f"it holds {frames or 'no'} samples")
    return frames


def _layout(header: Header, parts: Sequence[Header | None]) -> Header:
    """The header that says what signals a recording has."""
    if header.segments and not header.segments[0][1] and header.segments[0][0] != NOTHING:
        return read_header(header.base.with_name(header.segments[0][0]))
    first = next((part for part in parts if part is not None), None)
    if first is None:
        raise ContentError("it holds no samples")
    if any(part is not None and len(part.signals) != len(first.signals) for part in parts):
        raise ContentError("its segments have different signals")
    return first
