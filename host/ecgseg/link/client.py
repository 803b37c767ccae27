"""Client of the device: what the firmware can do, as methods."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import DeviceError, LinkError
from ecgseg.link.answers import (
    DeviceInfo,
    DeviceStats,
    FrameResult,
    InferResult,
    LayerInfo,
    PushResult,
    device_info,
    layer_info,
    require_same_model,
    segments_of,
)
from ecgseg.link.error_table import error_number
from ecgseg.link.messages import BY_COMMAND, pack, room, unpack, wrong_answer
from ecgseg.link.numbers import DEFAULT_BAUD, SEGMENT_BYTES, BenchKind, Command, ReadKind
from ecgseg.link.pace import Start
from ecgseg.link.parts import Parts
from ecgseg.link.ports import Port, open_port, set_baud_rate
from ecgseg.link.transport import LinkCounters, OnWait, Transport, check_version
from ecgseg.pipeline import FrameStatus

_RESTART_SECONDS = 0.25
_RESTART_ATTEMPTS = 8
# 1.75 s in all, less than the 2 s after which the device goes back to the old rate.
_BAUD_TRIAL_SECONDS = 0.25
_BAUD_TRIAL_ATTEMPTS = 3
_BENCH_SECONDS = 0.7
_BENCH_MAX = 0xFFFF


class DeviceClient:
    """A device behind a serial port.

    Args:
        port: device name or pyserial URL, or an open port.
        baud: baud rate when `port` is a name.
        answer_seconds: first wait for an answer; choose more for a slow simulator.
        attempts: how often a request is sent before the link is given up.
        on_wait: is told what is waited for when no answer has come for two seconds.

    All methods raise DeviceError when the device answers with an error and LinkError when it does not answer, or not
    in a way that makes sense. A lost or damaged message is repeated; what the device computed is never asked for twice
    to get another answer.
    """

    def __init__(
        self,
        port: str | Port,
        *,
        baud: int = DEFAULT_BAUD,
        answer_seconds: float = 1.0,
        attempts: int = 5,
        on_wait: OnWait | None = None,
    ) -> None:
        opened = open_port(port, baud) if isinstance(port, str) else port
        self._transport = Transport(opened, answer_seconds, attempts, on_wait)
        self._info: DeviceInfo | None = None
        self._session = secrets.randbits(32)
        self._parts = Parts(self._transport)
        self._frames = 0

    def __enter__(self) -> DeviceClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the port."""
        self._transport.port.close()

    @property
    def counters(self) -> LinkCounters:
        """Requests, retries, stray answers and damaged frames seen by this host."""
        return self._transport.counters

    @property
    def transport(self) -> Transport:
        """Where requests go that are no methods here: a stream's (`ecgseg.link.stream`)."""
        return self._transport

    @property
    def info(self) -> DeviceInfo:
        """What the last HELLO told; sends HELLO when there was none yet."""
        return self._info or self.hello()

    def first_hello(self, start: Start) -> DeviceInfo:
        """Like hello(), with a device that may still be starting; how often it was asked does not count.

        Args:
            start: how long it may take.

        Raises:
            NoAnswerError: it took longer.
            LinkError: as hello(); and whatever `start.on_attempt` raises.
        """
        message = BY_COMMAND[Command.HELLO]
        self._transport.begin()
        # The same bytes every time: whichever of the answers arrives whole, late or not, is the one.
        answer = self._transport.exchange(Command.HELLO, pack(message.request, {"session": self._session}), start)
        assert answer is not None
        info = self._opened(unpack(message.answer, answer))
        self._transport.forget_start()
        return info

    def hello(self, *, answer_seconds: float | None = None, attempts: int | None = None) -> DeviceInfo:
        """Opens a new session and returns what is on the device.

        Raises:
            LinkError: no answer, or another protocol version.
            WrongAnswerError: an answer of another layout, or sizes that contradict each other (ContradictionError).
        """
        values = self._ask(
            Command.HELLO,
            {"session": self._session},
            answer_seconds=answer_seconds,
            attempts=attempts,
        )
        return self._opened(values)

    def _opened(self, values: dict[str, Any]) -> DeviceInfo:
        # Only an answered one is used up: a device remembers a few, and on a bad line HELLO takes many tries.
        self._session = secrets.randbits(32)
        check_version(values["protocol_version"])
        self._info = device_info(values)
        return self._info

    def require_model(self, sha256: str) -> None:
        """Refuses a device that holds another model.

        Args:
            sha256: SHA-256 of the .tflite file, hexadecimal.

        Raises:
            LinkError: the hashes differ, or the model's code did not start.
        """
        info = self.info
        require_same_model(info, sha256)
        if info.engine_status != 0:
            raise LinkError(
                "The model's code on the device failed to start.",
                f"Engine status {info.engine_status}, backend {info.backend}.",
                "Build and flash the firmware again; with an interpreting backend check its arena size and operators.",
            )

    def reset_stream(self) -> None:
        """Forgets all samples and frames; the next sample has index 0."""
        self._ask(Command.RESET_STREAM, {})
        self._frames = 0

    def push(self, first_index: int, samples: npt.NDArray[np.int16]) -> PushResult:
        """Appends raw samples, all of them or as many as the line lets through; they may complete at most one frame.

        Args:
            first_index: index of the first sample since reset_stream().
            samples: int16 [1..max_chunk], 1 LSB = 1 microvolt, LEAD_OFF for no contact.

        Raises:
            WrongIndexError: the stream expects another sample; nothing was taken.
            WrongAnswerError: the device counts other samples than it was sent, or sets unknown flags.
        """
        data = np.ascontiguousarray(samples, dtype="<i2").tobytes()
        pushed = self._parts.push(first_index, data, self._frames, self._completion)
        self._frames = pushed.frames_done
        return pushed

    @property
    def _completion(self) -> int:
        """Samples since RESET_STREAM with which the next frame is complete (docs/protocol.md, section 4)."""
        info = self.info
        return info.raw_samples(info.hop * self._frames + info.frame_length - 1) + info.delay + 1

    @property
    def max_chunk(self) -> int:
        """Samples that fit one PUSH without completing more than one frame."""
        info = self.info
        return max(min(room(Command.PUSH, info.payload_max) // 2, info.raw_samples(info.hop)), 1)

    def stream(self, samples: npt.NDArray[np.int16]) -> Iterator[FrameResult]:
        """Resets the stream, pushes all samples and yields each frame as it is completed.

        Args:
            samples: int16 [n] at the input rate; the caller appends the flush samples of the preprocessor.
        """
        self.reset_stream()
        start = frames = 0
        while start < samples.size:
            pushed = self.push(start, samples[start : start + self.max_chunk])
            start += pushed.taken
            frames += pushed.frame_ready
            if pushed.frames_done != frames:
                raise wrong_answer("PUSH", f"frames_done is {pushed.frames_done}, {frames} were reported")
            if pushed.frame_ready:
                yield self.frame()

    def frame(self) -> FrameResult:
        """The newest frame with all its results.

        Raises:
            DeviceError: NO_FRAME when the stream has not completed one.
        """
        values = self._ask(Command.FRAME, {})
        info = self.info
        # There is at most one segment a sample: what is told beyond that is not asked for, and differs all the same.
        told = min(values["segment_count"], info.frame_length)
        scores = np.frombuffer(self.read(ReadKind.SCORES, info.output_bytes), dtype=np.int8)
        return FrameResult(
            index=values["index"],
            status=FrameStatus(values["status"]),
            lead_off_samples=values["lead_off_samples"],
            saturated_samples=values["saturated_samples"],
            input=np.frombuffer(self.read(ReadKind.INPUT, info.input_bytes), dtype=np.int8),
            scores=scores.reshape(info.frame_length, info.class_count),
            mask=np.frombuffer(self.read(ReadKind.MASK, info.frame_length), dtype=np.uint8),
            segments=segments_of(self.read(ReadKind.SEGMENTS, told * SEGMENT_BYTES)),
            preprocess_ticks=values["preprocess_ticks"],
            inference_ticks=values["inference_ticks"],
            postprocess_ticks=values["postprocess_ticks"],
        )

    def read(self, kind: ReadKind, length: int) -> bytes:
        """The first `length` bytes of a result, in as many requests as it takes.

        Raises:
            WrongAnswerError: the device returned another number of bytes than were asked for.
        """
        largest = self.info.payload_max
        parts = bytearray()
        while len(parts) < length:
            parts += self._parts.read(kind, len(parts), min(largest, length - len(parts)))
        return bytes(parts)

    def write_input(self, data: npt.NDArray[np.int8]) -> None:
        """Writes the model's whole input.

        Args:
            data: int8 [input_bytes], any shape.
        """
        payload = np.ascontiguousarray(data, dtype=np.int8).tobytes()
        self._parts.write(payload, room(Command.WRITE, self.info.payload_max))

    def infer(self, data: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """Runs the model on an int8 input [input_bytes], past the preprocessor; returns int8 [output_bytes]."""
        return self.infer_timed(data).output

    def infer_timed(self, data: npt.NDArray[np.int8]) -> InferResult:
        """Like infer(), with the ticks of the model."""
        self.write_input(data)
        values = self._ask(Command.INFER, {})
        output = np.frombuffer(self.read(ReadKind.SCORES, self.info.output_bytes), dtype=np.int8)
        return InferResult(output, values["inference_ticks"])

    def trace(self, layer: int, size: int) -> bytes:
        """Result of one layer on the last input (of a frame or of infer()), as it lies in memory.

        Args:
            layer: number of the layer.
            size: bytes of its result, as the host knows them: how much is read is not for the device to say.

        Raises:
            WrongAnswerError: the device tells another size; nothing was read.
        """
        told = self._ask(Command.TRACE, {"layer": layer})["bytes"]
        if told != size:
            raise wrong_answer("TRACE", f"layer {layer} is told to have {told} bytes, it has {size}")
        return self.read(ReadKind.TRACE, size)

    def layer(self, index: int) -> LayerInfo:
        """What the device tells about one layer."""
        return layer_info(index, self._ask(Command.LAYER, {"layer": index}))

    def layers(self) -> list[LayerInfo]:
        """All layers that trace() knows, as many as the device tells."""
        return [self.layer(index) for index in range(self.info.layer_count)]

    def stats(self) -> DeviceStats:
        """The device's counters."""
        return DeviceStats(**self._ask(Command.STATS, {}))

    def bench(
        self,
        kind: BenchKind,
        repetitions: int = 1,
        *,
        layer: int = 0,
        answer_seconds: float | None = None,
        at_once: int = 1,
    ) -> int:
        """Total ticks of a repeated part; afterwards there are no results to read and the stream is reset.

        A device hears nothing while it repeats. So it is asked for about a second's worth at a time, and between two
        requests the whole can be interrupted.

        Args:
            kind: preprocessor (one hop of a test signal), model, or the layers 0..layer.
            repetitions: 1 or more.
            layer: last layer for BenchKind.LAYERS.
            answer_seconds: first wait for the answer, when it takes long.
            at_once: repetitions that begin it, known to take no longer than that together.
        """
        total = done = 0
        most = _BENCH_MAX
        while done < repetitions:
            part = min(max(1, at_once), repetitions - done, most)
            request = {"kind": kind, "layer": layer, "repetitions": part}
            started = time.monotonic()
            try:
                total += int(self._ask(Command.BENCH, request, answer_seconds=answer_seconds)["ticks"])
            except DeviceError as error:
                # By the device's clock it was too much at once, and what it had done is lost.
                if error.code != error_number("TOO_LONG") or part == 1:
                    raise
                at_once = most = part // 2
                continue
            done += part
            # By this host's clock: what a tick is worth where time is simulated is not what it takes to wait for it.
            passed = max(time.monotonic() - started, _BENCH_SECONDS / _BENCH_MAX)
            at_once = min(4 * part, int(part * _BENCH_SECONDS / passed))
        return total

    def set_baud(self, baud: int) -> None:
        """Changes the baud rate on both sides and checks that the device answers at the new one.

        Raises:
            DeviceError: the board cannot do this rate.
            LinkError: this computer cannot do the rate, or no answer at it; both sides are at the old one again (the
                device within 2 s).
        """
        port = self._transport.port
        old = port.baudrate
        # Twice, because a lost answer lets the device try the new rate and leave it again before this side follows.
        for is_last in (False, True):
            self._ask(Command.SET_BAUD, {"baud": baud})
            set_baud_rate(port, baud)
            try:
                self._ask(Command.STATS, {}, answer_seconds=_BAUD_TRIAL_SECONDS, attempts=_BAUD_TRIAL_ATTEMPTS)
                return
            except DeviceError:
                raise
            except LinkError:
                port.baudrate = old
                self.stats()
                if is_last:
                    raise

    def set_clock(self, core_hz: int) -> int:
        """Changes the core clock and returns what it is now, Hz; `info` is renewed."""
        now = int(self._ask(Command.SET_CLOCK, {"core_hz": core_hz})["core_hz"])
        self.hello()
        return now

    def restart(self) -> DeviceInfo:
        """Restarts the device and opens a new session with it."""
        try:
            self._ask(Command.RESTART, {})
        except DeviceError as error:
            # The answer got lost, and the repetition met a device that has restarted.
            if error.code != error_number("NO_SESSION"):
                raise
        return self.hello(answer_seconds=_RESTART_SECONDS, attempts=_RESTART_ATTEMPTS)

    def _ask(
        self,
        command: Command,
        values: dict[str, Any],
        *,
        answer_seconds: float | None = None,
        attempts: int | None = None,
    ) -> dict[str, Any]:
        message = BY_COMMAND[command]
        answer = self._transport.request(
            command, pack(message.request, values), answer_seconds=answer_seconds, attempts=attempts
        )
        return unpack(message.answer, answer)
