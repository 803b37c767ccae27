"""The table of rogue devices: what each does, and what the host has to say to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ecgseg.link.error_table import error_table
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.numbers import Command, ReadKind
from hil.rogue_device import Answer, Hook, RogueDevice, Wire, flipped, wire_frame

REFUSED, DIFFERS, INCOMPLETE, PASSES = (8, None), (1, "fail"), (8, "incomplete"), (0, "pass")
"""Exit code and verdict; None: refused before anything was compared, so there is no result."""


@dataclass(frozen=True)
class Row:
    """One kind of rogue device.

    Attributes:
        name: what it does.
        ends: exit code and verdict.
        says: what stands on the terminal, or a pattern of it.
        hook, wire: as RogueDevice takes them.
    """

    name: str
    ends: tuple[int, str | None]
    says: str | re.Pattern[str]
    hook: Hook = lambda device, answer: answer
    wire: Wire = lambda device, body, data: data


def changed(command: Command, at: int = 1, **values: Any) -> Hook:
    """From the `at`-th such answer on some fields have other values; a callable gets the right one."""

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        if answer.command != command or device.asked[command] < at:
            return answer
        new = {name: value(answer.values[name]) if callable(value) else value for name, value in values.items()}
        return replace(answer, values=answer.values | new)

    return hook


def both(first: Hook, second: Hook) -> Hook:
    """One change after the other."""

    def hook(device: RogueDevice, answer: Answer) -> Answer | None:
        between = first(device, answer)
        return None if between is None else second(device, between)

    return hook


def read(kind: ReadKind, change: Callable[[bytes], bytes], frame: int = 0) -> Hook:
    """The first READ of that kind of one frame has its bytes changed."""

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        request = answer.request
        if answer.command != Command.READ or (request["kind"], request["offset"]) != (kind, 0) or device.frame != frame:
            return answer
        return replace(answer, values={"data": change(answer.values["data"])})

    return hook


def error(command: Command, number: int, at: int = 1) -> Hook:
    """The `at`-th request of that command, and all after it, get an error."""

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        return replace(answer, error=number) if answer.command == command and device.asked[command] >= at else answer

    return hook


def silent(command: Command, at: int = 1) -> Hook:
    """From the `at`-th request of that command on it gets no answer."""

    def hook(device: RogueDevice, answer: Answer) -> Answer | None:
        return None if answer.command == command and device.asked[command] >= at else answer

    return hook


def payload(command: Command, change: Callable[[bytes], bytes], at: int = 1) -> Hook:
    """The answer has other bytes than its fields."""
    from ecgseg.link.messages import BY_COMMAND, pack

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        if answer.command != command or device.asked[command] < at:
            return answer
        return replace(answer, payload=change(pack(BY_COMMAND[command].answer, answer.values)))

    return hook


def once(command: Command, more: bytes) -> Hook:
    """The first answer to that command alone has more bytes than its fields."""

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        return payload(command, lambda data: data + more)(device, answer) if device.asked.get(command) == 1 else answer

    return hook


def _identity() -> Iterator[Row]:
    """HELLO tells that something else is on the device: it is not what was built here, with what to flash."""
    for name, value, *all_says in (
        ("protocol_version", 2, "version 2 of the protocol, this host version 1", "Build and flash the firmware again"),
        ("model_sha256", bytes(32), "HELLO: model_sha256 is 0000", "runs another model", "flash the firmware for this"),
        (
            "backend",
            "tflm",
            "HELLO: backend is tflm, known is aot",
            "another backend: tflm",
            "`invoke flash --backend aot`",
        ),
    ):
        for at, says in enumerate(all_says):
            yield Row(f"hello-{name}-{at}", DIFFERS, says, changed(Command.HELLO, **{name: value}))
            yield Row(f"hello-{name}-at-the-second-{at}", DIFFERS, says, changed(Command.HELLO, 2, **{name: value}))
    another = both(changed(Command.HELLO, factor=4), changed(Command.HELLO, model_sha256=bytes(32)))
    yield Row("hello-another-model-and-figures", DIFFERS, "HELLO: factor is 4, known is 5", another)
    contradicts = both(changed(Command.HELLO, hop=0), changed(Command.HELLO, model_sha256=bytes(32)))
    for says in ("runs another model", "contradicts itself", "HELLO: hop is 0, known is 250"):
        yield Row(f"hello-another-model-{says[-9:]}", DIFFERS, says, contradicts)
    other = _of_hello(lambda body, data: encode_frame(b"\2" + b"".join(FrameDecoder().feed(data))[1:]))
    yield Row("hello-header-version", DIFFERS, "version 2 of the protocol, this host version 1", wire=other)
    refused = error(Command.HELLO, 6)
    yield Row("hello-refused", REFUSED, "The device refused HELLO: error 6", refused)
    yield Row("hello-silent", REFUSED, "does not answer to HELLO", silent(Command.HELLO))
    yield Row("another-product", REFUSED, "does not answer to HELLO", wire=_of_hello(lambda body, data: b"OK\r\n>" * 9))


def _of_hello(change: Callable[[bytes, bytes], bytes]) -> Wire:
    def wire(device: RogueDevice, body: bytes, data: bytes) -> bytes:
        return change(body, data) if body[1] == Command.HELLO else data

    return wire


def _figures() -> Iterator[Row]:
    """HELLO of the same model tells figures that are not the reference's, or that contradict each other."""
    for name, value, says in (
        ("engine_status", 3, "failed to start"),
        ("time_base", 9, "unknown time base 9"),
        ("payload_max", 0, "contradicts itself"),
        ("payload_max", 65535, "contradicts itself"),
        ("payload_max", 512, "payload_max is 512, known is 1024"),
        ("tick_hz", 0, "contradicts itself"),
        ("input_bytes", 251, "input_bytes is 251, known is 250"),
        ("output_bytes", 0xFFFFFFFF, "output_bytes is 4294967295, known is 1000"),
        ("frame_length", 0, "contradicts itself"),
        ("class_count", 0, "contradicts itself"),
        ("hop", 0, "contradicts itself"),
        ("factor", 0, "contradicts itself"),
        ("factor", 4, "another factor: 4. The model has 5"),
        ("factor", 65535, "another factor: 65535"),
        ("hop", 125, "another hop: 125. The model has 250"),
        ("hop", 65535, "another hop: 65535"),
        ("input_rate", 0, "another input_rate: 0"),
        ("input_rate", 250, "another input_rate: 250"),
        ("delay", 19, "delay is 19"),
        ("flat_uv", 5, "flat_uv is 5, known is 4"),
        ("input_scale", 0.25, "input_scale is 0.25"),
        ("input_scale", float("nan"), "input_scale is nan"),
        ("input_zero_point", 4, "input_zero_point is 4"),
        ("output_scale", 0.25, "output_scale is 0.25"),
        ("output_scale", float("inf"), "output_scale is inf"),
        ("output_zero_point", -1, "output_zero_point is -1"),
    ):
        yield Row(f"hello-{name}-{str(value)[:12]}", DIFFERS, says, changed(Command.HELLO, **{name: value}))
    larger = changed(Command.HELLO, frame_length=65535, class_count=65535, input_bytes=65535, output_bytes=65535**2)
    yield Row("hello-frames-of-4-gigabytes", DIFFERS, "another input_bytes: 65535", larger)
    yield Row("hello-cut", DIFFERS, "does not have the expected layout", payload(Command.HELLO, lambda data: data[:-1]))
    yield Row(
        "hello-long", DIFFERS, "does not have the expected layout", payload(Command.HELLO, lambda data: data + b"x")
    )
    yield Row("hello-empty", DIFFERS, "does not have the expected layout", payload(Command.HELLO, lambda data: b""))
    yield Row(
        "hello-other-at-the-second", DIFFERS, "its board is b, and was host", changed(Command.HELLO, 2, board="b")
    )
    yield Row("hello-wrong-at-the-first-alone", DIFFERS, "expected layout", once(Command.HELLO, b"x"))


