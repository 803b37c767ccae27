"""A whole record: every sample of it in one frame or the other, and counted once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgseg.pipeline import PreprocessParameters, Segment, SegmentRules, assemble, frames, whole_record
from ecgseg.pipeline.segments import runs

PARAMETERS = PreprocessParameters(input_rate=500, scale=1 / 32, zero_point=0, rules=SegmentRules.for_classes(4))


def ramp(samples: int) -> npt.NDArray[np.int16]:
    """A signal whose every frame differs."""
    return (100 * np.sin(np.arange(samples) ** 1.5 / 500)).astype(np.int16)


def test_a_record_of_whole_frames_is_cut_as_the_device_cuts_it() -> None:
    raw = ramp(5000)
    expected = frames(raw, PARAMETERS)
    found = whole_record(raw, PARAMETERS)
    assert len(found) == len(expected) == 4
    assert all(np.array_equal(a.data, b.data) for a, b in zip(found, expected, strict=True))


def test_the_last_frame_is_aligned_to_the_end_of_the_record() -> None:
    raw = ramp(5500)
    found = whole_record(raw, PARAMETERS)
    assert len(found) == 5
    # 1100 samples at 100 Hz: the last frame starts at 850, raw sample 4250. The filter's edge is left out.
    alone = frames(raw[4250:], PARAMETERS)[0]
    difference = np.abs(found[-1].data.astype(int) - alone.data.astype(int))
    assert difference[10:].max() <= 1
    assert [len(whole_record(ramp(size), PARAMETERS)) for size in (1245, 1250, 1255)] == [0, 1, 2]


def test_of_the_last_frame_counts_only_what_the_one_before_does_not_cover() -> None:
    masks = [np.zeros(250, dtype=np.uint8) for _ in range(5)]
    # Frame 3 ends in a QRS, samples 990..999. The last one starts at 850: 100..119 are covered by frame 3 and do not
    # count, 150..154 go on with the QRS (1000..1004), 200..219 are a T wave at 1050..1069.
    masks[3][240:250] = 2
    masks[4][100:120] = 1
    masks[4][150:155] = 2
    masks[4][200:220] = 3
    found = assemble(masks, 1100, PARAMETERS.rules)
    assert found.segments == [Segment(2, 990, 1004), Segment(3, 1050, 1069)]
    assert runs(found.mask) == found.segments
    assert found.mask.size == 1100
