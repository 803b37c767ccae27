"""Leads as text inside of a page, small enough for hundreds of them; `leads.js` makes drawings of it again.

A lead is base64 of a zlib stream of: the length of a JSON text in four bytes (the lowest first), that text, and the
samples. These are differences from one to the next modulo 2^16, taken for numbers from -32768 to 32767, of which 0, -1,
1, -2, 2 ... are written as 0, 1, 2, 3, 4 ...: first all low bytes, then all high bytes. The JSON holds numbers and our
own words; names of records, leads and rhythms stand in the page's table alone, as text.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import runs
from ecgseg.report.lead import Mask, rows
from ecgseg.report.leads import LeadFigures, LeadRow
from ecgseg.scoring.intervals import INTERVALS, Beat, annotated_beats, beat_pairs, beats_inside

MOST_CHARACTERS = 24_000_000
"""Of all strips of a page."""
_LEVEL = 9


def embed(table: Sequence[LeadRow], most: int = MOST_CHARACTERS) -> tuple[list[LeadRow], list[str]]:
    """The strips of a table's leads, as long as they have room: the first rows first.

    Args:
        table: rows, the most important ones first.
        most: characters of all strips.

    Returns:
        The rows with the index of their strip, and the strips.
    """
    told: list[LeadRow] = []
    strips: list[str] = []
    for row in table:
        index = None
        if row.figures is not None:
            strip = encoded(row.figures)
            if len(strip) <= most:
                most -= len(strip)
                index = len(strips)
                strips.append(strip)
        told.append(LeadRow(row.record, row.lead, row.rhythm, row.mismatched_bytes, row.figures, index))
    return told, strips


def encoded(figures: LeadFigures) -> str:
    """A lead with its masks, beats and points as the module's first lines say."""
    lead = figures.lead
    about = {
        "rate": lead.record.rate,
        "samples": int(lead.record.samples.size),
        "length": int(lead.device.size),
        "classes": lead.classes,
        "rows": [[name, _run_lengths(mask)] for name, mask in rows(lead)],
        "differs": [[run.onset, run.offset] for run in runs((lead.device != lead.reference).astype(np.uint8))],
        "beats": _beats(figures),
        "points": [_point(figures, name) for name in figures.points],
    }
    text = json.dumps(about, separators=(",", ":"), allow_nan=False).encode()
    data = len(text).to_bytes(4, "little") + text + _planes(lead.record.samples)
    return base64.b64encode(zlib.compress(data, _LEVEL)).decode()


def _planes(samples: npt.NDArray[np.int16]) -> bytes:
    # numpy's int16 wraps around, as the difference of two int16 must.
    steps = np.diff(samples, prepend=np.int16(0)).astype(np.int32)
    counted = (steps << 1) ^ (steps >> 31)
    return (counted & 0xFF).astype(np.uint8).tobytes() + (counted >> 8).astype(np.uint8).tobytes()


def _run_lengths(mask: Mask) -> list[int]:
    """Class and length of each run of a mask, one behind the other."""
    edges = [0, *(np.flatnonzero(np.diff(mask)) + 1).tolist(), mask.size]
    return [number for first, last in pairwise(edges) if first < last for number in (int(mask[first]), last - first)]


def _beats(figures: LeadFigures) -> list[list[float | None]]:
    """Of each beat of the device, in ms: where it is, then PR, QRS and QT of the device and of the annotation."""
    record, beats = figures.lead.record, figures.lead.beats
    inside = beats_inside(record, beats)
    annotated = {id(found): one for one, found in beat_pairs(annotated_beats(record), inside)}
    return [[round(_place(beat), 2), *_intervals(beat), *_intervals(annotated.get(id(beat)))] for beat in beats]


def _place(beat: Beat) -> float:
    """R, or the middle of the QRS complex of a beat whose peak nobody marked."""
    if beat.qrs_off is None or beat.r != beat.qrs_on:
        return beat.r
    return (beat.r + beat.qrs_off) / 2


def _intervals(beat: Beat | None) -> list[float | None]:
    known = {} if beat is None else beat.intervals()
    return [round(known[name], 1) if name in known else None for name in INTERVALS]


def _point(figures: LeadFigures, name: str) -> list[object]:
    """Name, found, annotated, surplus, mean and SD of the error, the largest error, and where that is, in ms."""
    points = figures.points[name]
    errors = np.array([detected - annotated for annotated, detected in points.pairs] or [0.0])
    worst = [round(value, 1) for value in figures.worst.get(name, ())]
    counts = [len(points.pairs), len(points.pairs) + len(points.missed), len(points.surplus)]
    return [name, *counts, round(float(errors.mean()), 1), round(float(errors.std()), 1), *worst]
