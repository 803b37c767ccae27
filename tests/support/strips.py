"""Strips of a page, read as the page's script reads them, and tests whose leads are many, long or badly named."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.data.databases.synthetic import synthetic_records
from ecgseg.data.records import Wave, labels
from ecgseg.hil.result import HilRun, ShownLead
from ecgseg.pipeline import UNANNOTATED, SegmentRules, runs, segments
from support.report_pages import outcome, result

RULES = SegmentRules.for_classes(4)


def strips_of(html: str) -> list[str]:
    """The strips that a page holds."""
    (text,) = re.findall(r'<script type="application/json" id="strips">(.*?)</script>', html)
    return list(json.loads(text))


def unpacked(strip: str) -> tuple[dict[str, Any], npt.NDArray[np.int16]]:
    """What a strip tells, and its samples int16 [n]."""
    data = zlib.decompress(base64.b64decode(strip, validate=True))
    size = int.from_bytes(data[:4], "little")
    about = json.loads(data[4 : 4 + size])
    planes = np.frombuffer(data[4 + size :], np.uint8).reshape(2, about["samples"]).astype(np.int32)
    counted = planes[0] | planes[1] << 8
    return about, np.cumsum((counted >> 1) ^ -(counted & 1)).astype(np.int16)


def mask_of(run_lengths: list[int]) -> npt.NDArray[np.uint8]:
    """The mask uint8 [n] of classes and lengths, one behind the other."""
    return np.repeat(run_lengths[::2], run_lengths[1::2]).astype(np.uint8)


def annotated_lead(times: int = 1) -> ShownLead:
    """Ten seconds so many times, of which the device finds every wave that is annotated."""
    (record,) = synthetic_records(1, ("ii",), seed=4)
    size = record.samples.size
    waves = [
        Wave(w.kind, *(None if point is None else point + n * size for point in (w.onset, w.peak, w.offset)))
        for n in range(times)
        for w in record.waves
    ]
    record = replace(record, samples=np.tile(record.samples, times), waves=tuple(waves))
    truth = labels(record, 4, record.step)
    mask = np.where(truth == UNANNOTATED, 0, truth).astype(np.uint8)
    return ShownLead(record, mask, mask, segments(mask, RULES), 4, True)


def late(of: ShownLead, record: int, name: str, by: int, *, rhythm: str = "sinus") -> ShownLead:
    """The same under other names, but one P wave, the third, begins so many samples at 100 Hz later."""
    mask = of.reference.copy()
    first = runs((mask == 1).astype(np.uint8))[2].onset
    mask[first : first + by] = 0
    renamed = replace(of.record, record_id=record, lead=name, rhythm=rhythm)
    return replace(of, record=renamed, reference=mask, device=mask, segments=segments(mask, RULES))


def run_of(leads: list[ShownLead], **changes: object) -> HilRun:
    """A test that sent these leads to their end."""
    told = [
        outcome(
            record=lead.record.record_id,
            label=lead.record.label,
            lead=lead.record.lead,
            mismatched_bytes=0 if lead.equal else 9,
        )
        for lead in leads
    ]
    return HilRun(result(by_lead=told, **changes), leads)
