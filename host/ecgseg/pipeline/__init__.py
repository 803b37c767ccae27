"""The device in Python: preprocessor, model, class mask, segments and beats, each number of it defined here once."""

from ecgseg.pipeline.parameters import (
    DEFAULT_INPUT_RATE,
    FRAME_LENGTH,
    LEAD_OFF,
    MODEL_RATE,
    RUNNING_GAP,
    RUNNING_LEAST,
    RUNNING_WINDOW,
    SUPPORTED_RATES,
    UNANNOTATED,
    PreprocessParameters,
    SegmentRules,
)
from ecgseg.pipeline.prediction import Prediction, assemble, whole_record
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
from ecgseg.pipeline.running import RunningNormaliser, normalise_running
from ecgseg.pipeline.segments import Segment, class_mask, join, runs, segments
from ecgseg.pipeline.times import milliseconds, offset_tick, onset_tick, raw_place, sample_tick, seconds

__all__ = [
    "DEFAULT_INPUT_RATE",
    "FRAME_LENGTH",
    "LEAD_OFF",
    "MODEL_RATE",
    "RUNNING_GAP",
    "RUNNING_LEAST",
    "RUNNING_WINDOW",
    "SUPPORTED_RATES",
    "UNANNOTATED",
    "Decimated",
    "Frame",
    "FrameStatus",
    "Prediction",
    "PreprocessParameters",
    "RunningNormaliser",
    "Segment",
    "SegmentRules",
    "assemble",
    "class_mask",
    "cut",
    "decimate",
    "flush_samples",
    "frames",
    "join",
    "microvolts",
    "milliseconds",
    "normalise",
    "normalise_running",
    "offset_tick",
    "onset_tick",
    "raw_place",
    "runs",
    "sample_tick",
    "seconds",
    "segments",
    "whole_record",
]
