"""Whether what a device answered is legal at all: only that is scored and drawn."""

from __future__ import annotations

from ecgseg.link import FrameResult


def illegal(frame: FrameResult, class_count: int) -> str | None:
    """What in a frame no model of so many classes can answer; None when there is nothing of the kind.

    Args:
        frame: as the device answered it.
        class_count: classes of the model.
    """
    highest = int(frame.mask.max(initial=0))
    if highest >= class_count:
        return f"the mask has class {highest} of {class_count}"
    last = -1
    for segment in frame.segments:
        if not 1 <= segment.label < class_count:
            return f"a segment has class {segment.label} of {class_count}"
        if not last < segment.onset <= segment.offset < frame.mask.size:
            return f"a segment goes from {segment.onset} to {segment.offset} in a frame of {frame.mask.size}"
        last = segment.offset
    return None
