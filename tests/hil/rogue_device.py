"""A device that is right in all but what a test changes; it speaks through the host's own framing and messages."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.codegen.manifest import Manifest
from ecgseg.codegen.render import render
from ecgseg.data.databases.synthetic.recordings import synthetic_records
from ecgseg.data.records import Record
from ecgseg.hil.compare import stage_bytes
from ecgseg.link.framing import FrameDecoder, encode_frame
from ecgseg.link.messages import BY_COMMAND, pack, unpack
from ecgseg.link.numbers import ANSWER_BIT, PAYLOAD_MAX, PROTOCOL_VERSION, Command, ReadKind
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter
from support.small_models import segmenter

BUILD_ID = "0123456789abcdef"
MODEL_NAME = "rogue"
RAW_SAMPLES = 2600
"""Two frames of 2.5 s at 500 Hz and a rest."""
_STAGES = {ReadKind.INPUT: "input", ReadKind.SCORES: "scores", ReadKind.MASK: "mask", ReadKind.SEGMENTS: "segments"}

Values = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a device is about to answer; a hook returns another one, or None for silence.

    Attributes:
        command: of the request.
        values: fields of the answer.
        request: fields of the request.
        error: number of an error; then there are no fields.
        payload: instead of the packed fields.
    """

    command: Command
    values: Values
    request: Values
    error: int = 0
    payload: bytes | None = None


Hook = Callable[["RogueDevice", Answer], Answer | None]
Wire = Callable[["RogueDevice", bytes, bytes], bytes]


@dataclass(frozen=True)
class Truth:
    """What a right device has: computed once for all rows."""

    model: bytes
    folder: Path
    manifest: Manifest
    reference: Segmenter
    record: Record
    frames: tuple[ExpectedFrame, ...]
    layers: tuple[tuple[bytes, ...], ...]


@lru_cache(maxsize=1)
def truth() -> Truth:
    """Model, record and every byte that is right."""
    model = segmenter(4)
    folder = Path(tempfile.mkdtemp(prefix="ecgseg-rogue-"))
    path = folder / f"{MODEL_NAME}.tflite"
    path.write_bytes(model)
    manifest = render(path, folder, name=MODEL_NAME)
    reference = Segmenter(model)
    whole = synthetic_records(1, ("ii",), seed=5)[0]
    record = Record(1, "ii", 500, whole.samples[:RAW_SAMPLES], whole.waves[:6], whole.rhythm, whole.source)
    frames = tuple(reference.expect(record.samples))
    layers = tuple(tuple(reference.layer(frame.input, layer.tensor) for layer in manifest.layers) for frame in frames)
    return Truth(model, folder, manifest, reference, record, frames, layers)


@lru_cache(maxsize=1)
def direct_truth() -> Truth:
    """The same for a model that is no segmenter: it is sent int8 inputs, and has no frames."""
    model = segmenter(2, length=300)
    folder = Path(tempfile.mkdtemp(prefix="ecgseg-rogue-"))
    path = folder / f"{MODEL_NAME}.tflite"
    path.write_bytes(model)
    manifest = render(path, folder, name=MODEL_NAME)
    return Truth(model, folder, manifest, Segmenter(model), truth().record, (), ())


def hello_values(known: Truth) -> Values:
    """HELLO of the right device."""
    ends, parameters, manifest = known.reference.ends, known.reference.parameters, known.manifest
    stream = ("input_rate", "factor", "hop", "delay", "flat_uv")
    return {
        "protocol_version": PROTOCOL_VERSION,
        "engine_version": manifest.engine_version,
        "engine_status": 0,
        "payload_max": PAYLOAD_MAX,
        "time_base": 2,
        "core_hz": 0,
        "tick_hz": 1_000_000,
        "max_baud": 0,
        "input_bytes": ends.input.size,
        "output_bytes": ends.output.size,
        "frame_length": manifest.frame_length,
        "class_count": manifest.class_count,
        "input_scale": ends.input.scale,
        "input_zero_point": ends.input.zero_point,
        "output_scale": ends.output.scale,
        "output_zero_point": ends.output.zero_point,
        "arena_bytes": manifest.arena_bytes,
        "macs": manifest.macs,
        "layer_count": len(manifest.layers),
        **{name: getattr(parameters, name) if parameters else 0 for name in stream},
        "reset_cause": 0,
        "fault_valid": 0,
        "fault_type": 0,
        "fault_registers": (0,) * 8,
        "fault_cfsr": 0,
        "fault_hfsr": 0,
        "fault_mmfar": 0,
        "fault_bfar": 0,
        "model_sha256": bytes.fromhex(known.reference.sha256),
        "board": "host",
        "build_id": BUILD_ID,
        "model_name": MODEL_NAME,
        "backend": "aot",
    }