def _known() -> Iterator[Row]:
    """HELLO tells something else of the image that the host has built."""
    for name, value in (
        ("engine_version", 2),
        ("layer_count", 0),
        ("layer_count", 65535),
        ("macs", 1),
        ("arena_bytes", 0xFFFFFFFF),
        ("board", "qemu"),
        ("build_id", "fedcba9876543210"),
        ("model_name", "another"),
        ("backend", "tflite"),
    ):
        yield Row(
            f"tells-{name}-{value}", DIFFERS, f"HELLO: {name} is {value}", changed(Command.HELLO, **{name: value})
        )
    for name in ("board", "build_id", "model_name", "backend"):
        for kind, text, shown in (
            ("markup", "seg[/nope]", "seg[/nope]"),
            ("style", "[bold green]PASS", "[bold green]PASS"),
            ("escape", "\x1b[2J\x1b]0;x\x07", r"\x1b[2J\x1b]0;x\x07"),
            ("newline", "x\nPASS  every byte", r"x\nPASS"),
            ("return", "x\rPASS", r"x\rPASS"),
            ("bidi", "a\u202eb", r"a\u202eb"),
            ("c1", "a\x9b31mb", r"a\x9b31mb"),
            ("html", "<script>x</script>", "<script>x</script>"),
            ("path", "../../../x", "../../../x"),
            ("empty", "", "HELLO: "),
        ):
            yield Row(f"text-{name}-{kind}", DIFFERS, shown, changed(Command.HELLO, **{name: text}))


