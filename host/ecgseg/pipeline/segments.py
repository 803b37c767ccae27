"""Scores to class mask to segments: the reference of firmware/pipeline/ecgseg_segments.c."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline.parameters import SegmentRules
from ecgseg.pipeline.preprocess import Frame

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Segment:
    """A wave: class label and its first and last sample at 100 Hz, both inclusive."""

    label: int
    onset: int
    offset: int


def class_mask(scores: npt.NDArray[np.int8], frame: Frame) -> Mask:
    """Class of every sample.

    Args:
        scores: int8 [frame_length, classes].
        frame: the preprocessed frame the scores belong to; what is not valid becomes NONE.

    Returns:
        uint8 [frame_length]; the lowest class wins a tie.
    """
    mask: Mask = np.argmax(scores, axis=1).astype(np.uint8)
    if not frame.status.usable:
        mask[:] = 0
    mask[~frame.valid] = 0
    return mask


def runs(mask: Mask) -> list[Segment]:
    """Runs of one class other than NONE in a uint8 mask, in order of time."""
    if mask.size == 0:
        return []
    edges = np.flatnonzero(np.diff(mask)) + 1
    starts = [0, *edges.tolist()]
    ends = [*edges.tolist(), mask.size]
    return [
        Segment(int(mask[start]), start, end - 1) for start, end in zip(starts, ends, strict=True) if mask[start] != 0
    ]


def segments(mask: Mask, rules: SegmentRules) -> list[Segment]:
    """Segments of one frame by the rules (docs/architecture.md, section 4).

    Args:
        mask: uint8 [frame_length].
        rules: gap and length rules.
    """
    merged: list[Segment] = []
    for run in runs(mask):
        if merged and merged[-1].label == run.label and run.onset - merged[-1].offset - 1 <= rules.max_gap:
            merged[-1] = replace(merged[-1], offset=run.offset)
        else:
            merged.append(run)
    last = mask.size - 1
    return [
        run
        for run in merged
        if run.onset == 0 or run.offset == last or run.offset - run.onset + 1 >= rules.min_length[run.label]
    ]


def join(frame_segments: Iterable[tuple[int, Sequence[Segment]]], rules: SegmentRules) -> list[Segment]:
    """Segments of a record from those of its consecutive, non-overlapping frames.

    Two segments of one class that meet at a frame boundary become one. A piece that only an edge had saved from the
    length rule, and that found no partner, is dropped.

    Args:
        frame_segments: (first sample of the frame in the record, segments of that frame), in order of time.
        rules: the rules that made the segments.

    Returns:
        Segments in samples of the record.
    """
    joined: list[Segment] = []
    for start, parts in frame_segments:
        for part in parts:
            moved = Segment(part.label, part.onset + start, part.offset + start)
            if joined and joined[-1].label == moved.label and joined[-1].offset + 1 == moved.onset == start:
                joined[-1] = replace(joined[-1], offset=moved.offset)
            else:
                joined.append(moved)
    return [run for run in joined if run.offset - run.onset + 1 >= rules.min_length[run.label]]
