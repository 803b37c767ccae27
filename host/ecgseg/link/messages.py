"""Messages of the link: every command with the fields of its request and of its answer.

The tables here pack and unpack the messages and are what docs/protocol.md prints.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ecgseg.errors import LinkError

PROTOCOL_VERSION = 1
ANSWER_BIT = 0x80


class Command(IntEnum):
    """Command byte of a request; the answer carries it with ANSWER_BIT set."""

    HELLO = 0x01
    RESET_STREAM = 0x02
    PUSH = 0x03
    FRAME = 0x04
    READ = 0x05
    WRITE = 0x06
    INFER = 0x07
    TRACE = 0x08
    LAYER = 0x09
    STATS = 0x0A
    BENCH = 0x0B
    SET_BAUD = 0x0C
    SET_CLOCK = 0x0D
    RESTART = 0x0E


class ReadKind(IntEnum):
    """What READ reads."""

    INPUT = 0
    SCORES = 1
    MASK = 2
    SEGMENTS = 3
    TRACE = 4


class BenchKind(IntEnum):
    """What BENCH runs."""

    PREPROCESS = 0
    INFERENCE = 1
    LAYERS = 2


class TimeBase(IntEnum):
    """What a tick counts (board.h)."""

    INSTRUCTIONS = 0
    CYCLES = 1
    TICKS = 2


FRAME_READY = 1

_FIXED = {
    "u8": "<B",
    "u16": "<H",
    "u32": "<I",
    "u64": "<Q",
    "i32": "<i",
    "f32": "<f",
    "u32[8]": "<8I",
    "u8[32]": "<32s",
}


@dataclass(frozen=True)
class Field:
    """A field of a message.

    Attributes:
        name: key in the unpacked message.
        kind: u8, u16, u32, u64, i32, f32 (IEEE-754 single), u32[8], u8[32], text (length byte and UTF-8) or bytes
            (all that is left).
        meaning: one line for the documentation, with the unit.
    """

    name: str
    kind: str
    meaning: str

    @property
    def size(self) -> int | None:
        """Bytes of the field, None when it varies."""
        return struct.calcsize(_FIXED[self.kind]) if self.kind in _FIXED else None


@dataclass(frozen=True)
class Message:
    """Request and answer of one command."""

    command: Command
    purpose: str
    request: tuple[Field, ...]
    answer: tuple[Field, ...]


MESSAGES = (
    Message(
        Command.HELLO,
        "Opens a session and tells what is on the device.",
        (Field("session", "u32", "number chosen by the host, a new one for every session"),),
        (
            Field("protocol_version", "u8", "1"),
            Field("engine_version", "u16", "version of the engine interface in the image"),
            Field("engine_status", "u8", "0 good; else the model's code failed to start"),
            Field("payload_max", "u16", "largest payload of a request or an answer, bytes"),
            Field("time_base", "u8", "0 instructions, 1 core clock cycles, 2 ticks of a timer"),
            Field("core_hz", "u32", "core clock, Hz (for time base 0: instructions per virtual second)"),
            Field("tick_hz", "u32", "rate of all tick counts, Hz"),
            Field("max_baud", "u32", "highest baud rate, 0 when the port has none"),
            Field("input_bytes", "u32", "int8 elements of the model's input"),
            Field("output_bytes", "u32", "int8 elements of the model's output"),
            Field("frame_length", "u16", "time steps of a segmenter, 0 for another model"),
            Field("class_count", "u16", "classes per time step of a segmenter, 0 for another model"),
            Field("input_scale", "f32", "quantisation of the input"),
            Field("input_zero_point", "i32", "quantisation of the input"),
            Field("output_scale", "f32", "quantisation of the output"),
            Field("output_zero_point", "i32", "quantisation of the output"),
            Field("arena_bytes", "u32", "RAM of the model's activations, bytes"),
            Field("macs", "u32", "multiply-accumulates of one inference"),
            Field("layer_count", "u16", "layers that TRACE and LAYER know"),
            Field("input_rate", "u16", "rate of the raw samples, Hz; 0 without a stream"),
            Field("factor", "u16", "decimation factor; 0 without a stream"),
            Field("hop", "u16", "samples at 100 Hz from frame to frame; 0 without a stream"),
            Field("delay", "u16", "raw samples that the filter lags; 0 without a stream"),
            Field("flat_uv", "u16", "flat-line limit, microvolts; 0 without a stream"),
            Field("reset_cause", "u32", "board specific bits, 0 when unknown"),
            Field("fault_valid", "u32", "1: the fault fields describe a fault before this start"),
            Field("fault_type", "u32", "exception number 3 hard, 4 memory, 5 bus, 6 usage; 0x100 watchdog"),
            Field("fault_registers", "u32[8]", "r0, r1, r2, r3, r12, lr, pc, xpsr"),
            Field("fault_cfsr", "u32", "configurable fault status"),
            Field("fault_hfsr", "u32", "hard fault status"),
            Field("fault_mmfar", "u32", "memory fault address"),
            Field("fault_bfar", "u32", "bus fault address"),
            Field("model_sha256", "u8[32]", "SHA-256 of the .tflite file"),
            Field("board", "text", "name of the board"),
            Field("build_id", "text", "hash over sources, flags and generated code of the image"),
            Field("model_name", "text", "name of the model"),
            Field("backend", "text", "aot or tflm"),
        ),
    ),
    Message(Command.RESET_STREAM, "Forgets all samples and frames; the next sample has index 0.", (), ()),
    Message(
        Command.PUSH,
        "Appends raw samples to the stream; a completed frame goes through the model before the answer.",
        (
            Field("first_index", "u32", "index of the first sample since RESET_STREAM, modulo 2^32"),
            Field("samples", "bytes", "int16 samples, 1 LSB = 1 microvolt, -32768 for lead-off; at least one"),
        ),
        (
            Field("samples_seen", "u32", "samples since RESET_STREAM: the next first index"),
            Field("frames_done", "u32", "frames completed since RESET_STREAM"),
            Field("flags", "u8", "bit 0: this chunk completed a frame"),
        ),
    ),
    Message(
        Command.FRAME,
        "Tells about the newest frame.",
        (),
        (
            Field("index", "u32", "number of the frame since RESET_STREAM, from 0"),
            Field("status", "u16", "bit 0 flat, 1 lead-off, 2 has a gap, 3 saturated"),
            Field("lead_off_samples", "u16", "samples at 100 Hz that are not valid"),
            Field("saturated_samples", "u16", "samples at 100 Hz touched by a raw sample at a rail"),
            Field("segment_count", "u16", "segments that READ SEGMENTS has, 5 bytes each"),
            Field("preprocess_ticks", "u32", "ticks for filter, ring buffer and normalisation of this frame"),
            Field("inference_ticks", "u32", "ticks for the model"),
            Field("postprocess_ticks", "u32", "ticks for mask and segments"),
        ),
    ),
    Message(
        Command.READ,
        "Reads a part of a result.",
        (
            Field("kind", "u8", "0 input, 1 scores, 2 mask, 3 segments, 4 trace"),
            Field("offset", "u32", "first byte"),
            Field("length", "u16", "bytes, at most payload_max"),
        ),
        (Field("data", "bytes", "exactly `length` bytes"),),
    ),
    Message(
        Command.WRITE,
        "Writes a part of the model's int8 input, in order from offset 0.",
        (Field("offset", "u32", "first byte; 0, or where the last WRITE ended"), Field("data", "bytes", "int8")),
        (Field("written", "u32", "bytes of the input that are written now"),),
    ),
    Message(
        Command.INFER,
        "Runs the model on the written input; READ SCORES has its output.",
        (),
        (Field("inference_ticks", "u32", "ticks for the model"),),
    ),
    Message(
        Command.TRACE,
        "Runs the layers 0 to `layer` on the last input; READ TRACE has that layer's result.",
        (Field("layer", "u16", "layer, from 0"),),
        (Field("bytes", "u32", "size of the result"), Field("ticks", "u32", "ticks for these layers")),
    ),
    Message(
        Command.LAYER,
        "Describes one layer.",
        (Field("layer", "u16", "layer, from 0"),),
        (
            Field("operator_index", "u16", "operator in the .tflite file (the last one when fused)"),
            Field("tensor_index", "u16", "tensor in the .tflite file that holds the result"),
            Field("bytes", "u32", "size of the result"),
            Field("macs", "u32", "multiply-accumulates"),
            Field("name", "text", "operator"),
        ),
    ),
    Message(
        Command.STATS,
        "Tells the device's counters since its start.",
        (),
        (
            Field("ticks", "u32", "free-running tick counter, wraps"),
            Field("stack_high_water", "u32", "deepest stack use in bytes, 0 when not measured"),
            Field("frames", "u32", "link frames received with a good CRC"),
            Field("answers", "u32", "answers sent, repeated ones included"),
            Field("repeats", "u32", "answers sent again for a repeated request"),
            Field("bad_crc", "u32", "link frames dropped: CRC"),
            Field("bad_cobs", "u32", "link frames dropped: COBS"),
            Field("oversized", "u32", "link frames dropped: too long"),
            Field("too_short", "u32", "link frames dropped: too short"),
            Field("bad_version", "u32", "requests of another protocol version"),
            Field("stale", "u32", "requests with a stale sequence number"),
            Field("rx_overruns", "u32", "bytes lost in the port because nobody fetched them"),
            Field("rx_framing_errors", "u32", "bytes with a framing error"),
            Field("rx_breaks", "u32", "break conditions"),
            Field("tx_timeouts", "u32", "answers that the port did not take in time"),
        ),
    ),
    Message(
        Command.BENCH,
        "Runs a part again and again and tells the total time. It ends the validity of all results.",
        (
            Field(
                "kind",
                "u8",
                "0 preprocessor (one hop of a test signal; resets the stream), 1 model, 2 layers 0 to `layer`",
            ),
            Field("layer", "u16", "last layer for kind 2, else 0"),
            Field("repetitions", "u16", "1 to 65535"),
        ),
        (Field("ticks", "u64", "ticks of all repetitions together"),),
    ),
    Message(
        Command.SET_BAUD,
        "Changes the baud rate after the answer has left at the old one.",
        (Field("baud", "u32", "9600 to max_baud"),),
        (),
    ),
    Message(
        Command.SET_CLOCK,
        "Changes the core clock.",
        (Field("core_hz", "u32", "wanted core clock, Hz"),),
        (
            Field("core_hz", "u32", "core clock now, Hz"),
            Field("tick_hz", "u32", "rate of all tick counts now, Hz"),
        ),
    ),
    Message(Command.RESTART, "Restarts the device after the answer has left. The session ends.", (), ()),
)

BY_COMMAND = {message.command: message for message in MESSAGES}


def pack(fields: Sequence[Field], values: dict[str, Any]) -> bytes:
    """Payload of a message.

    Raises:
        struct.error, KeyError: a value does not fit its field or is missing.
    """
    return b"".join(_pack_field(field, values[field.name]) for field in fields)


def _pack_field(field: Field, value: Any) -> bytes:
    if field.kind == "bytes":
        return bytes(value)
    if field.kind == "text":
        text = str(value).encode("utf-8")[:255]
        return bytes([len(text)]) + text
    parts = value if isinstance(value, tuple) else (value,)
    return struct.pack(_FIXED[field.kind], *parts)


def unpack(fields: Sequence[Field], payload: bytes) -> dict[str, Any]:
    """Values of a payload by field name.

    Raises:
        LinkError: the payload is shorter or longer than its fields.
    """
    values: dict[str, Any] = {}
    offset = 0
    for field in fields:
        offset = _unpack_field(field, payload, offset, values)
    if offset != len(payload):
        raise _misfit(f"{len(payload) - offset} bytes are left over")
    return values


def _unpack_field(field: Field, payload: bytes, offset: int, values: dict[str, Any]) -> int:
    if field.kind == "bytes":
        values[field.name] = payload[offset:]
        return len(payload)
    if field.kind == "text":
        end = offset + 1 + (payload[offset] if offset < len(payload) else 0)
        if offset >= len(payload) or end > len(payload):
            raise _misfit(f"it ends in the field {field.name}")
        values[field.name] = payload[offset + 1 : end].decode("utf-8", errors="replace")
        return end
    layout = _FIXED[field.kind]
    end = offset + struct.calcsize(layout)
    if end > len(payload):
        raise _misfit(f"it ends in the field {field.name}")
    parts = struct.unpack_from(layout, payload, offset)
    values[field.name] = parts[0] if len(parts) == 1 else parts
    return end


def _misfit(detail: str) -> LinkError:
    return LinkError(
        "An answer of the device does not have the expected layout.",
        f"Its checksum is right, but {detail}.",
        "Use a host of the same release as the firmware, or build and flash the firmware again.",
    )


def request_body(command: int, sequence: int, payload: bytes, version: int = PROTOCOL_VERSION) -> bytes:
    """Body of a request: version, command, sequence number, payload."""
    return struct.pack("<BBH", version, command, sequence) + payload


@dataclass(frozen=True)
class Answer:
    """Body of an answer taken apart."""

    version: int
    command: int
    sequence: int
    error: int
    payload: bytes


def parse_answer(body: bytes) -> Answer | None:
    """The answer in a frame body; None when the body is no answer."""
    if len(body) < 6 or not body[1] & ANSWER_BIT:
        return None
    version, command, sequence, error = struct.unpack_from("<BBHH", body)
    return Answer(version, command & ~ANSWER_BIT, sequence, error, body[6:])
