"""What a device answers, as Python objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import LinkError
from ecgseg.link.description import description
from ecgseg.link.messages import WrongAnswerError
from ecgseg.link.numbers import PAYLOAD_MAX, TimeBase
from ecgseg.pipeline import MODEL_RATE, FrameStatus, Segment
from ecgseg.printable import printable

# A segment as READ has it, from the description.
_SEGMENT = np.dtype([(part.name, part.layout) for part in description().records["SEGMENT"].fields])
# HELLO's own answer needs about this much.
_SMALLEST_PAYLOAD_MAX = 256
_FAULTS = {3: "hard fault", 4: "memory fault", 5: "bus fault", 6: "usage fault", 0x100: "watchdog"}
_LR, _PC = 5, 6
_TIME_FACTOR = 10.0
_TIME_MARGIN_SECONDS = 10.0


@dataclass(frozen=True)
class Fault:
    """Fault before the device's last start.

    Attributes:
        type: exception number: 3 hard, 4 memory, 5 bus, 6 usage; 0x100 watchdog.
        registers: r0, r1, r2, r3, r12, lr, pc, xpsr.
        cfsr, hfsr, mmfar, bfar: fault status and address registers of the core.
    """

    type: int
    registers: tuple[int, ...]
    cfsr: int
    hfsr: int
    mmfar: int
    bfar: int

    def __str__(self) -> str:
        """The record in one line."""
        name = _FAULTS.get(self.type, f"fault {self.type:#x}")
        return (
            f"{name} at pc {self.registers[_PC]:#010x}, lr {self.registers[_LR]:#010x}, cfsr {self.cfsr:#010x}, "
            f"hfsr {self.hfsr:#010x}, mmfar {self.mmfar:#010x}, bfar {self.bfar:#010x}"
        )


@dataclass(frozen=True)
class DeviceInfo:
    """What HELLO tells; units as in docs/protocol.md. `fault` is None when the last start followed no fault."""

    protocol_version: int
    engine_version: int
    engine_status: int
    payload_max: int
    time_base: TimeBase
    core_hz: int
    tick_hz: int
    max_baud: int
    input_bytes: int
    output_bytes: int
    frame_length: int
    class_count: int
    input_scale: float
    input_zero_point: int
    output_scale: float
    output_zero_point: int
    arena_bytes: int
    macs: int
    layer_count: int
    input_rate: int
    factor: int
    hop: int
    delay: int
    flat_uv: int
    reset_cause: int
    fault: Fault | None
    model_sha256: str
    board: str
    build_id: str
    model_name: str
    backend: str

    @property
    def has_stream(self) -> bool:
        """True when raw samples can be sent (the model is a segmenter, of frames or of a stream)."""
        return self.input_rate != 0

    def raw_samples(self, samples: int) -> int:
        """The raw sample at, or next before, the place of a sample at 100 Hz; both counted from 0."""
        return samples * self.input_rate // MODEL_RATE

    def samples_of(self, raw_samples: int) -> int:
        """Samples at 100 Hz of so many raw samples in a row."""
        return -(-raw_samples * MODEL_RATE // self.input_rate)

    @property
    def delineates(self) -> bool:
        """True when the network runs as a stream: samples in, events and classes out, and no frames."""
        return self.has_stream and self.frame_length == 0

    @property
    def last_start(self) -> str:
        """Why it last started, as far as it knows: a fault before that, and the cause of the reset; "" for neither."""
        fault = f"fault before it: {self.fault}" if self.fault else ""
        cause = f"reset cause {self.reset_cause:#x}" if self.reset_cause or self.fault else ""
        return "; ".join(part for part in (fault, cause) if part)

    def units(self, ticks: int) -> float:
        """Ticks as instructions or core clock cycles, by the time base; as they are when it is TICKS."""
        return float(ticks) if self.time_base == TimeBase.TICKS else ticks * self.core_hz / self.tick_hz

    def seconds(self, ticks: int) -> float:
        """Ticks as seconds of the device's time base."""
        return ticks / self.tick_hz


@dataclass(frozen=True)
class PushResult:
    """What became of a chunk.

    Attributes:
        samples_seen, frames_done: samples and frames since RESET_STREAM.
        frame_ready: what was taken of this chunk completed a frame.
        taken: samples of the chunk that were taken, from its front; on a bad line fewer than were given.
    """

    samples_seen: int
    frames_done: int
    frame_ready: bool
    taken: int


@dataclass(frozen=True)
class FrameResult:
    """One frame as the device computed it.

    Attributes:
        index: number of the frame since RESET_STREAM.
        status: status bits.
        lead_off_samples, saturated_samples: counts at 100 Hz.
        input: int8 [frame_length], what the model got.
        scores: int8 [frame_length, classes].
        mask: uint8 [frame_length].
        segments: in samples of the frame, both ends inclusive; of more than one a sample only as many are kept.
        preprocess_ticks, inference_ticks, postprocess_ticks: device time.
    """

    index: int
    status: FrameStatus
    lead_off_samples: int
    saturated_samples: int
    input: npt.NDArray[np.int8]
    scores: npt.NDArray[np.int8]
    mask: npt.NDArray[np.uint8]
    segments: list[Segment]
    preprocess_ticks: int
    inference_ticks: int
    postprocess_ticks: int


@dataclass(frozen=True)
class InferResult:
    """Output of a direct inference: int8 [output_bytes], and its ticks."""

    output: npt.NDArray[np.int8]
    inference_ticks: int


