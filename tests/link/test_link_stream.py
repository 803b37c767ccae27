"""A stream through the firmware's application: equal to Python in any chunks, on bad lines, with gaps and full rings.

The image is the one of the board `host`, built with ASan and UBSan; its port is a pair of pipes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg import paths
from ecgseg.errors import DeviceError, LinkError
from ecgseg.hil.faults import FaultPlan, FaultyPort
from ecgseg.hil.stream_reference import Answers
from ecgseg.image.build import Image
from ecgseg.link import DeviceClient, Port, WrongIndexError
from ecgseg.link.description import description
from ecgseg.link.error_table import error_number
from ecgseg.link.messages import BY_COMMAND, pack, unpack
from ecgseg.link.numbers import Command, StreamFlags
from ecgseg.link.stream import DeviceStream, Gap, Results, delineate
from ecgseg.pipeline.delineator import Delineator
from ecgseg.pipeline.events import EVENT_BYTES, Event, EventKind
from support.delineator_model import AHEAD, delineator_model
from support.frame_wire import FrameWire
from support.pipe_port import PipePort, ending_well
from support.stream_images import ecg, noisy_ecg, reference, stream_image

Samples = npt.NDArray[np.int16]


@pytest.fixture(scope="module")
def image() -> Image:
    return stream_image()


def connected(port: Port) -> DeviceClient:
    client = DeviceClient(port, answer_seconds=0.5)
    client.hello()
    return client


def joined(parts: Iterable[Results]) -> Answers:
    """All results, which have to follow each other without a hole."""
    classes, events = [np.zeros(0, np.uint8)], b""
    for part in parts:
        assert part.first_class == sum(map(len, classes))
        assert part.first_event * EVENT_BYTES == len(events)
        classes.append(part.classes)
        events += part.events
    return Answers(np.concatenate(classes), events)


def assert_equal(found: Answers, wanted: Answers) -> None:
    assert found.classes.tobytes() == wanted.classes.tobytes()
    assert found.events == wanted.events


def kinds(answers: Answers) -> set[int]:
    return {event.kind for event in Results(0, answers.classes, 0, answers.events).unpacked()}


def test_a_record_at_full_speed_equals_the_reference(image: Image) -> None:
    wanted = reference().expect(ecg())
    assert EventKind.BEAT in kinds(wanted)
    with ending_well(PipePort(image.elf)) as port:
        device = connected(port)
        assert device.info.delineates
        assert (device.info.hop, device.info.frame_length, device.info.class_count) == (0, 0, 4)
        stream = DeviceStream(device)
        assert stream.info.look_ahead == AHEAD
        # One after the other on one device, each from its start.
        for _ in range(2):
            assert_equal(joined(delineate(device, ecg())), wanted)
        assert device.counters.retries == 0


def test_chunks_of_any_size_give_the_same_and_early(image: Image) -> None:
    raw = noisy_ecg(20)
    wanted = reference().expect(raw)
    rng = np.random.default_rng(4)
    cuts = np.cumsum(rng.choice([1, 2, 7, 64, 500, 900], 300))
    with ending_well(PipePort(image.elf)) as port:
        parts = list(delineate(connected(port), np.split(raw, cuts[cuts < raw.size])))
    assert_equal(joined(parts), wanted)
    # Not at the end alone: what was known after half of the chunks is there.
    half = sum(part.classes.size for part in parts[: len(parts) // 2])
    assert wanted.classes.size // 4 < half < wanted.classes.size


def test_events_alone_need_no_classes(image: Image) -> None:
    raw = noisy_ecg(30)
    with ending_well(PipePort(image.elf)) as port:
        parts = list(delineate(connected(port), raw, classes=False))
    assert not any(part.classes.size for part in parts)
    assert b"".join(part.events for part in parts) == reference().expect(raw).events


def test_a_gap_and_an_overrun_are_told_and_the_time_goes_on(image: Image) -> None:
    first, second, third = np.split(noisy_ecg(30, seed=2), [4321, 9000])
    twin = Delineator(delineator_model())
    told = [twin.push(first), twin.gap(777), twin.push(second), twin.overrun(5), twin.push(third), twin.end()]
    wanted = Answers(
        np.concatenate([part.classes for part in told]),
        b"".join(event.pack() for part in told for event in part.events),
    )
    with ending_well(PipePort(image.elf)) as port:
        found = joined(delineate(connected(port), [first, Gap(777), second, Gap(5, overrun=True), third]))
    assert_equal(found, wanted)
    assert {EventKind.GAP, EventKind.OVERRUN} <= kinds(found)


def ask(device: DeviceClient, command: Command, **values: object) -> dict[str, object]:
    message = BY_COMMAND[command]
    return unpack(message.answer, device.transport.request(command, pack(message.request, values)))


def error_of(device: DeviceClient, command: Command, **values: object) -> int:
    with pytest.raises(DeviceError) as caught:
        ask(device, command, **values)
    return caught.value.code


def test_a_device_takes_no_more_than_it_has_room_for_and_loses_nothing(image: Image) -> None:
    raw = np.tile(ecg(), 3)
    wanted = reference().expect(raw)
    with ending_well(PipePort(image.elf)) as port:
        device = connected(port)
        told = ask(device, Command.START, options=1)
        seen, full = 0, False
        while not full and seen < raw.size:
            part = raw[seen : seen + 500].tobytes()
            answer = ask(device, Command.FEED, first_index=seen, events_read=0, classes_read=0, samples=part)
            seen, full = int(str(answer["samples_seen"])), bool(int(str(answer["flags"])) & StreamFlags.FULL)
        assert full
        assert int(str(answer["classes_made"])) <= int(str(told["class_room"]))
        # Nobody reads: it stays so, also when it is to end.
        again = ask(device, Command.FEED, first_index=seen, events_read=0, classes_read=0, samples=part)
        assert again["samples_seen"] == seen
        assert error_of(device, Command.FINISH, first_index=seen) == error_number("RESULTS_WAIT")
        gap = {"first_index": seen, "samples": 5, "cause": 0}
        assert error_of(device, Command.GAP, **gap) == error_number("RESULTS_WAIT")
        # The same question has the same answer until it is acknowledged.
        first = ask(device, Command.CLASSES, first=0, most=100)
        assert ask(device, Command.CLASSES, first=0, most=100) == first
        assert bytes(first["classes"]) == wanted.classes[:100].tobytes()  # type: ignore[call-overload]
        later = ask(device, Command.CLASSES, first=40, most=60)
        assert bytes(later["classes"]) == wanted.classes[40:100].tobytes()  # type: ignore[call-overload]
        assert later["crc"] == first["crc"]
        assert error_of(device, Command.CLASSES, first=39, most=60) == error_number("OUT_OF_RANGE")
        assert error_of(device, Command.EVENTS, first=1 << 31, most=1) == error_number("OUT_OF_RANGE")


def test_what_makes_no_sense_is_an_error_and_changes_nothing(image: Image) -> None:
    with ending_well(PipePort(image.elf)) as port:
        device = connected(port)
        fed = {"events_read": 0, "classes_read": 0, "samples": bytes(200)}
        assert error_of(device, Command.FEED, first_index=0, **fed) == error_number("NOT_STREAMING")
        assert error_of(device, Command.FINISH, first_index=0) == error_number("NOT_STREAMING")
        assert error_of(device, Command.START, options=4) == error_number("BAD_ARGUMENT")
        ask(device, Command.START, options=1)
        with pytest.raises(WrongIndexError) as caught:
            ask(device, Command.FEED, first_index=1, **fed)
        assert caught.value.expected == 0
        assert error_of(device, Command.FEED, first_index=0, **fed | {"samples": bytes(3)}) == error_number(
            "BAD_LENGTH"
        )
        assert error_of(device, Command.FEED, first_index=0, **fed | {"events_read": 1}) == error_number("OUT_OF_RANGE")
        assert error_of(device, Command.GAP, first_index=0, samples=0, cause=0) == error_number("BAD_ARGUMENT")
        assert error_of(device, Command.GAP, first_index=0, samples=1, cause=2) == error_number("BAD_ARGUMENT")
        for command in (Command.PUSH, Command.FRAME, Command.INFER, Command.LAYER):
            payload = bytes(BY_COMMAND[command].smallest)
            with pytest.raises(DeviceError) as refused:
                device.transport.request(command, payload)
            assert refused.value.code == error_number("UNKNOWN_COMMAND")
        assert_equal(joined(delineate(device, ecg())), reference().expect(ecg()))


def test_no_request_whatever_it_holds_breaks_a_stream(image: Image) -> None:
    rng = np.random.default_rng(6)
    commands = [Command.START, Command.FEED, Command.EVENTS, Command.CLASSES, Command.GAP, Command.FINISH]
    answered = 0
    with ending_well(PipePort(image.elf)) as port:
        device = connected(port)
        for _ in range(400):
            command = Command(rng.choice(commands, p=[0.1, 0.4, 0.15, 0.15, 0.1, 0.1]))
            message = BY_COMMAND[command]
            payload = rng.integers(0, 256, message.smallest, np.uint8).tobytes()
            if command == Command.FEED:
                payload += rng.integers(0, 256, 2 * int(rng.integers(0, 500)), np.uint8).tobytes()
            # Half of the numbers are what the device expects, or near it.
            if rng.random() < 0.7:
                payload = int(rng.integers(0, 3)).to_bytes(4, "little")[: message.smallest] + payload[4:]
            if command == Command.FEED and rng.random() < 0.7:
                payload = payload[:4] + bytes(8) + payload[12:]
            try:
                unpack(message.answer, device.transport.request(command, payload))
                answered += 1
            except WrongIndexError as error:
                feed = {"first_index": error.expected, "events_read": 0, "classes_read": 0, "samples": bytes(400)}
                with suppress(DeviceError):
                    ask(device, Command.FEED, **feed)
            except DeviceError:
                continue
        assert answered > 50
        assert_equal(joined(delineate(device, ecg())), reference().expect(ecg()))


def test_an_image_of_frames_knows_no_stream_and_the_client_says_so() -> None:
    from ecgseg.image.backends import render_and_build
    from ecgseg.models import find_model

    with ending_well(PipePort(render_and_build("host", find_model()).elf)) as port:
        device = connected(port)
        with pytest.raises(LinkError, match="no stream"):
            DeviceStream(device)
        with pytest.raises(DeviceError) as caught:
            device.transport.request(Command.START, b"\0")
        assert caught.value.code == error_number("UNKNOWN_COMMAND")


def test_lost_and_repeated_messages_change_nothing(image: Image) -> None:
    raw = noisy_ecg(20)
    count = 0

    def every_fifth_is_lost(body: bytes) -> list[bytes]:
        nonlocal count
        count += 1
        return [] if count % 5 == 0 else [body, body] if count % 7 == 0 else [body]

    with ending_well(PipePort(image.elf)) as port:
        wire = FrameWire(port, to_device=every_fifth_is_lost)
        device = DeviceClient(wire, answer_seconds=0.02, attempts=12)
        device.hello()
        found = joined(delineate(device, raw))
        assert device.counters.retries > 5
    assert_equal(found, reference().expect(raw))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_bad_line_changes_nothing(image: Image, seed: int) -> None:
    raw = noisy_ecg(20, seed)
    plan = FaultPlan(drop=5e-4, flip=5e-4, duplicate=5e-4)
    with ending_well(PipePort(image.elf)) as port:
        device = connected(FaultyPort(port, to_device=plan, to_host=plan, seed=seed))
        found = joined(delineate(device, raw))
        assert device.counters.retries
    assert_equal(found, reference().expect(raw))


def test_a_restart_in_mid_stream_says_so(image: Image) -> None:
    with ending_well(PipePort(image.elf)) as port:
        device = connected(port)
        stream = DeviceStream(device)
        list(stream.push(ecg()[:2000]))
        device.restart()
        with pytest.raises(DeviceError) as caught:
            list(stream.push(ecg()[2000:]))
        assert caught.value.code == error_number("NOT_STREAMING")
        assert_equal(joined(delineate(device, ecg())), reference().expect(ecg()))


def test_an_event_is_on_the_wire_as_in_memory() -> None:
    record = description().records["EVENT"]
    assert [field.name for field in record.fields] == list(Event.__dataclass_fields__)
    event = Event(*range(1, 1 + len(record.fields)))
    assert event.pack() == pack(record.fields, asdict(event))
    assert len(event.pack()) == record.size == EVENT_BYTES


def test_a_third_of_the_room_is_enough_for_what_is_made_at_once() -> None:
    """Else a device with more room than that could still have something to make (docs/protocol.md, section 4)."""
    firmware = paths.ROOT / "firmware"
    application = (firmware / "programs" / "app" / "app_delineator.c").read_text(encoding="utf-8")
    delineator = (firmware / "pipeline" / "include" / "ecgseg_delineator.h").read_text(encoding="utf-8")

    def number(pattern: str, text: str) -> int:
        found = re.search(rf"^#define {pattern}", text, re.MULTILINE)
        assert found
        return int(found[1])

    at_once = number(r"ECGSEG_DELINEATOR_ANSWERS (\d+)u$", delineator)
    at_once += number(r"CLASSES_AT_ONCE \(ECGSEG_DELINEATOR_ANSWERS \+ (\d+)u\)$", application)
    assert 3 * at_once <= number(r"CLASS_ROOM (\d+)u$", application)
    assert number(r"EVENT_ROOM (\d+)u$", application) >= 3
