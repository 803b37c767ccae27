"""Streams leads to a device and judges every frame of its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from ecgseg import paths
from ecgseg.data.records import Record
from ecgseg.errors import LinkError
from ecgseg.hil import vectors
from ecgseg.hil.compare import (
    Comparison,
    Difference,
    LayerDifference,
    compare_frame,
    compare_stages,
    first_differing_layer,
    stage_bytes,
    stage_name,
)
from ecgseg.hil.result import HilResult, Memory, Mismatch, ScoreCollector, ShownLead, TickCollector
from ecgseg.link import DeviceClient, DeviceInfo, DeviceStats, FrameResult
from ecgseg.pipeline import Segment, join
from ecgseg.pipeline.segmenter import ExpectedFrame, Reference

MAX_DETAILS = 10
VECTORS = paths.REPORTS / "vectors"

# Called after every lead: how many are done, and whether all was equal so far.
OnLead = Callable[[int, bool], None]


@dataclass(frozen=True)
class Subject:
    """What is tested.

    Attributes:
        target: name of the target.
        model: model by name, or its file.
        device: the open client.
        reference: the same model on the host.
        flash_bytes, ram_bytes: of the image, 0 when unknown.
        image_sha256: of the file that is flashed, "" for an image that is not.
        vectors: folder for differing frames.
    """

    target: str
    model: str
    device: DeviceClient
    reference: Reference
    flash_bytes: int = 0
    ram_bytes: int = 0
    image_sha256: str = ""
    vectors: Path = VECTORS


@dataclass(frozen=True)
class DirectInput:
    """An int8 input [input_bytes] that goes to the model past the preprocessor, and its number."""

    record_id: int
    samples: npt.NDArray[np.int8]
    lead: str = "-"
    rate: int = 0


@dataclass
class Judge:
    """Runs leads through the device and counts.

    Args:
        subject: what is tested.
        source: where the inputs come from.
        shown_wanted: (record, lead) of those that are kept for the report.
    """

    subject: Subject
    source: Literal["ludb", "synthetic", "replay", "random"]
    shown_wanted: frozenset[tuple[int, str]] = frozenset()
    info: DeviceInfo = field(init=False)
    shown: list[ShownLead] = field(default_factory=list)
    frames: int = 0
    expected_frames: int = 0
    differing_frames: int = 0
    compared: int = 0
    mismatched: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    records: dict[int, None] = field(default_factory=dict)
    leads: dict[str, None] = field(default_factory=dict)
    finished: bool = False

    def __post_init__(self) -> None:
        device, reference = self.subject.device, self.subject.reference
        self._ticks = TickCollector()
        self._scores = ScoreCollector(reference.class_count)
        self._started = time.monotonic()
        self._stats: DeviceStats | None = None
        self.info = device.hello()
        device.require_model(reference.sha256)
        _require_parameters(self.info, reference)

    def run(self, records: Iterable[Record], on_lead: OnLead) -> None:
        """Sends every lead and compares every frame."""
        for index, record in enumerate(records):
            self._lead(record)
            on_lead(index + 1, self.mismatched == 0)
        self._finish()

    def run_direct(self, inputs: Iterable[npt.NDArray[np.int8]], on_lead: OnLead) -> None:
        """Feeds int8 inputs past the preprocessor; for a model that does not segment."""
        for index, data in enumerate(inputs):
            self._direct(index, data)
            on_lead(index + 1, self.mismatched == 0)
        self._finish()

    def _finish(self) -> None:
        self._stats = self.subject.device.stats()
        self.finished = True

    def _lead(self, record: Record) -> None:
        self.records[record.record_id] = None
        self.leads[record.lead] = None
        expected = self.subject.reference.expect(record.samples)
        self.expected_frames += len(expected)
        before = self.mismatched
        answered = []
        remaining = iter(expected)
        for actual in self.subject.device.stream(self.subject.reference.stream(record.samples)):
            wanted = next(remaining, None)
            if wanted is None:
                self._surplus(record, actual)
                break
            self._frame(record, wanted, actual)
            answered.append(actual)
        for wanted in remaining:
            self._missing(record, wanted)
        self._summarise(record, expected, answered, self.mismatched == before)

    def _frame(self, record: Record, expected: ExpectedFrame, actual: FrameResult) -> None:
        self.frames += 1
        self._ticks.add("preprocess", actual.preprocess_ticks)
        self._ticks.add("inference", actual.inference_ticks)
        self._ticks.add("postprocess", actual.postprocess_ticks)
        comparison = compare_frame(expected, actual)
        self._count(comparison)
        if comparison.differences and len(self.mismatches) < MAX_DETAILS:
            # The device still holds this frame as its last input, so its layers can be looked at now.
            layer = self._layer(comparison.differences[0], expected.input)
            kept = self._vector(record, expected.index, stage_bytes(expected), stage_bytes(actual))
            self._keep(kept, comparison, layer)

    def _direct(self, index: int, data: npt.NDArray[np.int8]) -> None:
        self.records[index] = None
        self.expected_frames += 1
        expected = self.subject.reference.run(data)
        result = self.subject.device.infer_timed(data)
        self.frames += 1
        self._ticks.add("inference", result.inference_ticks)
        stages = {"scores": expected.tobytes()}, {"scores": result.output.tobytes()}
        comparison = compare_stages(*stages)
        self._count(comparison)
        if comparison.differences and len(self.mismatches) < MAX_DETAILS:
            layer = self._layer(comparison.differences[0], data)
            self._keep(self._vector(DirectInput(index, data), 0, *stages), comparison, layer)

    def _vector(
        self, sent: Record | DirectInput, frame: int, expected: dict[str, bytes], actual: dict[str, bytes]
    ) -> vectors.Vector:
        return vectors.Vector(
            target=self.subject.target,
            model=self.subject.model,
            model_sha256=self.subject.reference.sha256,
            record=sent.record_id,
            lead=sent.lead,
            frame=frame,
            rate=sent.rate,
            samples=sent.samples,
            expected=expected,
            actual=actual,
        )

    def _count(self, comparison: Comparison) -> None:
        self.compared += comparison.compared
        self.mismatched += comparison.mismatched
        self.differing_frames += bool(comparison.differences)

    def _layer(self, first: Difference, data: npt.NDArray[np.int8]) -> LayerDifference | None:
        if first.stage != "scores":
            return None
        return first_differing_layer(self.subject.device, self.subject.reference, data)

    def _keep(self, vector: vectors.Vector, comparison: Comparison, layer: LayerDifference | None) -> None:
        path = vectors.shown_path(vectors.save(vector, self.subject.vectors))
        first = comparison.differences[0]
        self.mismatches.append(
            Mismatch(
                record=vector.record,
                lead=vector.lead,
                frame=vector.frame,
                stage=stage_name(first, layer),
                compared=layer.difference.stage if layer else first.stage,
                offset=layer.difference.offset if layer else first.offset,
                expected=layer.difference.expected if layer else first.expected,
                actual=layer.difference.actual if layer else first.actual,
                differing_bytes=comparison.mismatched,
                vector=path,
                replay=f"invoke hil-test --replay {path}",
            )
        )

    def _missing(self, record: Record, expected: ExpectedFrame) -> None:
        """A frame that the device did not answer: every byte of it differs."""
        size = sum(len(data) for data in stage_bytes(expected).values())
        self._lost(record, expected.index, "frame missing on the device", size)

    def _surplus(self, record: Record, actual: FrameResult) -> None:
        size = sum(len(data) for data in stage_bytes(actual).values())
        self._lost(record, actual.index, "frame that the device should not have", size)

    def _lost(self, record: Record, frame: int, stage: str, size: int) -> None:
        self.compared += size
        self.mismatched += size
        self.differing_frames += 1
        if len(self.mismatches) < MAX_DETAILS:
            self.mismatches.append(
                Mismatch(
                    record=record.record_id,
                    lead=record.lead,
                    frame=frame,
                    stage=stage,
                    compared="frame",
                    offset=0,
                    expected=None,
                    actual=None,
                    differing_bytes=size,
                )
            )

    def _summarise(
        self, record: Record, expected: list[ExpectedFrame], answered: list[FrameResult], equal: bool
    ) -> None:
        """Puts the frames of a lead together again, scores the device against the annotation, keeps some to show."""
        parameters = self.subject.reference.parameters
        assert parameters is not None
        length = -(-record.samples.size // parameters.factor)
        reference = np.zeros(length, dtype=np.uint8)
        device = np.zeros(length, dtype=np.uint8)
        parts: list[tuple[int, list[Segment]]] = []
        for wanted, actual in zip_longest(expected, answered):
            start = wanted.index * parameters.hop
            reference[start : start + parameters.frame_length] = wanted.mask
            if actual is not None:
                device[start : start + parameters.frame_length] = actual.mask
                parts.append((start, actual.segments))
        joined = join(parts, parameters.rules)
        self._scores.add(record, device, joined)
        if (record.record_id, record.lead) in self.shown_wanted:
            classes = self.subject.reference.class_count
            self.shown.append(ShownLead(record, reference, device, joined, classes, equal))

    def result(self, error: str | None = None) -> HilResult:
        """The result so far; "incomplete" unless run() came to its end, "fail" as soon as one byte differed."""
        verdict: Literal["pass", "fail", "incomplete"] = "incomplete"
        if self.finished and self.frames and error is None:
            verdict = "pass"
        if self.mismatched:
            verdict = "fail"
        counters = self.subject.device.counters
        stats = self._stats
        return HilResult(
            target=self.subject.target,
            board=self.info.board,
            backend=self.info.backend,
            model=self.info.model_name,
            model_sha256=self.info.model_sha256,
            build_id=self.info.build_id,
            image_sha256=self.subject.image_sha256,
            source=self.source,
            records=list(self.records),
            leads=list(self.leads),
            frames=self.frames,
            expected_frames=self.expected_frames,
            differing_frames=self.differing_frames,
            compared_bytes=self.compared,
            mismatched_bytes=self.mismatched,
            requests=counters.requests,
            retries=counters.retries,
            crc_errors=counters.crc_errors,
            device_crc_errors=stats.bad_crc if stats else 0,
            device_overruns=stats.rx_overruns if stats else 0,
            verdict=verdict,
            mismatches=self.mismatches,
            error=error,
            timing=self._ticks.timing(self.info),
            memory=Memory(
                arena_bytes=self.info.arena_bytes,
                stack_bytes=stats.stack_high_water if stats else 0,
                flash_bytes=self.subject.flash_bytes,
                ram_bytes=self.subject.ram_bytes,
            ),
            macs=self.info.macs,
            segmentation=self._scores.scores(),
            seconds=round(time.monotonic() - self._started, 3),
        )


def _require_parameters(info: DeviceInfo, reference: Reference) -> None:
    """Refuses a device whose preprocessor was rendered with other numbers than the reference uses."""
    parameters = reference.parameters
    if parameters is None or not info.has_stream:
        if (parameters is None) != (not info.has_stream):
            raise _other_parameters("stream", parameters is not None, info.has_stream)
        return
    pairs = {
        "input rate": (parameters.input_rate, info.input_rate),
        "hop": (parameters.hop, info.hop),
        "filter delay": (parameters.delay, info.delay),
        "flat limit": (parameters.flat_uv, info.flat_uv),
        "frame length": (parameters.frame_length, info.frame_length),
        "classes": (reference.class_count, info.class_count),
        "input scale": (float(np.float32(parameters.scale)), float(np.float32(info.input_scale))),
        "input zero point": (parameters.zero_point, info.input_zero_point),
    }
    for name, (wanted, found) in pairs.items():
        if wanted != found:
            raise _other_parameters(name, wanted, found)


def _other_parameters(name: str, wanted: object, found: object) -> LinkError:
    return LinkError(
        f"The device's preprocessor was rendered with another {name}.",
        f"The device has {found}, the reference {wanted}.",
        "Render and build the firmware again with the same options as the test.",
    )
