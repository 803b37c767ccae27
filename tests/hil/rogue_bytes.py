"""Every byte of every answer of a right device, changed one at a time, and what the host has to say to each.

The bytes are found from the description of the link, so a field that is added there is changed here; where something
else than FAIL is right, it is stated below.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ecgseg.link.description import Field, description
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.messages import BY_COMMAND, pack
from ecgseg.link.numbers import ANSWER_HEADER_BYTES, Command, ReadKind
from hil.rogue_device import Answer, RogueDevice, Values, direct_truth, flipped, hello_values, truth
from hil.rogue_rows import DIFFERS, INCOMPLETE, PASSES, REFUSED, read

Ends = tuple[int, str | None]

NOT_ASKED = {Command.BENCH, Command.SET_BAUD, Command.SET_CLOCK, Command.RESTART}
"""By no HIL test."""
OF_A_STREAM = {Command.START, Command.FEED, Command.EVENTS, Command.CLASSES, Command.GAP, Command.FINISH}
"""By no HIL test of frames."""


@dataclass(frozen=True)
class Part:
    """A field of an answer, or all that READ reads of one kind.

    Attributes:
        command: whose answer.
        field: by name; of the header with "header." before it.
        start, size: bytes in the answer's body.
        kind: what is read, of READ.
        direct: the model is no segmenter.
    """

    command: Command
    field: str
    start: int
    size: int
    kind: ReadKind | None = None
    direct: bool = False

    @property
    def name(self) -> str:
        kind = f"-{self.kind.name.lower()}" if self.kind is not None else ""
        return f"{'direct-' * self.direct}{self.command.name.lower()}{kind}-{self.field}"


@dataclass(frozen=True)
class Stated:
    """What the host says to a field whose byte is another.

    Attributes:
        ends: exit code and verdict; several where it depends on the byte.
        says: stands on the terminal, unless the verdict is pass.
    """

    ends: tuple[Ends, ...]
    says: str = ""


_FAIL = Stated((DIFFERS,))
# A right answer to another request: the host drops it, asks again, and has no verdict when none comes.
_HEADER = {
    "header.version": Stated((DIFFERS,), "of the protocol, this host version 1"),
    "header.command": Stated((INCOMPLETE,), "answers to other requests"),
    "header.sequence": Stated((INCOMPLETE,), "answers to other requests"),
    "header.error": Stated((DIFFERS,), "bytes of an answer follow"),
}
_HEADER_OF_HELLO = {
    "header.version": Stated((DIFFERS,), "of the protocol, this host version 1"),
    "header.command": Stated((REFUSED,), "answers to other requests"),
    "header.sequence": Stated((REFUSED,), "answers to other requests"),
    "header.error": Stated((DIFFERS,), "bytes of an answer follow"),
}
# An answer without fields is then an error as any right device answers it.
_REFUSAL = Stated((INCOMPLETE,), "The device refused")
# Of these the host knows nothing that it could compare: a figure of the board, or of its last start, which is shown.
_BY_THE_DEVICE_ALONE = ("core_hz", "tick_hz", "max_baud", "reset_cause", "fault_valid", "fault_type", "fault_registers")
_BY_THE_DEVICE_ALONE += ("fault_cfsr", "fault_hfsr", "fault_mmfar", "fault_bfar")
# A time that the device measured: only one that is longer than the test cannot be. Counters: only more of a kind than
# there were frames.
_MEASURED = Stated((PASSES, DIFFERS))


def stated(part: Part) -> Stated:
    """What the host has to say when a byte of that part is another."""
    if part.field in _HEADER:
        asked_after_a_difference = part.command in (Command.LAYER, Command.TRACE) or part.kind == ReadKind.TRACE
        if asked_after_a_difference:
            return _FAIL
        if part.field == "header.error" and not BY_COMMAND[part.command].answer:
            return _REFUSAL
        return (_HEADER_OF_HELLO if part.command == Command.HELLO else _HEADER)[part.field]
    if part.command == Command.HELLO:
        return _stated_of_hello(part.field)
    if part.command == Command.STATS or (part.command in (Command.FRAME, Command.INFER) and "ticks" in part.field):
        return _MEASURED
    says = {Command.PUSH: "The answer to PUSH", Command.WRITE: "The answer to WRITE"}
    return replace(_FAIL, says=says.get(part.command, "FAIL"))


def _stated_of_hello(field: str) -> Stated:
    if field == "protocol_version":
        return Stated((DIFFERS,), "of the protocol, this host version 1")
    if field == "model_sha256":
        return Stated((DIFFERS,), "runs another model")
    if field == "time_base":
        return Stated((DIFFERS,), "unknown time base")
    if field in _BY_THE_DEVICE_ALONE:
        return Stated((PASSES,))
    return Stated((DIFFERS,), f"HELLO: {field} is" if not field.endswith(".length") else "expected layout")


def parts() -> Iterator[Part]:
    """Every field of every answer that a HIL test of frames gets, its header's included."""
    for command in (Command.HELLO, Command.RESET_STREAM, Command.PUSH, Command.FRAME, Command.STATS):
        yield from parts_of(command, values_of(command))
    for command in (Command.LAYER, Command.TRACE):
        yield from parts_of(command, values_of(command))
    for kind in ReadKind:
        yield from parts_of(Command.READ, {"data": _read(kind)}, kind=kind)
    for command, values in ((Command.WRITE, {"written": 300}), (Command.INFER, {"inference_ticks": 1})):
        yield from parts_of(command, values, direct=True)
    output = direct_truth().reference.ends.output.size
    yield from parts_of(Command.READ, {"data": bytes(output)}, kind=ReadKind.SCORES, direct=True)