@dataclass(frozen=True)
class LayerInfo:
    """One layer: operator name, operator and tensor index in the .tflite, bytes of its result, multiply-accumulates."""

    index: int
    name: str
    operator_index: int
    tensor_index: int
    bytes: int
    macs: int


@dataclass(frozen=True)
class DeviceStats:
    """The device's counters since its start (docs/protocol.md, STATS)."""

    ticks: int
    stack_high_water: int
    frames: int
    answers: int
    repeats: int
    bad_crc: int
    bad_cobs: int
    oversized: int
    too_short: int
    bad_version: int
    stale: int
    rx_overruns: int
    rx_framing_errors: int
    rx_breaks: int
    tx_timeouts: int


def segment_bytes(segments: Iterable[Segment]) -> bytes:
    """Segments as READ has them, one behind the other."""
    rows = [(segment.label, segment.onset, segment.offset) for segment in segments]
    return np.array(rows, dtype=_SEGMENT).tobytes()


def segments_of(data: bytes) -> list[Segment]:
    """Segments out of what READ has told.

    Raises:
        ValueError: the last one is cut.
    """
    return [Segment(*map(int, row)) for row in np.frombuffer(data, dtype=_SEGMENT)]


def is_too_long(told_seconds: float, passed_seconds: float) -> bool:
    """A device cannot have worked for longer than it was waited for; clocks and their units may be some way off."""
    return told_seconds > _TIME_FACTOR * passed_seconds + _TIME_MARGIN_SECONDS


class ContradictionError(WrongAnswerError):
    """HELLO tells what no right device can tell.

    Attributes:
        told: all of it; an unknown time base stands there as TICKS.
    """

    def __init__(self, told: DeviceInfo, what: str, why: str) -> None:
        super().__init__(what, why, "Build and flash the firmware again.")
        self.told = told


class OtherFirmwareError(LinkError):
    """What answers may be a good device, but has another firmware than the one that was asked for.

    Attributes:
        told: its HELLO.
    """

    def __init__(self, told: DeviceInfo, what: str, why: str, remedy: str) -> None:
        super().__init__(what, why, remedy)
        self.told = told


def require_same_model(info: DeviceInfo, sha256: str) -> None:
    """Refuses a device that holds another model.

    Args:
        info: what it tells.
        sha256: SHA-256 of the .tflite file, hexadecimal.

    Raises:
        OtherFirmwareError: the hashes differ.
    """
    if info.model_sha256 != sha256.lower():
        raise OtherFirmwareError(
            info,
            f"The device runs another model: {info.model_name}.",
            f"Its .tflite has SHA-256 {info.model_sha256[:16]}..., wanted is {sha256[:16].lower()}...",
            "Build and flash the firmware for this model.",
        )


def device_info(values: dict[str, Any]) -> DeviceInfo:
    """The answer to HELLO, taken apart, as a DeviceInfo.

    Raises:
        ContradictionError: an unknown time base, or sizes that contradict each other.
    """
    fault = Fault(
        values["fault_type"],
        values["fault_registers"],
        values["fault_cfsr"],
        values["fault_hfsr"],
        values["fault_mmfar"],
        values["fault_bfar"],
    )
    known = {field.name for field in fields(DeviceInfo)}
    plain = {name: value for name, value in _as_data(values).items() if name in known}
    bases = {int(base): base for base in TimeBase}
    plain["time_base"] = bases.get(values["time_base"], TimeBase.TICKS)
    plain["model_sha256"] = values["model_sha256"].hex()
    info = DeviceInfo(**plain, fault=fault if values["fault_valid"] else None)
    if values["time_base"] not in bases:
        raise ContradictionError(
            info,
            f"The device tells an unknown time base {values['time_base']}.",
            "Firmware and host are of different releases.",
        )
    _check_sizes(info)
    return info


def layer_info(index: int, values: dict[str, Any]) -> LayerInfo:
    """The answer to LAYER, taken apart."""
    return LayerInfo(index=index, **_as_data(values))


def _as_data(values: dict[str, Any]) -> dict[str, Any]:
    """An answer whose texts are safe to show: the one place where a device's words come in."""
    return {name: printable(value) if isinstance(value, str) else value for name, value in values.items()}


def _check_sizes(info: DeviceInfo) -> None:
    """Sizes that everything else relies on; a device whose sizes contradict each other is not talked to."""
    sound = (
        _SMALLEST_PAYLOAD_MAX <= info.payload_max <= PAYLOAD_MAX
        and min(info.tick_hz, info.input_bytes, info.output_bytes) > 0
        and (_delineator_sound(info) if info.delineates else not info.has_stream or _frames_sound(info))
    )
    if not sound:
        raise ContradictionError(
            info,
            "What the device tells about itself in HELLO contradicts itself.",
            f"Payload {info.payload_max}, ticks {info.tick_hz} Hz, input {info.input_bytes}, "
            f"output {info.output_bytes}, frame {info.frame_length} with {info.class_count} classes, "
            f"hop {info.hop}, factor {info.factor}.",
        )


def _frames_sound(info: DeviceInfo) -> bool:
    return (
        min(info.factor, info.hop, info.class_count) > 0
        and info.input_bytes == info.frame_length
        and info.output_bytes == info.frame_length * info.class_count
    )


def _delineator_sound(info: DeviceInfo) -> bool:
    """A stream takes and answers whole blocks, a row a sample, and has no frames that could follow each other."""
    return (
        min(info.factor, info.input_rate, info.class_count) > 0
        and info.hop == 0
        and info.output_bytes == info.input_bytes * info.class_count
    )
