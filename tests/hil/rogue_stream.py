"""A device with a stream that is right in all but what a test changes."""

from __future__ import annotations

import tempfile
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ecgseg.codegen.manifest import StreamManifest
from ecgseg.codegen.render_delineator import render_delineator
from ecgseg.data.databases.synthetic.recordings import synthetic_records
from ecgseg.data.records import Record
from ecgseg.hil.identity import Known, expected_info
from ecgseg.hil.stream_reference import Answers, StreamReference
from ecgseg.link.answers import DeviceInfo
from ecgseg.link.numbers import PAYLOAD_MAX, Command, StreamFlags
from ecgseg.pipeline.events import EVENT_BYTES
from hil.rogue_device import BUILD_ID, MODEL_NAME, RogueDevice, Values
from support.delineator_model import delineator_model

EVENT_ROOM, CLASS_ROOM = 16, 512
_HELD = 40
"""Samples at 100 Hz whose classes come at the end alone."""


@dataclass(frozen=True)
class StreamTruth:
    """What a right device has, under the names of `rogue_device.Truth`."""

    model: bytes
    folder: Path
    manifest: StreamManifest
    reference: StreamReference
    record: Record
    answers: Answers
    info: DeviceInfo


@lru_cache(maxsize=1)
def stream_truth() -> StreamTruth:
    """Model, record and every byte that is right."""
    model = delineator_model()
    folder = Path(tempfile.mkdtemp(prefix="ecgseg-rogue-"))
    (folder / f"{MODEL_NAME}.tflite").write_bytes(model)
    manifest = render_delineator(model, folder, name=MODEL_NAME)
    reference = StreamReference(model)
    record = synthetic_records(3, ("ii",), seed=5)[2]
    info = expected_info(reference, Known.of(folder, board="host", build_id=BUILD_ID, backend="aot"))
    return StreamTruth(model, folder, manifest, reference, record, reference.expect(record.samples), info)


class RogueStream(RogueDevice):
    """A port with a device behind it that computes nothing: it knows what is right.

    Attributes:
        classes, events: what it has of its record; a test may put others there.
        ends: it comes to its end.
    """

    def __init__(self, **values: object) -> None:
        super().__init__(known=stream_truth(), **values)  # type: ignore[arg-type]
        self.classes = stream_truth().answers.classes.tobytes()
        self.events = stream_truth().answers.events
        self.ends = True
        self._finished = False

    def _values(self, command: Command, request: Values) -> Values:
        stream = {
            Command.HELLO: lambda: _hello(stream_truth().info),
            Command.START: self._start,
            Command.FEED: lambda: self._feed(request),
            Command.EVENTS: lambda: self._results("events", self.events, EVENT_BYTES, request),
            Command.CLASSES: lambda: self._results("classes", self.classes, 1, request),
            Command.FINISH: self._finish,
        }
        return stream[command]() if command in stream else super()._values(command, request)

    def _start(self) -> Values:
        self.seen, self._finished = 0, False
        manifest = stream_truth().manifest
        return {
            "look_ahead": manifest.lag,
            "block": manifest.block,
            "state_bytes": manifest.state_bytes,
            "memory_bytes": 9000,
            "event_bytes": EVENT_BYTES,
            "event_room": EVENT_ROOM,
            "class_room": CLASS_ROOM,
        }

    @property
    def _classes_made(self) -> int:
        known = self.seen // stream_truth().reference.parameters.factor
        return len(self.classes) if self._finished else min(max(known - _HELD, 0), len(self.classes))

    @property
    def _events_made(self) -> int:
        return len(self.events) // EVENT_BYTES * self._classes_made // max(len(self.classes), 1)

    def _feed(self, request: Values) -> Values:
        self.seen += len(request["samples"]) // 2
        made = {"events_made": self._events_made, "classes_made": self._classes_made}
        return {"samples_seen": self.seen, "ticks": 10, "flags": 0} | made

    def _results(self, field: str, data: bytes, size: int, request: Values) -> Values:
        made = self._events_made if field == "events" else self._classes_made
        most = min(request["most"], (PAYLOAD_MAX - 9) // size)
        end = min(request["first"] + most, made)
        part = data[request["first"] * size : end * size]
        flags = StreamFlags.ENDED if self._finished and self.ends else 0
        return {"made": made, "crc": zlib.crc32(data[: end * size]), "flags": int(flags), field: part}

    def _finish(self) -> Values:
        self._finished = True
        return {"events_made": self._events_made, "classes_made": self._classes_made}


def _hello(info: DeviceInfo) -> Values:
    faults = ("fault_valid", "fault_type", "fault_cfsr", "fault_hfsr", "fault_mmfar", "fault_bfar")
    values = {name: getattr(info, name) for name in DeviceInfo.__dataclass_fields__ if name != "fault"}
    sha = {"model_sha256": bytes.fromhex(info.model_sha256), "time_base": 2, "tick_hz": 1_000_000}
    return values | sha | dict.fromkeys(faults, 0) | {"fault_registers": (0,) * 8}
