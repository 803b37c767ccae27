"""A stream through a device that delineates: events and classes in sequence, nothing lost, memory bounded."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import DeviceError, LinkError
from ecgseg.link.client import DeviceClient
from ecgseg.link.error_table import error_number
from ecgseg.link.messages import BY_COMMAND, pack, room, unpack, wrong_answer
from ecgseg.link.numbers import Command, LossKind, StartOptions, StreamFlags
from ecgseg.link.parts import Parts
from ecgseg.pipeline.events import EVENT_BYTES, Event

_WRAP = 0xFFFFFFFF
# Events of a sample at 100 Hz, and beside that: no right device has more.
_EVENTS_A_SAMPLE = 2
_EVENTS_BESIDE = 16


@dataclass(frozen=True)
class StreamInfo:
    """What START tells; docs/protocol.md has the units."""

    look_ahead: int
    block: int
    state_bytes: int
    memory_bytes: int
    event_bytes: int
    event_room: int
    class_room: int


@dataclass(frozen=True)
class Results:
    """What a device has answered since the results before.

    Attributes:
        first_class: sample at 100 Hz, counted since the start without those that were lost, of the first class.
        classes: uint8 [n]; empty when the stream keeps none.
        first_event: number of the first event since the start.
        events: their bytes, EVENT_BYTES each.
    """

    first_class: int
    classes: npt.NDArray[np.uint8]
    first_event: int
    events: bytes

    def unpacked(self) -> list[Event]:
        """The events as such."""
        return [Event.unpack(self.events[at : at + EVENT_BYTES]) for at in range(0, len(self.events), EVENT_BYTES)]


@dataclass(frozen=True)
class Gap:
    """So many raw samples are missing here: lost on their way, or (overrun) faster than they were taken."""

    samples: int
    overrun: bool = False


class _Queue:
    """Results of one kind, read in sequence and added up.

    Attributes:
        read, acknowledged: results that this host has, and of how many the device knows it.
        made: as the newest answer told it.
        is_settled: none can be made until there are samples again.
    """

    def __init__(self, command: Command, field: str, size: int, most: int, room: int) -> None:
        self.command = command
        self.field = field
        self.size = size
        self.most = most
        self.room = room
        self.read = self.acknowledged = self.made = 0
        self.is_settled = False
        self.may_end = self.is_through = False
        self._crc = 0

    def take(self, answer: dict[str, Any]) -> bytes:
        """The results in an answer.

        Raises:
            WrongAnswerError: they are not what was asked for, do not add up, or are more than there can be.
        """
        data = bytes(answer[self.field])
        count = len(data) // self.size
        waiting = (answer["made"] - self.read) & _WRAP
        name = self.command.name
        if len(data) % self.size or count > min(answer["asked"], waiting):
            raise wrong_answer(name, f"{len(data)} bytes came, of {waiting} results that wait")
        if waiting and not count:
            raise wrong_answer(name, f"nothing came, of {waiting} results that wait")
        if answer["flags"] & ~int(StreamFlags.ENDED):
            raise wrong_answer(name, f"the flags {answer['flags']:#x} have unknown bits")
        if answer["flags"] and not self.may_end:
            raise wrong_answer(name, "it tells the end of a stream that goes on")
        self._check_made(answer["made"])
        self._crc = zlib.crc32(data, self._crc)
        if self._crc != answer["crc"]:
            raise wrong_answer(name, f"its results add up to {answer['crc']:#010x}, what came to {self._crc:#010x}")
        self.acknowledged = self.read
        self.read += count
        self.is_through = bool(answer["flags"] & StreamFlags.ENDED) and count == waiting
        return data

    def hear(self, command: Command, made: int) -> bool:
        """Takes to be made what an answer to `command` told; True when less than two thirds of the room are taken then.

        Raises:
            WrongAnswerError: it was more before.
        """
        if (made - self.made) & _WRAP > _WRAP >> 1:
            raise wrong_answer(command.name, f"{self.field}_made is {made}, and was {self.made} before")
        self.made = made
        return 3 * ((made - self.acknowledged) & _WRAP) < 2 * self.room

    def _check_made(self, made: int) -> None:
        if self.is_settled and made != self.made:
            raise wrong_answer(self.command.name, f"made is {made}, and was {self.made} with room for more")
        self.hear(self.command, made)


class DeviceStream:
    """A stream that goes through a device.

    Whoever uses it gives samples and takes results by turns: a device has room for a few events and classes only, and
    takes no more samples when they are not read. Nothing is lost by it, nor by a line that loses messages.

    Args:
        device: an open client of a device that delineates (`DeviceInfo.delineates`).
        classes: keep the class of every sample to be read; else events alone.
        after_bazett: QTc after Bazett in place of Fridericia.

    Attributes:
        info: what the device told about the stream.
        position: raw samples given so far, those that were lost included.
        ticks: device time for all of them, from filter to events.

    Raises:
        LinkError: the device has no stream; it does not answer, with an error, or as no right device does. All methods
            raise it, too.
    """

    def __init__(self, device: DeviceClient, *, classes: bool = True, after_bazett: bool = False) -> None:
        if not device.info.delineates:
            raise LinkError(
                "The device has no stream.",
                f"Its model {device.info.model_name} takes frames, or int8 inputs.",
                "Build and flash the firmware for a model of a stream.",
            )
        self._transport = device.transport
        self._parts = Parts(self._transport)
        self._samples_of = device.info.samples_of
        self._chunk = room(Command.FEED, device.info.payload_max) // 2
        options = (StartOptions.CLASSES if classes else 0) | (StartOptions.BAZETT if after_bazett else 0)
        self.info = StreamInfo(**self._ask(Command.START, {"options": int(options)}))
        if self.info.event_bytes != EVENT_BYTES or not self.info.event_room or not self.info.class_room:
            raise wrong_answer("START", f"events have {EVENT_BYTES} bytes and room, it tells {self.info}")
        payload = device.info.payload_max
        self._events = _queue(Command.EVENTS, "events", EVENT_BYTES, payload, self.info.event_room)
        self._classes = _queue(Command.CLASSES, "classes", 1, payload, self.info.class_room) if classes else None
        self.position = self.ticks = 0
        self._samples = self._since_gap = 0

    def push(self, samples: npt.NDArray[np.int16]) -> Iterator[Results]:
        """Gives samples and yields what comes of them in the meantime, at the end everything that waits.

        Args:
            samples: int16 [n], 1 LSB = 1 microvolt, LEAD_OFF for no contact; any number of them.
        """
        start = 0
        while start < samples.size:
            data = np.ascontiguousarray(samples[start : start + self._chunk], dtype="<i2").tobytes()
            taken, answer = self._parts.feed(self.position, data, self._progress)
            for queue in self._queues:
                queue.acknowledged = queue.read
            self._hear(Command.FEED, answer)
            self.position += taken
            self._since_gap += taken
            start += taken
            self.ticks += answer["ticks"] if answer else 0
            if answer is None or self._should_read(answer) or start >= samples.size:
                yield from self._read(must=not taken)

    def gap(self, gap: Gap) -> Iterator[Results]:
        """Says that samples are missing here; the next sample starts anew, at the right time."""
        kind = LossKind.OVERRUN if gap.overrun else LossKind.GAP
        lost = gap.samples
        while lost > 0:
            # More than fit one request are told in parts.
            part = min(lost, _WRAP)
            request = {"first_index": self.position & _WRAP, "samples": part, "cause": int(kind)}
            yield from self._with_room(Command.GAP, request)
            self.position += part
            lost -= part
            self._close_part()
        yield from self._read()

    def finish(self) -> Iterator[Results]:
        """Ends the stream and yields the results that are left.

        Raises:
            WrongAnswerError: the device does not come to an end, or has another number of classes than samples.
        """
        yield from self._with_room(Command.FINISH, {"first_index": self.position & _WRAP})
        self._close_part()
        for queue in self._queues:
            queue.may_end = True
        while not self._is_through():
            yield from self._read(must=True)
        if self._classes and self._classes.read != self._samples:
            detail = f"it has {self._classes.read} classes of {self._samples} samples at 100 Hz"
            raise wrong_answer("CLASSES", detail)

    @property
    def _queues(self) -> list[_Queue]:
        return [queue for queue in (self._events, self._classes) if queue]

    def _hear(self, command: Command, answer: dict[str, Any] | None) -> None:
        """Compares what was made, as an answer tells it, with what was told before; None: nobody heard the answer.

        A device that took everything and has room for more has made all that there is to make: what EVENTS and CLASSES
        tell next is the same. It is not where results wait for room, which they get while others are read.
        """
        for queue in self._queues:
            queue.is_settled = False
        if answer is None:
            return
        if self._classes is None and answer["classes_made"]:
            raise wrong_answer(command.name, f"classes_made is {answer['classes_made']}, and none are wanted")
        has_room = [queue.hear(command, answer[f"{queue.field}_made"]) for queue in self._queues]
        for queue in self._queues:
            queue.is_settled = all(has_room) and not answer.get("flags", 0)

    def _close_part(self) -> None:
        self._samples += self._samples_of(self._since_gap)
        self._since_gap = 0

    def _should_read(self, answer: dict[str, Any]) -> bool:
        """Half of the room is taken: reading by halves keeps a device from ever being full."""
        events = (answer["events_made"] - self._events.read) & _WRAP
        classes = (answer["classes_made"] - self._classes.read) & _WRAP if self._classes else 0
        is_full = bool(answer["flags"] & StreamFlags.FULL)
        return is_full or 2 * events >= self.info.event_room or 2 * classes >= self.info.class_room

    def _is_through(self) -> bool:
        return self._events.is_through and (self._classes is None or self._classes.is_through)

    def _read(self, *, must: bool = False) -> Iterator[Results]:
        """Reads what waits; with `must` there has to be something, or the end."""
        # What is read is acknowledged, and makes room, with the next request only.
        for _ in range(2 if must else 1):
            first_event, first_class = self._progress
            classes = self._drain(self._classes) if self._classes else b""
            events = self._drain(self._events)
            if events or classes:
                yield Results(first_class, np.frombuffer(classes, dtype=np.uint8), first_event, events)
                return
            if self._is_through():
                return
        if must:
            raise wrong_answer("EVENTS", "the stream goes on neither with room for samples nor with results")

    def _drain(self, queue: _Queue) -> bytes:
        """Results of a kind until an answer has all that waited."""
        data = bytearray()
        while True:
            answer = self._parts.results(queue.command, queue.read, queue.size, queue.most)
            part = queue.take(answer)
            data += part
            self._check_count(queue)
            if not part or len(part) // queue.size < answer["asked"]:
                return bytes(data)

    def _check_count(self, queue: _Queue) -> None:
        """A device that never ends is no right one."""
        samples = self._samples + self._samples_of(self._since_gap)
        most = samples if queue is self._classes else _EVENTS_A_SAMPLE * samples + _EVENTS_BESIDE
        if queue.read > most:
            raise wrong_answer(queue.command.name, f"{queue.read} results came of {samples} samples at 100 Hz")

    def _with_room(self, command: Command, request: dict[str, Any]) -> Iterator[Results]:
        """Carries a request out as soon as the device has room for what comes of it."""
        while True:
            try:
                self._hear(command, self._ask(command, request))
                return
            except DeviceError as error:
                self._hear(command, None)
                if error.code != error_number("RESULTS_WAIT"):
                    raise
            before = self._progress
            yield from self._read(must=True)
            if self._progress == before:
                raise wrong_answer(command.name, "results are said to wait, and there are none")

    @property
    def _progress(self) -> tuple[int, int]:
        """Results read so far."""
        return self._events.read, self._classes.read if self._classes else 0

    def _ask(self, command: Command, values: dict[str, Any]) -> dict[str, Any]:
        message = BY_COMMAND[command]
        return unpack(message.answer, self._transport.request(command, pack(message.request, values)))


def _queue(command: Command, field: str, size: int, payload_max: int, places: int) -> _Queue:
    head = sum(part.least for part in BY_COMMAND[command].answer if part.layout)
    return _Queue(command, field, size, (payload_max - head) // size, places)


def delineate(
    device: DeviceClient,
    samples: npt.NDArray[np.int16] | Iterable[npt.NDArray[np.int16] | Gap],
    *,
    classes: bool = True,
    after_bazett: bool = False,
) -> Iterator[Results]:
    """Streams a record of any length through a device and yields what it finds, as early as it is known.

    Memory is bounded on both sides: samples are taken as they are needed, and each part of the results is given once.
    After each array of an iterable all that the device knows until then is yielded; an array of a whole record is sent
    at full speed, with results in between. The stream is ended when the samples are.

        with open_target("qemu", image, TargetOptions()) as running, running.connect() as device:
            for part in delineate(device, samples):
                for event in part.unpacked():
                    ...

    Args:
        device: an open client of a device that delineates (`DeviceInfo.delineates`), of a running target.
        samples: int16 [n] raw samples at the device's input rate (`DeviceInfo.input_rate`), 1 LSB = 1 microvolt,
            LEAD_OFF for no contact; or any number of such arrays, and Gaps between them.
        classes: also yield the class of every sample at 100 Hz.
        after_bazett: QTc after Bazett in place of Fridericia.

    Raises:
        LinkError: the device has no stream, does not answer, or as no right device does (WrongAnswerError).
        DeviceError: it answered with an error, such as after a restart.
    """
    stream = DeviceStream(device, classes=classes, after_bazett=after_bazett)
    for part in (samples,) if isinstance(samples, np.ndarray) else samples:
        yield from stream.gap(part) if isinstance(part, Gap) else stream.push(part)
    yield from stream.finish()