def _frames() -> Iterator[Row]:
    """A frame is not the one that the model gives."""
    for bit in range(16):
        yield Row(
            f"status-bit-{bit}", DIFFERS, "preprocessor", changed(Command.FRAME, status=lambda v, b=bit: v ^ 1 << b)
        )
    for name in ("index", "lead_off_samples", "saturated_samples"):
        for value in (7, 65535):
            yield Row(f"frame-{name}-{value}", DIFFERS, "preprocessor", changed(Command.FRAME, **{name: value}))
    for frame in (0, 1):
        for offset in (0, 100, -1):
            for kind, part in (
                (ReadKind.INPUT, "preprocessor"),
                (ReadKind.SCORES, "model"),
                (ReadKind.MASK, "class mask"),
            ):
                hook = read(kind, lambda data, o=offset: flipped(data, o), frame)
                yield Row(f"{kind.name.lower()}-{frame}-byte-{offset}", DIFFERS, part, hook)
    for value in (4, 5, 127, 255):
        hook = read(ReadKind.MASK, lambda data, v=value: data[:9] + bytes([v]) + data[10:])
        yield Row(f"mask-class-{value}", DIFFERS, "Not scored", hook)
    for name, change in (
        ("class-0", lambda data: b"\0" + data[1:]),
        ("class-4", lambda data: b"\4" + data[1:]),
        ("class-255", lambda data: b"\xff" + data[1:]),
        ("onset-behind-the-frame", lambda data: data[:1] + b"\xff\xff" + data[3:]),
        ("offset-behind-the-frame", lambda data: data[:3] + b"\xff\xff" + data[5:]),
        ("reversed", lambda data: data[:1] + data[3:5] + data[1:3] + data[5:]),
        ("swapped", lambda data: data[5:10] + data[:5] + data[10:]),
        ("twice", lambda data: data[:5] + data[:5] + data[10:]),
    ):
        yield Row(f"segments-{name}", DIFFERS, "Not scored", read(ReadKind.SEGMENTS, change))
    for count, change in (("one-less", lambda v: v - 1), ("none", 0), ("one-more", lambda v: v + 1), ("65535", 65535)):
        yield Row(f"segments-{count}", DIFFERS, "segments", changed(Command.FRAME, segment_count=change))


