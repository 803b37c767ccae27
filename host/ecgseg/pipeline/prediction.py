"""A whole record in frames, and one answer for it from those of its frames; by any model behind the preprocessor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecgseg.pipeline.parameters import PreprocessParameters, SegmentRules
from ecgseg.pipeline.preprocess import Frame, Int16, cut, decimate, normalise
from ecgseg.pipeline.segments import Mask, Segment, join, segments


@dataclass(frozen=True)
class Prediction:
    """What was found in one lead: class mask uint8 [n] at 100 Hz and segments in samples of the record."""

    mask: Mask
    segments: list[Segment]


def whole_record(raw: Int16, parameters: PreprocessParameters) -> list[Frame]:
    """Frames one after the other from the record's start; if they leave a rest, one more that ends where it ends.

    Args:
        raw: int16 [samples] at the input rate.
        parameters: the preprocessor's parameters.

    Returns:
        Nothing for a record that is shorter than a frame.
    """
    signal = decimate(raw, parameters)
    length = parameters.frame_length
    last = signal.samples.size - length
    starts = [*range(0, last, length), last] if last >= 0 else []
    return [normalise(cut(signal, start, length), parameters) for start in starts]


def assemble(masks: Sequence[Mask], length: int, rules: SegmentRules) -> Prediction:
    """Prediction of a record from the masks of its frames, as from :func:`whole_record`.

    Of the last frame counts what the one before it does not cover.

    Args:
        masks: uint8 [frame_length] each, in order of time.
        length: samples of the record at 100 Hz.
        rules: segment rules.
    """
    mask = np.zeros(length, dtype=np.uint8)
    parts = []
    for index, frame in enumerate(masks):
        first = index * frame.size
        part = frame[max(0, first + frame.size - length) :]
        mask[first : first + frame.size] = part
        parts.append((first, segments(part, rules)))
    return Prediction(mask, join(parts, rules))
