"""Reads the WFDB format: a header and signals (.hea, .dat) and annotation files of waves, of each lead or of all.

Marks of waves are WFDB's own: "(" onset, p/t/u or the code of a beat peak, ")" offset; the rest is passed over.
G. B. Moody, WFDB Applications Guide, section on annotation codes; https://wfdb.io/spec/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import Record, Wave
from ecgseg.errors import ContentError
from ecgseg.files import checked_size, plain, read_text
from ecgseg.pipeline import microvolts

# What the library raises for a file that is missing, cut off or nonsense, and a lead that is not there.
UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError)

MAX_HEADER_BYTES = 1 << 16
MAX_FILE_BYTES = 64 << 20
MAX_SIGNALS = 64
MAX_SAMPLES_PER_FRAME = 64
# Bits of a stored sample by format; of what is packed or differs from sample to sample, the fewest.
_BITS = {"8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 10, "311": 10}
_RECORD_LINE = re.compile(r"\S+\s+(\d{1,4})(?:\s+\d{1,6}(?:\.\d{1,9})?(?:[/(]\S*)?(?:\s+(\d{1,18})\b.*)?)?\s*")
_SIGNAL_LINE = re.compile(r"([\w.-]+)\s+(\d{1,3})(?:x(\d{1,4}))?(?:\+(\d{1,9}))?(?:\s.*)?")

# The codes of beats, which are on the QRS complex: what kind of beat it is says nothing about the wave.
BEATS = "NLRBAaJSVrFejnE/fQ?"
_KINDS = {"p": "P", "t": "T", "u": "U"} | dict.fromkeys(BEATS, "QRS")


def _no_rhythm(comments: Sequence[str]) -> str:
    del comments
    return "unknown"


@dataclass(frozen=True)
class About:
    """What a database says of a recording beside its files.

    Attributes:
        record_id: number in the database.
        source: name of the database.
        rhythm: the rhythm from the header's comment lines.
        name: the recording's name, where it is more than the number.
    """

    record_id: int
    source: str
    rhythm: Callable[[Sequence[str]], str] = _no_rhythm
    name: str = ""


@dataclass(frozen=True)
class WfdbReader:
    """How the files of a database in WFDB's format become records.

    Attributes:
        path: of a record's files in the database, without suffix; {name} stands for its name.
        annotator: suffix of its annotation file, for all channels, which go by their numbers; {lead}: each lead, which
            go by their names, has its own.
        rhythm: the rhythm from the header's comment lines.
    """

    path: str
    annotator: str
    rhythm: Callable[[Sequence[str]], str] = _no_rhythm

    def place(self, folder: Path, name: str) -> Path:
        """The path of a record without suffix."""
        return folder / self.path.format(name=name)

    def read(self, folder: Path, name: str, leads: Sequence[str], about: About) -> list[Record]:
        """Leads of one record; raises as :func:`read_leads` does."""
        about = replace(about, rhythm=self.rhythm)
        if self.annotator == "{lead}":
            return read_leads(self.place(folder, name), leads, about)
        return read_channels(self.place(folder, name), self.annotator, [int(lead) for lead in leads], about)


def read_leads(base: Path, leads: Sequence[str], about: About) -> list[Record]:
    """Leads of one recording, each with the waves of its own annotation file `<base>.<lead>`.

    Args:
        base: path of the recording without a suffix.
        leads: lower-case lead names, in the order wanted.
        about: what is not in the files.

    Raises:
        UNREADABLE: a file is missing or damaged, or there is no such lead.
    """
    check_sizes(base, leads)
    signal = _signal(base)
    names = [name.lower() for name in signal.sig_name]
    samples = microvolts(signal.p_signal)
    return [
        _record(signal, samples[:, names.index(lead)], lead, parse_waves(*read_marks(base, lead)), about)
        for lead in leads
    ]


def read_channels(base: Path, annotator: str, channels: Sequence[int], about: About) -> list[Record]:
    """Channels of one recording, which share the waves of one annotation file `<base>.<annotator>`.

    Args:
        base: path of the recording without a suffix.
        annotator: suffix of the annotation file.
        channels: numbers of signals, from 0; they become the names of the leads.
        about: what is not in the files.

    Raises:
        UNREADABLE: a file is missing or damaged, or there is no such channel.
    """
    check_sizes(base, [annotator])
    signal = _signal(base)
    samples = microvolts(signal.p_signal)
    waves = parse_waves(*read_marks(base, annotator))
    return [_record(signal, samples[:, channel], str(channel), waves, about) for channel in channels]


def _signal(base: Path) -> Any:
    """What the library reads of header and samples."""
    # Slow to import, and not needed where nothing is read.
    import wfdb

    signal: Any = wfdb.rdrecord(str(base))
    if signal.fs != int(signal.fs):
        raise ContentError(f"its rate of {signal.fs} Hz is no whole number")
    if signal.p_signal is None or not len(signal.p_signal):
        raise ContentError("it holds no samples")
    return signal


def _record(signal: Any, samples: npt.NDArray[np.int16], lead: str, waves: tuple[Wave, ...], about: About) -> Record:
    return Record(
        record_id=about.record_id,
        lead=lead,
        rate=int(signal.fs),
        samples=np.ascontiguousarray(samples),
        waves=waves,
        rhythm=about.rhythm(signal.comments),
        source=about.source,
        name=about.name,
    )


def check_sizes(base: Path, leads: Sequence[str]) -> None:
    """Compares what the header promises with the files that are there: the library makes room before it reads.

    Args:
        base: path of the recording without a suffix.
        leads: each with an annotation file.

    Raises:
        OSError: a file is not there, no regular file, or too large.
        ContentError: the header is none, or its files cannot hold the samples that it counts.
    """
    samples, stored = _counted(read_text(base.with_name(f"{base.name}.hea"), MAX_HEADER_BYTES))
    needed: dict[str, int] = {}
    for name, bits, first in stored:
        needed[name] = max(needed.get(name, 0), 8 * first) + samples * bits
    for name, bits in needed.items():
        size = checked_size(base.with_name(name), MAX_FILE_BYTES)
        if 8 * size < bits:
            raise ContentError(f"its header counts {samples} samples, which the {size} bytes of {name} cannot hold")
    for lead in leads:
        checked_size(base.with_name(f"{base.name}.{lead}"), MAX_FILE_BYTES)


def _counted(header: str) -> tuple[int, list[tuple[str, int, int]]]:
    """Samples of each signal that a header counts, and where each of its signals is (see `_stored`)."""
    lines = [line for line in header.splitlines() if line and not line.startswith("#")]
    about = _RECORD_LINE.fullmatch(lines[0]) if lines else None
    if about is None:
        raise ContentError("its header does not begin with name, signals, rate and samples")
    signals = int(about[1])
    if not 1 <= signals <= MAX_SIGNALS or len(lines) != 1 + signals:
        raise ContentError(f"its header counts {signals} signals and describes {len(lines) - 1}")
    return int(about[2] or 0), [_stored(line) for line in lines[1:]]


def _stored(line: str) -> tuple[str, int, int]:
    """Where a header's line says that a signal is: file, bits for each sample of the recording, first byte."""
    found = _SIGNAL_LINE.fullmatch(line)
    if found is None or found[2] not in _BITS or not 1 <= int(found[3] or 1) <= MAX_SAMPLES_PER_FRAME:
        raise ContentError(f"its header describes a signal in a way that is not read: {plain(line, 60)}")
    return found[1], _BITS[found[2]] * int(found[3] or 1), int(found[4] or 0)