def _answers() -> Iterator[Row]:
    """An answer that came whole and cannot be right, and one that is only strange."""
    for name, fields in (
        ("samples-seen-one-more", {"samples_seen": lambda v: v + 1}),
        ("samples-seen-0", {"samples_seen": 0}),
        ("frames-done-one-more", {"frames_done": lambda v: v + 1}),
        ("frames-done-65535", {"frames_done": 65535}),
        ("flags-unknown", {"flags": lambda v: v | 0x80}),
    ):
        yield Row(f"push-{name}", DIFFERS, "The answer to PUSH", changed(Command.PUSH, at=2, **fields))
    yield Row("push-frame-never-ready", DIFFERS, "missing", changed(Command.PUSH, flags=0, frames_done=0))
    yield Row("push-frame-ready-at-once", DIFFERS, "The answer to PUSH", changed(Command.PUSH, flags=1))
    yield Row("read-short", DIFFERS, "The answer to READ", read(ReadKind.SCORES, lambda data: data[:-1]))
    yield Row("read-long", DIFFERS, "The answer to READ", read(ReadKind.MASK, lambda data: data + b"\0"))
    yield Row("read-empty", DIFFERS, "The answer to READ", read(ReadKind.INPUT, lambda data: b""))
    for command in (Command.RESET_STREAM, Command.PUSH, Command.FRAME, Command.STATS):
        longer = payload(command, lambda data: data + b"\0")
        yield Row(f"{command.name.lower()}-long", DIFFERS, "expected layout", longer)
        if command != Command.RESET_STREAM:
            cut = payload(command, lambda data: data[:-1])
            yield Row(f"{command.name.lower()}-cut", DIFFERS, "expected layout", cut)
    for part in ("preprocess", "inference", "postprocess"):
        hook = changed(Command.FRAME, **{f"{part}_ticks": 0xFFFFFFFF})
        yield Row(f"ticks-{part}-absurd", DIFFERS, "s of work", hook)
        yield Row(f"ticks-{part}-none", PASSES, "PASS", changed(Command.FRAME, **{f"{part}_ticks": 0}))
    yield Row("stats-absurd", PASSES, "PASS", changed(Command.STATS, stack_high_water=0xFFFFFFFF, bad_crc=0xFFFFFFFF))
    for name in ("answers", "repeats", "stale", "bad_version"):
        hook = changed(Command.STATS, **{name: 0x7FFFFFFF})
        yield Row(f"stats-{name}-of-more-than-all-frames", DIFFERS, f"it counts 2147483647 {name} of 1 frames", hook)
    yield Row("stats-after-2-to-the-32-frames", PASSES, "PASS", changed(Command.STATS, frames=3, answers=0xFFFFFFFE))
    yield Row("nothing-wrong", PASSES, "PASS")


def _layers() -> Iterator[Row]:
    """Asked for its layers after a differing score, the device lies, fails or says nothing: the FAIL stands."""
    score = read(ReadKind.SCORES, lambda data: flipped(data, 17))
    for name, value in (
        ("tensor_index", 65535),
        ("tensor_index", 0),
        ("operator_index", 65535),
        ("bytes", 0xFFFFFFFF),
        ("bytes", 0),
        ("macs", 0xFFFFFFFF),
        ("name", "[/nope]"),
        ("name", "\x1b[1mADD"),
    ):
        says = f"{name} {value}".replace("\x1b", r"\x1b")
        yield Row(f"layer-{name}-{value!r}", DIFFERS, says, both(score, changed(Command.LAYER, **{name: value})))
        yield Row(f"layer-{name}-{value!r}-alone", DIFFERS, says, changed(Command.LAYER, **{name: value}))
    yield Row("layer-refused-alone", INCOMPLETE, "The device refused LAYER", error(Command.LAYER, 12))
    for size in (0xFFFFFFFF, 65535, 999, 0):
        hook = both(score, changed(Command.TRACE, bytes=size))
        yield Row(f"trace-bytes-{size}", DIFFERS, f"told to have {size} bytes", hook)
    yield Row(
        "trace-wrong", DIFFERS, "layer 0 CONV_2D", both(score, read(ReadKind.TRACE, lambda data: flipped(data, 3)))
    )
    yield Row("trace-equal", DIFFERS, "every layer alone is equal", score)
    for command in (Command.LAYER, Command.TRACE):
        name = command.name.lower()
        yield Row(f"{name}-refused", DIFFERS, "layers cannot be looked at", both(score, error(command, 12)))
        yield Row(f"{name}-silent", DIFFERS, "layers cannot be looked at", both(score, silent(command)))
        longer = payload(command, lambda data: data + b"\0")
        yield Row(f"{name}-long", DIFFERS, "layers cannot be looked at", both(score, longer))


