"""Whether what a device answered is legal at all: only such frames are scored and drawn, only such counters told."""

from __future__ import annotations

from ecgseg.link import DeviceStats, FrameResult


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


def illegal_stats(stats: DeviceStats, ram_bytes: int) -> str | None:
    """What in a device's counters cannot be; None when there is nothing of the kind.

    Every frame gets one answer at most; a request that is repeated, late or of another version is one of the frames.

    Args:
        stats: as the device told them; counters wrap at 2^32.
        ram_bytes: of its image, stack included; 0 when unknown.
    """
    for name in ("answers", "repeats", "bad_version", "stale"):
        count = getattr(stats, name)
        if (stats.frames - count) % (1 << 32) >= 1 << 31:
            return f"it counts {count} {name} of {stats.frames} frames"
    if ram_bytes and stats.stack_high_water > ram_bytes:
        return f"it tells a stack of {stats.stack_high_water} bytes in an image with {ram_bytes} bytes of RAM"
    return None
