"""Every byte of every answer of a right device with a stream, changed one at a time, and what the host has to say."""

from __future__ import annotations

from collections.abc import Iterator

from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.numbers import Command
from ecgseg.pipeline.events import EVENT_BYTES
from hil.rogue_bytes import Part, Stated, parts_of, stated, values_of
from hil.rogue_device import RogueDevice, flipped
from hil.rogue_rows import DIFFERS, PASSES
from hil.rogue_stream import RogueStream

COMMANDS = (Command.START, Command.FEED, Command.EVENTS, Command.CLASSES, Command.FINISH)
"""Of a stream alone; HELLO and STATS are asked for in every test."""
# Rooms are the device's own, and so is its memory as long as the image has it; ticks are measured.
_BY_THE_DEVICE_ALONE = Stated((PASSES, DIFFERS))
_DEVICE_ALONE = {"start-memory_bytes", "start-event_room", "start-class_room", "feed-ticks"}


def stated_of_stream(part: Part) -> Stated:
    """What the host has to say when a byte of that part is another."""
    if part.name in _DEVICE_ALONE:
        return _BY_THE_DEVICE_ALONE
    if part.command in COMMANDS and not part.field.startswith("header."):
        return Stated((DIFFERS,))
    return stated(part)


def stream_parts() -> Iterator[Part]:
    """Every field of every answer that a HIL test of a stream gets, its header's included."""
    results = {"events": bytes(EVENT_BYTES), "classes": bytes(1)}
    for command in (Command.HELLO, *COMMANDS, Command.STATS):
        yield from parts_of(command, values_of(command) | results)


def stream_device(part: Part, offset: int, bits: int) -> RogueStream:
    """One that is right but for some bits of one byte of that part, in every such answer that is long enough."""

    def wire(device: RogueDevice, request: bytes, data: bytes) -> bytes:
        if request[1] != part.command:
            return data
        (body,) = FrameDecoder().feed(data)
        place = part.start + offset
        return encode_frame(flipped(body, place, bits)) if place < len(body) else data

    return RogueStream(wire=wire)
