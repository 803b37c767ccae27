"""Finds where the answers of a stream part from the reference, and says it in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import numpy.typing as npt

from ecgseg.data.records import CLASS_NAMES
from ecgseg.hil.compare import Difference, difference
from ecgseg.hil.stream_reference import Answers
from ecgseg.link.stream import StreamInfo
from ecgseg.pipeline import MODEL_RATE
from ecgseg.pipeline.events import EVENT_BYTES, Event, EventKind
from ecgseg.pipeline.times import seconds

_NAMES = CLASS_NAMES[4]


def class_difference(expected: npt.NDArray[np.uint8], actual: npt.NDArray[np.uint8]) -> tuple[Difference, str] | None:
    """The first class that differs and what differs there; None when all are equal."""
    part = difference("class", expected.tobytes(), actual.tobytes())
    if part is None:
        return None
    place = f"class of sample {part.offset} ({part.offset / MODEL_RATE:.2f} s)"
    return part, f"{place} is {class_name(part.actual)}, Python has {class_name(part.expected)}"


def class_name(value: int | None) -> str:
    """A class by name, whatever number it is."""
    if value is None:
        return "missing"
    return _NAMES[value] if value < len(_NAMES) else f"no class ({value})"


def event_difference(expected: bytes, actual: bytes) -> tuple[Difference, str] | None:
    """The first event that differs and the first of its fields that does; None when all are equal."""
    part = difference("event", expected, actual)
    if part is None:
        return None
    number = part.offset // EVENT_BYTES
    wanted, found = (_event(data, number) for data in (expected, actual))
    if found is None or wanted is None:
        given = found or wanted
        assert given is not None
        which = "is missing on the device" if found is None else "is one that the device should not have"
        return part, f"event {number}, {event_name(given)}, {which}"
    field = next(f.name for f in fields(Event) if getattr(wanted, f.name) != getattr(found, f.name))
    told = f"has {field} {getattr(found, field)}, Python {getattr(wanted, field)}"
    return part, f"event {number}, {event_name(wanted)}, {told}"


def event_name(event: Event) -> str:
    """Kind and time of an event, whatever it holds."""
    known = {int(kind): kind.name.replace("_", " ").lower() for kind in EventKind}
    return f"{known.get(event.kind, f'of kind {event.kind}')} at {seconds(event.tick):.3f} s"


def _event(data: bytes, number: int) -> Event | None:
    part = data[number * EVENT_BYTES : (number + 1) * EVENT_BYTES]
    return Event.unpack(part) if len(part) == EVENT_BYTES else None


def prefix(expected: Answers, actual: Answers) -> Answers:
    """As much of what is expected as has come: what a test that was cut short can say."""
    return Answers(expected.classes[: actual.classes.size], expected.events[: len(actual.events)])


def illegal(classes: npt.NDArray[np.uint8], events: Sequence[Event]) -> str | None:
    """What in a stream's answers no right device has; None when there is nothing of the kind."""
    highest = int(classes.max(initial=0))
    if highest >= len(_NAMES):
        return f"a sample has class {highest} of {len(_NAMES)}"
    kinds = {int(kind) for kind in EventKind}
    for number, event in enumerate(events):
        if event.kind not in kinds:
            return f"event {number} is of no kind ({event.kind})"
        # An event may lie up to a few samples behind the last one, and no further.
        if seconds(event.tick) > classes.size / MODEL_RATE + 1:
            return f"event {number} is at {seconds(event.tick):.1f} s of {classes.size / MODEL_RATE:.1f} s"
    return None


def told_differently(told: StreamInfo, wanted: dict[str, int], ram_bytes: int) -> list[str]:
    """What START tells that is not what the host knows.

    Args:
        told: by the device.
        wanted: fields that follow from what was rendered.
        ram_bytes: of the image, 0 when unknown.
    """
    found = [
        f"{name} is {getattr(told, name)}, known is {value}"
        for name, value in wanted.items()
        if getattr(told, name) != value
    ]
    if told.memory_bytes < told.state_bytes or (ram_bytes and told.memory_bytes > ram_bytes):
        found.append(f"memory_bytes is {told.memory_bytes}, of {ram_bytes} bytes of RAM")
    return found
