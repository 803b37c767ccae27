"""The preprocessor: one definition, from raw samples to the int8 frame and from scores to segments."""

from ecgseg.pipeline.parameters import (
    DEFAULT_INPUT_RATE,
    FRAME_LENGTH,
    LEAD_OFF,
    MODEL_RATE,
    UNANNOTATED,
    PreprocessParameters,
    SegmentRules,
)
from ecgseg.pipeline.preprocess import (
    Decimated,
    Frame,
    FrameStatus,
    cut,
    decimate,
    flush_samples,
    frames,
    microvolts,
    normalise,
)
from ecgseg.pipeline.segments import Segment, class_mask, join, runs, segments

__all__ = [
    "DEFAULT_INPUT_RATE",
    "FRAME_LENGTH",
    "LEAD_OFF",
    "MODEL_RATE",
    "UNANNOTATED",
    "Decimated",
    "Frame",
    "FrameStatus",
    "PreprocessParameters",
    "Segment",
    "SegmentRules",
    "class_mask",
    "cut",
    "decimate",
    "flush_samples",
    "frames",
    "join",
    "microvolts",
    "normalise",
    "runs",
    "segments",
]