def values_of(command: Command) -> Values:
    """Values as long as those of the device; what they are does not matter to where they lie."""
    known = truth()
    if command == Command.HELLO:
        return hello_values(known)
    texts = {"name": known.manifest.layers[0].name}
    return {field.name: texts.get(field.name, 0) for field in BY_COMMAND[command].answer}


def _read(kind: ReadKind) -> bytes:
    known = truth()
    frame = known.frames[0]
    sizes = {
        ReadKind.INPUT: frame.input.size,
        ReadKind.SCORES: frame.scores.size,
        ReadKind.MASK: frame.mask.size,
        ReadKind.SEGMENTS: 5 * len(frame.segments),
        ReadKind.TRACE: known.manifest.layers[0].bytes,
    }
    return bytes(sizes[kind])


def parts_of(command: Command, values: Values, kind: ReadKind | None = None, direct: bool = False) -> Iterator[Part]:
    """The fields of one answer, as long as these values make them."""
    start = 0
    for field in description().records["ANSWER_HEADER"].fields:
        yield Part(command, f"header.{field.name}", start, field.least, kind, direct)
        start += field.least
    assert start == ANSWER_HEADER_BYTES
    for field in BY_COMMAND[command].answer:
        for name, size in _pieces(field, values):
            yield Part(command, name, start, size, kind, direct)
            start += size


def _pieces(field: Field, values: Values) -> Iterator[tuple[str, int]]:
    size = len(pack((field,), values))
    if field.kind == "text":
        yield f"{field.name}.length", 1
        yield field.name, size - 1
    else:
        yield field.name, size


def device(part: Part, offset: int, bits: int) -> RogueDevice:
    """One that is right but for some bits of one byte of that part, in every such answer that is long enough."""
    after_a_difference = part.command in (Command.LAYER, Command.TRACE) or part.kind == ReadKind.TRACE
    score = read(ReadKind.SCORES, lambda data: flipped(data, 17))

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        return score(device, answer) if after_a_difference else answer

    def wire(device: RogueDevice, request: bytes, data: bytes) -> bytes:
        if request[1] != part.command or (part.kind is not None and request[4] != part.kind):
            return data
        (body,) = FrameDecoder().feed(data)
        place = part.start + offset
        return encode_frame(flipped(body, place, bits)) if place < len(body) else data

    return RogueDevice(hook, wire, known=direct_truth() if part.direct else truth())
