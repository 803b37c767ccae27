"""A user's recording, whatever the format: its channels, and of each the samples that a device takes, in pieces.

A reader (`ecgseg.data.readers`) makes a `Recording`; what a unit is, and what counts as no contact, is decided here, so
that it is the same for all formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from ecgseg import interruption
from ecgseg.errors import UsageError
from ecgseg.pipeline import LEAD_OFF, microvolts
from ecgseg.pipeline.parameters import RAIL

Int16 = npt.NDArray[np.int16]

# Microvolts of a unit, by its name in small letters; the micro sign and the Greek letter are two characters.
_MICROVOLTS = {"v": 1e6, "mv": 1e3, "uv": 1.0, "\N{MICRO SIGN}v": 1.0, "\N{GREEK SMALL LETTER MU}v": 1.0, "nv": 1e-3}
UNITS = ("mV", "uV", "V", "nV")
"""What an option may say, besides `adu:N`."""
STEPS_TOLD = "adu:N is N steps of the converter in a millivolt."
_STEPS = re.compile(r"adu:(\d{1,9}(?:\.\d{1,9})?)")

PIECE_SECONDS = 60
MOST_RATE = 100_000
_MOST_AT_ONCE = 1 << 18
# Samples at an end of the converter's range for so long are a lead that has fallen off; the top of a large QRS complex
# that is cut off is shorter, and still one.
_RAIL_MS = 100


@dataclass(frozen=True)
class Told:
    """What a user says of a recording beside its file; None where nothing is said.

    Attributes:
        rate: samples a second.
        columns: what the columns of a table are, with commas between.
    """

    rate: int | None = None
    columns: str | None = None


def told_by(rate: int | None, columns: str | None) -> Told:
    """What a user typed, checked.

    Raises:
        UsageError: it is no rate, or no columns.
    """
    if rate is not None and not 1 <= rate <= MOST_RATE:
        raise UsageError(
            f"No recording has {rate} samples a second.", f"A rate is 1 to {MOST_RATE} Hz.", "Correct --rate."
        )
    if columns is not None and not columns.strip():
        raise UsageError("--columns names no columns.", "It is empty.", "Name them: --columns time_s,ecg_mV.")
    return Told(rate, columns)


class Signal(NamedTuple):
    """A stretch of a channel as a reader gives it.

    Attributes:
        values: float64 [n] in the channel's unit, NaN where nothing was recorded.
        at_rail: bool [n], True where the converter was at an end of its range.
    """

    values: npt.NDArray[np.float64]
    at_rail: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Channel:
    """One signal of a recording.

    Attributes:
        number: its place in the recording, from 0.
        name: what the recording calls it, one line; empty where it has no name.
        unit: of its values, as the recording says.
        rate: samples a second.
        samples: how many there are.
    """

    number: int
    name: str
    unit: str
    rate: float
    samples: int

    @property
    def label(self) -> str:
        """Its name, or its number where it has none."""
        return self.name or str(self.number)

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / self.rate


class Recording(Protocol):
    """What a reader makes of the files of one recording."""

    @property
    def name(self) -> str:
        """What results are called: letters, digits, `_` and `-`."""
        ...

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All of them, ECG or not."""
        ...

    def read(self, channel: Channel, first: int, end: int) -> Signal:
        """The samples first .. end - 1 of a channel, all of which it has.

        Raises:
            DataError: they cannot be read.
        """
        ...


def scale_of(unit: str) -> float | None:
    """Microvolts of a unit, or of a step where it is `adu:N`, N of them in a millivolt; None for what is no voltage."""
    name = unit.strip().lower()
    steps = _STEPS.fullmatch(name)
    if steps and float(steps[1]) > 0:
        return 1000 / float(steps[1])
    return _MICROVOLTS.get(name)


def pieces(
    recording: Recording, channel: Channel, scale: float, first: int = 0, end: int | None = None
) -> Iterator[Int16]:
    """The samples first .. end - 1 of a channel in order, int16 microvolts, LEAD_OFF where there is no contact.

    No contact is what was not recorded (NaN, gaps), and what stays at an end of the converter's range, or of what int16
    microvolts hold, for 100 ms or longer; so a sample is the same in whatever stretch it is asked for.

    Args:
        recording: where the channel is.
        channel: of a whole number of samples a second.
        scale: microvolts of the channel's unit.
        first, end: within the channel; default all of it.

    Raises:
        DataError: a piece cannot be read.
    """
    end = channel.samples if end is None else end
    longest = round(_RAIL_MS * channel.rate / 1000)
    rails = _Rails(longest)
    step = min(max(1, round(PIECE_SECONDS * channel.rate)), _MOST_AT_ONCE)
    place, last = max(first - longest, 0), min(end + longest, channel.samples)
    edges = [place, *range(first + step, last, step), last] if place < last else []
    for start, stop in pairwise(edges):
        piece = rails.push(*_converted(recording.read(channel, start, stop), scale))
        # The libraries of readers catch everything in places, Ctrl-C with it.
        interruption.check()
        yield piece[max(first - place, 0) : max(end - place, 0)]
        place += piece.size
    yield rails.end()[max(first - place, 0) : max(end - place, 0)]


def stretch(recording: Recording, channel: Channel, scale: float, first: int, end: int) -> Int16:
    """The samples first .. end - 1 of a channel as :func:`pieces` has them; both are cut to what there is.

    Raises:
        DataError: they cannot be read.
    """
    first, end = max(first, 0), min(end, channel.samples)
    if first >= end:
        return np.empty(0, np.int16)
    return np.concatenate(list(pieces(recording, channel, scale, first, end)))


def _converted(signal: Signal, scale: float) -> tuple[Int16, npt.NDArray[np.bool_]]:
    samples = microvolts(signal.values * (scale / 1000))
    return samples, signal.at_rail | (np.abs(samples.astype(np.int32)) == RAIL)


class _Rails:
    """Turns what stays at a rail for long into LEAD_OFF; holds back an end of which that is not known yet.

    Args:
        longest: samples at a rail from which on they are none.
    """

    def __init__(self, longest: int) -> None:
        self._longest = max(longest, 1)
        self._samples = np.empty(0, np.int16)
        self._at_rail = np.empty(0, np.bool_)
        self._is_off = False

    def push(self, samples: Int16, at_rail: npt.NDArray[np.bool_]) -> Int16:
        """Takes samples and which of them are at a rail; returns those that are decided."""
        samples = np.concatenate((self._samples, samples))
        at_rail = np.concatenate((self._at_rail, at_rail))
        runs = np.flatnonzero(np.diff(at_rail.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
        for start, end in runs.tolist():
            if end - start >= self._longest or (start == 0 and self._is_off):
                samples[start:end] = LEAD_OFF
        last = runs[-1].tolist() if runs.size else (0, 0)
        is_open = bool(samples.size) and last[1] == samples.size
        self._is_off = is_open and samples[-1] == LEAD_OFF
        decided = last[0] if is_open and not self._is_off else samples.size
        self._samples, self._at_rail = samples[decided:], at_rail[decided:]
        return samples[:decided]

    def end(self) -> Int16:
        """What was held back: the channel has ended."""
        return self._samples
