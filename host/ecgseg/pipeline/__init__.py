"""The device in Python: preprocessor, model, class mask, segments and beats, each number of it defined here once."""

from ecgseg.pipeline.parameters import (
    FRAME_LENGTH,
    LEAD_OFF,
    RUNNING_GAP,
    RUNNING_LEAST,
    RUNNING_WINDOW,
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
    quantised,
)
from ecgseg.pipeline.rates import DEFAULT_INPUT_RATE, MODEL_RATE, RATES_TOLD, Resampling, takes_rate
from ecgseg.pipeline.running import RunningNormaliser, normalise_running
from ecgseg.pipeline.segments import Segment, class_mask, join, runs, segments
from ecgseg.pipeline.times import milliseconds, offset_tick, onset_tick, raw_place, sample_tick, seconds

__all__ = [
    "DEFAULT_INPUT_RATE",
    "FRAME_LENGTH",
    "LEAD_OFF",
    "MODEL_RATE",
    "RATES_TOLD",
    "RUNNING_GAP",
    "RUNNING_LEAST",
    "RUNNING_WINDOW",
    "UNANNOTATED",
    "Decimated",
    "Frame",
    "FrameStatus",
    "Prediction",
    "PreprocessParameters",
    "Resampling",
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
    "quantised",
    "raw_place",
    "runs",
    "sample_tick",
    "seconds",
    "segments",
    "takes_rate",
    "whole_record",
]