def _errors() -> Iterator[Row]:
    """The device answers with an error: no verdict, unless a byte has differed before."""
    for number, entry in error_table().items():
        if entry.name not in ("OK", "NO_SESSION"):
            hook = error(Command.PUSH, number, at=3)
            yield Row(f"push-error-{entry.name.lower()}", INCOMPLETE, f"error {number} {entry.name}", hook)
    yield Row("push-error-unknown", INCOMPLETE, "error 999 ERROR_999", error(Command.PUSH, 999, at=3))
    lost = error(Command.PUSH, 5, at=3)
    yield Row("restart", INCOMPLETE, "restarted in the middle of the test. Reset cause 0x0", lost)
    fault = changed(
        Command.HELLO,
        at=3,
        reset_cause=0x40,
        fault_valid=1,
        fault_type=3,
        fault_registers=(0, 0, 0, 0, 0, 0, 0x1234, 0),
    )
    says = "Reset cause 0x40. Fault before this start: hard fault at pc 0x00001234"
    yield Row("restart-with-fault", INCOMPLETE, says, both(fault, lost))
    yield Row("restart-then-silent", INCOMPLETE, "It has not told why", both(silent(Command.HELLO, at=3), lost))
    differing = read(ReadKind.MASK, lambda data: flipped(data, 3))
    yield Row("restart-after-a-difference", DIFFERS, "restarted", both(differing, error(Command.PUSH, 5, at=5)))
    for number, name in ((3, "hard fault"), (0x100, "watchdog"), (77, "fault 0x4d")):
        hook = changed(Command.HELLO, fault_valid=1, fault_type=number, reset_cause=8)
        yield Row(f"fault-before-{number}", PASSES, f"fault before its last start: {name}", hook)
    yield Row("reset-cause", PASSES, "reset cause 0x20", changed(Command.HELLO, reset_cause=0x20))


def _after_hello(change: Callable[[bytes, bytes], bytes]) -> Wire:
    def wire(device: RogueDevice, body: bytes, data: bytes) -> bytes:
        return data if body[1] == Command.HELLO else change(body, data)

    return wire


def _wires() -> Iterator[Row]:
    """Nothing comes, or nothing that answers the request."""
    for command in (Command.RESET_STREAM, Command.PUSH, Command.FRAME, Command.READ, Command.STATS):
        yield Row(f"silent-{command.name.lower()}", INCOMPLETE, f"does not answer to {command.name}", silent(command))
    strays = re.compile(r"0 damaged frames, [1-9]\d* answers to other requests")
    for name, head in (
        ("sequence-one-more", lambda body: body[:2] + bytes([body[2] ^ 1]) + body[3:]),
        ("sequence-half-way", lambda body: body[:3] + bytes([body[3] ^ 0x80])),
        ("command-of-another", lambda body: bytes([body[0], Command.STATS ^ 1]) + body[2:]),
    ):
        wire = _after_hello(lambda body, data, h=head: wire_frame(h(body), bytes(4)))
        yield Row(f"wrong-{name}", INCOMPLETE, strays, wire=wire)
    many = _after_hello(lambda body, data: 300 * wire_frame(body[:2] + b"\x99\x99", b""))
    yield Row(
        "endless-valid-frames", INCOMPLETE, re.compile(r"0 damaged frames, \d+00 answers to other requests"), wire=many
    )
    requests = _after_hello(lambda body, data: 9 * data.replace(bytes([body[1] | 0x80]), bytes([body[1]])))
    yield Row(
        "answer-bit-missing",
        INCOMPLETE,
        re.compile(r"[1-9]\d* damaged frames, 0 answers to other requests"),
        wire=requests,
    )
    for name, noise in (("zeros", bytes(3000)), ("ones", b"\xff" * 3000), ("text", b"Segmentation fault\n\0" * 50)):
        wire = _after_hello(lambda body, data, n=noise: n)
        yield Row(f"noise-{name}", INCOMPLETE, "does not answer to RESET_STREAM", wire=wire)
    damaged = _after_hello(lambda body, data: flipped(data, -3, 0x7F))
    yield Row(
        "damaged-always", INCOMPLETE, re.compile(r"[1-9]\d* damaged frames, 0 answers to other requests"), wire=damaged
    )
    later = _after_hello(lambda body, data: encode_frame(b"\2" + b"".join(FrameDecoder().feed(data))[1:]))
    yield Row("another-protocol-version-after-hello", DIFFERS, "speaks version 2 of the protocol", wire=later)
    yield Row("answers-twice", PASSES, "PASS", wire=lambda device, body, data: data + data)
    yield Row("noise-before", PASSES, "PASS", wire=lambda device, body, data: b"boot ok\r\n" + data)


def rows() -> list[Row]:
    """All of them."""
    groups = (_identity, _figures, _known, _frames, _answers, _layers, _errors, _wires)
    return [row for group in groups for row in group()]