def read_marks(base: Path, extension: str) -> tuple[list[int], list[str]]:
    """Samples and symbols of an annotation file, in order of time.

    Raises:
        UNREADABLE: it is missing or damaged.
    """
    import wfdb

    checked_size(base.with_name(f"{base.name}.{extension}"), MAX_FILE_BYTES)
    annotation: Any = wfdb.rdann(str(base), extension)
    return [int(sample) for sample in annotation.sample], list(annotation.symbol)


def parse_waves(samples: Sequence[int], symbols: Sequence[str]) -> tuple[Wave, ...]:
    """Waves from their marks: "(" onset, p/t/u or a beat's code peak, ")" offset, any of which may be missing.

    Marks of one kind that follow each other directly are several annotators' marks of one point; their median stands.

    Args:
        samples: raw sample of each annotation, in order of time.
        symbols: its symbol; what marks no wave, such as a change of rhythm, is passed over.
    """
    waves: list[Wave] = []
    onset: int | None = None
    open_wave: Wave | None = None
    for sample, symbol in _collapse(samples, symbols):
        if symbol == ")":
            if open_wave is not None:
                waves.append(Wave(open_wave.kind, open_wave.onset, open_wave.peak, sample))
            else:
                waves.append(Wave("?", onset, None, sample))
            open_wave = onset = None
            continue
        if open_wave is not None:
            waves.append(open_wave)
            open_wave = None
        if symbol == "(":
            if onset is not None:
                waves.append(Wave("?", onset, None, None))
            onset = sample
        else:
            open_wave = Wave(_KINDS[symbol], onset, sample, None)
            onset = None
    if open_wave is not None:
        waves.append(open_wave)
    elif onset is not None:
        waves.append(Wave("?", onset, None, None))
    return tuple(waves)


def _collapse(samples: Sequence[int], symbols: Sequence[str]) -> list[tuple[int, str]]:
    groups: list[tuple[list[int], str]] = []
    for sample, symbol in zip(samples, symbols, strict=True):
        if symbol not in _KINDS and symbol not in ("(", ")"):
            continue
        if groups and groups[-1][1] == symbol:
            groups[-1][0].append(sample)
        else:
            groups.append(([sample], symbol))
    return [(int(np.median(group)), symbol) for group, symbol in groups]