@dataclass
class RogueDevice:
    """A port with a device behind it that computes nothing: it knows what is right.

    Attributes:
        hook: sees and changes every answer.
        wire: sees and changes the bytes of every answer (device, body of the request, bytes on the wire).
        known: what it has.
        asked: how often each command has come.
    """

    hook: Hook = lambda device, answer: answer
    wire: Wire = lambda device, body, data: data
    timeout: float | None = 0.0
    baudrate: int = 115200
    known: Truth = field(default_factory=truth)
    asked: dict[Command, int] = field(default_factory=dict)
    frame: int = -1
    seen: int = 0

    def __post_init__(self) -> None:
        self._decoder = FrameDecoder()
        self._data = bytearray()
        self._last = (b"", b"")
        self._traced = 0
        self._written = b""

    @property
    def in_waiting(self) -> int:
        return len(self._data)

    def read(self, size: int = 1, /) -> bytes:
        if not self._data:
            time.sleep(0.001)
        part = bytes(self._data[:size])
        del self._data[:size]
        return part

    def write(self, data: bytes, /) -> int:
        for body in self._decoder.feed(data):
            if body != self._last[0]:
                self._last = (body, self._answer(body))
            self._data += self.wire(self, *self._last)
        return len(data)

    def close(self) -> None:
        self._data.clear()

    def _answer(self, body: bytes) -> bytes:
        command = Command(body[1])
        self.asked[command] = self.asked.get(command, 0) + 1
        request = unpack(BY_COMMAND[command].request, body[4:])
        answer = self.hook(self, Answer(command, self._values(command, request), request))
        if answer is None:
            return b""
        payload = b"" if answer.error else pack(BY_COMMAND[command].answer, answer.values)
        if answer.payload is not None:
            payload = answer.payload
        return wire_frame(body, payload, answer.error)

    def _values(self, command: Command, request: Values) -> Values:
        known = self.known
        if command == Command.HELLO:
            return hello_values(known)
        if command == Command.RESET_STREAM:
            self.seen, self.frame = 0, -1
        if command == Command.PUSH:
            return self._push(request)
        if command == Command.FRAME:
            return self._frame(known.frames[self.frame])
        if command == Command.READ:
            data = self._result(ReadKind(request["kind"]))
            return {"data": data[request["offset"] : request["offset"] + request["length"]]}
        if command == Command.WRITE:
            self._written = self._written[: request["offset"]] + request["data"]
            return {"written": len(self._written)}
        if command == Command.LAYER:
            layer = known.manifest.layers[request["layer"]]
            return {
                "operator_index": layer.operator,
                "tensor_index": layer.tensor,
                "bytes": layer.bytes,
                "macs": layer.macs,
                "name": layer.name,
            }
        if command == Command.TRACE:
            self._traced = request["layer"]
            return {"bytes": known.manifest.layers[self._traced].bytes, "ticks": 1}
        return {part.name: 1 for part in BY_COMMAND[command].answer}

    def _push(self, request: Values) -> Values:
        parameters = self.known.reference.require_parameters()
        self.seen += len(request["samples"]) // 2
        due = (parameters.hop * (self.frame + 1) + parameters.frame_length - 1) * parameters.factor + parameters.delay
        ready = self.seen > due
        self.frame += ready
        return {"samples_seen": self.seen, "frames_done": self.frame + 1, "flags": int(ready)}

    def _frame(self, frame: ExpectedFrame) -> Values:
        return {
            "index": frame.index,
            "status": int(frame.status),
            "lead_off_samples": frame.lead_off_samples,
            "saturated_samples": frame.saturated_samples,
            "segment_count": len(frame.segments),
            "preprocess_ticks": 10,
            "inference_ticks": 20,
            "postprocess_ticks": 30,
        }

    def _result(self, kind: ReadKind) -> bytes:
        known = self.known
        if not known.frames:
            data = np.frombuffer(self._written, dtype=np.int8)
            tensor = known.manifest.layers[self._traced].tensor
            run = known.reference.run(data).tobytes()
            return known.reference.layer(data, tensor) if kind == ReadKind.TRACE else run
        if kind == ReadKind.TRACE:
            return known.layers[self.frame][self._traced]
        data = stage_bytes(known.frames[self.frame])[_STAGES[kind]]
        # A segment count that is told too high is backed by bytes: the device does not help the host.
        return data.ljust(1 << 16, b"\1") if kind == ReadKind.SEGMENTS else data


def wire_frame(body: bytes, payload: bytes, error: int = 0) -> bytes:
    """The bytes on the wire of an answer to the request with that body."""
    head = bytes([PROTOCOL_VERSION, body[1] | ANSWER_BIT]) + body[2:4] + error.to_bytes(2, "little")
    return encode_frame(head + payload)


def flipped(data: bytes, offset: int, bits: int = 1) -> bytes:
    """The bytes with some bits of one of them changed; a negative offset counts from the end."""
    changed = np.frombuffer(data, dtype=np.uint8).copy()
    changed[offset] ^= bits
    return changed.tobytes()
