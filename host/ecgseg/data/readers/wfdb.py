"""Reads the WFDB format: a header and signals (.hea, .dat) and an annotation file of waves for each lead.

Marks of waves are WFDB's own: "(" onset, p/N/t peak, ")" offset.
G. B. Moody, WFDB Applications Guide, section on annotation codes; https://wfdb.io/spec/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.data.records import Record, Wave
from ecgseg.pipeline import microvolts

# What the library raises for a file that is missing, cut off or nonsense, and a lead that is not there.
UNREADABLE = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError)

_KINDS = {"p": "P", "N": "QRS", "t": "T"}


@dataclass(frozen=True)
class About:
    """What a database says of a recording beside its files.

    Attributes:
        record_id: number in the database.
        source: name of the database.
        rhythm: the rhythm from the header's comment lines.
    """

    record_id: int
    source: str
    rhythm: Callable[[Sequence[str]], str]


def read_leads(base: Path, leads: Sequence[str], about: About) -> list[Record]:
    """Leads of one recording, each with the waves of its own annotation file `<base>.<lead>`.

    Args:
        base: path of the recording without a suffix.
        leads: lower-case lead names, in the order wanted.
        about: what is not in the files.

    Raises:
        UNREADABLE: a file is missing or damaged, or there is no such lead.
    """
    # Slow to import, and not needed where nothing is read.
    import wfdb

    signal: Any = wfdb.rdrecord(str(base))
    names = [name.lower() for name in signal.sig_name]
    samples = microvolts(signal.p_signal)
    return [
        Record(
            record_id=about.record_id,
            lead=lead,
            rate=int(signal.fs),
            samples=np.ascontiguousarray(samples[:, names.index(lead)]),
            waves=parse_waves(*_marks(base, lead)),
            rhythm=about.rhythm(signal.comments),
            source=about.source,
        )
        for lead in leads
    ]


def _marks(base: Path, extension: str) -> tuple[list[int], list[str]]:
    import wfdb

    annotation: Any = wfdb.rdann(str(base), extension)
    return [int(sample) for sample in annotation.sample], list(annotation.symbol)


def parse_waves(samples: Sequence[int], symbols: Sequence[str]) -> tuple[Wave, ...]:
    """Waves from their marks: "(" onset, p/N/t peak, ")" offset, any of which may be missing.

    Marks of one kind that follow each other directly are several annotators' marks of one point; their median stands.

    Args:
        samples: raw sample of each mark, in order of time.
        symbols: the mark, one of ( ) p N t.
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
        if groups and groups[-1][1] == symbol:
            groups[-1][0].append(sample)
        else:
            groups.append(([sample], symbol))
    return [(int(np.median(group)), symbol) for group, symbol in groups]
