"""Every kind of rogue device with a stream gets its verdict, with JSON and HTML, in bounded time: no answer of it ends
in a traceback, a loop, or a size that is believed."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from ecgseg.errors import ModelError
from ecgseg.hil.stream_runner import require_stream
from ecgseg.link.error_table import error_number
from ecgseg.link.numbers import Command
from ecgseg.models import find_model
from ecgseg.pipeline.events import EVENT_BYTES, Event
from hil.rogue_cli import HilTest
from hil.rogue_device import Answer, Hook, RogueDevice, flipped
from hil.rogue_rows import DIFFERS, INCOMPLETE, PASSES, REFUSED, both, changed, error, payload, silent
from hil.rogue_stream import RogueStream, stream_truth

ROW_SECONDS = 5.0


@dataclass(frozen=True)
class Row:
    """One kind: how it ends, what is said to it, and the device."""

    name: str
    ends: tuple[int, str | None]
    says: str
    make: Callable[[], RogueStream]


def hooked(hook: Hook) -> Callable[[], RogueStream]:
    return lambda: RogueStream(hook=hook)


def holding(**values: object) -> Callable[[], RogueStream]:
    """A device that has other results, and is consistent about it."""

    def make() -> RogueStream:
        device = RogueStream()
        for name, value in values.items():
            setattr(device, name, value)
        return device

    return make


def results(command: Command, change: Callable[[bytes], bytes]) -> Hook:
    """Answers of one kind have other bytes than their CRC says."""
    field = command.name.lower()

    def hook(device: RogueDevice, answer: Answer) -> Answer:
        if answer.command != command:
            return answer
        return replace(answer, values=answer.values | {field: change(answer.values[field])})

    return hook


def endless(device: RogueDevice, answer: Answer) -> Answer:
    """Events without end, each of them well counted and added up."""
    if answer.command in (Command.FEED, Command.FINISH):
        return replace(answer, values=answer.values | {"events_made": 1 << 20})
    if answer.command != Command.EVENTS:
        return answer
    first = answer.request["first"]
    data = bytes(EVENT_BYTES) * 20
    crc = zlib.crc32(bytes(EVENT_BYTES) * (first + 20))
    return replace(answer, values={"made": 1 << 20, "crc": crc, "flags": 0, "events": data})


def never_takes(device: RogueDevice, answer: Answer) -> Answer:
    if answer.command != Command.FEED:
        return answer
    return replace(answer, values=answer.values | {"samples_seen": 0, "flags": 1, "events_made": 0, "classes_made": 0})


def beats() -> list[Event]:
    data = stream_truth().answers.events
    return [Event.unpack(data[at : at + EVENT_BYTES]) for at in range(0, len(data), EVENT_BYTES)]


def packed(events: list[Event]) -> bytes:
    return b"".join(event.pack() for event in events)


def results_rows() -> Iterator[Row]:
    classes = stream_truth().answers.classes
    other = classes.copy()
    other[137] = (other[137] + 2) % 4
    yield Row("a-class", DIFFERS, "class of sample 137 (1.37 s) is", holding(classes=other.tobytes()))
    yield Row("no-class", DIFFERS, "no class (200)", holding(classes=np.full_like(classes, 200).tobytes()))
    events = beats()
    late = packed([events[0], replace(events[1], qt_ms=events[1].qt_ms + 5), *events[2:]])
    yield Row("an-event", DIFFERS, f"has qt_ms {events[1].qt_ms + 5}, Python {events[1].qt_ms}", holding(events=late))
    no_kind = packed([replace(event, kind=77) for event in events])
    yield Row("no-kind", DIFFERS, "has kind 77", holding(events=no_kind))
    far = packed([replace(event, tick=2**63) for event in events])
    yield Row("far-away", DIFFERS, "has tick 9223372036854775808", holding(events=far))
    yield Row("event-missing", DIFFERS, "is missing on the device", holding(events=packed(events[:-1])))
    more = packed([*events, events[-1]])
    yield Row("event-too-many", DIFFERS, "that the device should not have", holding(events=more))
    yield Row("class-missing", DIFFERS, "classes of 1000 samples", holding(classes=classes[:-1].tobytes()))
    yield Row("class-too-many", DIFFERS, "results came of 1000", holding(classes=bytes(2000)))
    yield Row("never-ends", DIFFERS, "goes on neither", holding(ends=False))


def answer_rows() -> Iterator[Row]:
    for command in (Command.EVENTS, Command.CLASSES):
        name = command.name.lower()
        crc = results(command, lambda data: flipped(data, 0) if data else data)
        yield Row(f"{name}-crc", DIFFERS, "add up to", hooked(crc))
        yield Row(
            f"{name}-too-many", DIFFERS, "bytes came", hooked(results(command, lambda data: data + bytes(EVENT_BYTES)))
        )
        yield Row(f"{name}-none", DIFFERS, "nothing came", hooked(results(command, lambda data: b"")))
        yield Row(f"{name}-flags", DIFFERS, "unknown bits", hooked(changed(command, flags=0x82)))
        more = {"made": lambda made: made + (1 << 30)}
        made = {f"{name}_made": more["made"]}
        told = both(changed(Command.FEED, **made), changed(Command.FINISH, **made))
        yield Row(f"{name}-made", DIFFERS, "nothing came", hooked(both(told, changed(command, **more))))
        yield Row(
            f"{name}-made-alone", DIFFERS, f"The answer to {command.name} is not one", hooked(changed(command, **more))
        )
        fewer = changed(Command.FEED, at=2, **{f"{name}_made": 0xFFFFFFFF})
        yield Row(f"{name}-made-less", DIFFERS, "_made is 4294967295, and was", hooked(fewer))
        for told_by in (Command.FEED, Command.FINISH):
            other = changed(told_by, **{f"{name}_made": lambda made: made ^ 1})
            row = f"{told_by.name.lower()}-{name}-made-one-other"
            yield Row(row, DIFFERS, "is not one that a right device gives", hooked(other))
        yield Row(f"{name}-short", DIFFERS, "ends in the field", hooked(payload(command, lambda data: data[:5])))
        yield Row(f"{name}-error", INCOMPLETE, "refused", hooked(error(command, error_number("OUT_OF_RANGE"))))
        yield Row(f"{name}-silent", INCOMPLETE, "does not answer", hooked(silent(command)))
    yield Row("events-cut", DIFFERS, "bytes came", hooked(results(Command.EVENTS, lambda data: data[:-1])))
    yield Row("events-endless", DIFFERS, "results came of", hooked(endless))
    yield Row("feed-takes-nothing", DIFFERS, "results came of 0 samples", hooked(never_takes))
    for values, says in (
        ({"samples_seen": lambda seen: seen + 1}, "samples_seen is"),
        ({"samples_seen": lambda seen: seen - 1}, "has the flags"),
        ({"flags": 1}, "has the flags 0x1"),
        ({"flags": 8}, "has the flags 0x8"),
        ({"ticks": 0xFFFFFFFF}, "s of work"),
    ):
        (name,) = values
        yield Row(f"feed-{name}-{says[:12]}", DIFFERS, says, hooked(changed(Command.FEED, **values)))
    yield Row("ends-too-early", DIFFERS, "a stream that goes on", hooked(changed(Command.CLASSES, flags=2)))
    again = error_number("RESULTS_WAIT")
    yield Row("finish-waits-for-ever", DIFFERS, "a stream that goes on", hooked(error(Command.FINISH, again)))
    for command in (Command.START, Command.FEED, Command.FINISH):
        failed = error(command, error_number("ENGINE_FAILED"))
        yield Row(f"{command.name.lower()}-fails", INCOMPLETE, "refused", hooked(failed))
        yield Row(f"{command.name.lower()}-silent", INCOMPLETE, "does not answer", hooked(silent(command)))
    gone = error(Command.FEED, error_number("NO_SESSION"), at=3)
    yield Row("restarts", INCOMPLETE, "restarted in the middle", hooked(gone))


def told_rows() -> Iterator[Row]:
    for name, value, says in (
        ("look_ahead", 7, "look_ahead is 7"),
        ("block", 1, "block is 1"),
        ("state_bytes", 5, "state_bytes is 5"),
        ("memory_bytes", 1, "memory_bytes is 1"),
        ("event_bytes", 47, "48 bytes"),
        ("event_room", 0, "event_room=0"),
        ("class_room", 0, "class_room=0"),
    ):
        yield Row(f"start-{name}", DIFFERS, says, hooked(changed(Command.START, **{name: value})))
    for name, value, says in (
        ("hop", 250, "contradicts itself"),
        ("class_count", 3, "contradicts itself"),
        ("frame_length", 250, "contradicts itself"),
        ("factor", 1, "another factor"),
        ("macs", 1, "macs is 1"),
        ("delay", 3, "delay is 3"),
    ):
        yield Row(f"hello-{name}", DIFFERS, says, hooked(changed(Command.HELLO, **{name: value})))
    for name, value, *all_says in (
        ("model_sha256", bytes(32), "HELLO: model_sha256 is 0000", "runs another model", "flash the firmware for this"),
        (
            "backend",
            "tflm",
            "HELLO: backend is tflm, known is aot",
            "another backend: tflm",
            "`invoke flash --backend aot`",
        ),
        ("protocol_version", 2, "version 2 of the protocol, this host version 1", "Build and flash the firmware again"),
    ):
        for at, says in enumerate(all_says):
            yield Row(f"hello-{name}-{at}", DIFFERS, says, hooked(changed(Command.HELLO, **{name: value})))
    # What contradicts itself is compared all the same, field by field.
    contradicts = both(changed(Command.HELLO, hop=250), changed(Command.HELLO, macs=1))
    for says in ("contradicts itself", "HELLO: hop is 250, known is 0", "HELLO: macs is 1"):
        yield Row(f"hello-contradiction-{says[-9:]}", DIFFERS, says, hooked(contradicts))
    for name, value in (
        ("board", "qemu"),
        ("build_id", "fedcba9876543210"),
        ("model_name", "another"),
        ("backend", "b"),
    ):
        yield Row(
            f"tells-{name}", DIFFERS, f"HELLO: {name} is {value}", hooked(changed(Command.HELLO, **{name: value}))
        )
    yield Row("hello-refused", REFUSED, "The device refused HELLO: error 6", hooked(error(Command.HELLO, 6)))
    yield Row("right", PASSES, "every byte of the device equals Python", RogueStream)


ROWS = [*results_rows(), *answer_rows(), *told_rows()]


@pytest.fixture
def hil(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> HilTest:
    return HilTest(monkeypatch, capsys, tmp_path, is_stream=True)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_rogue_stream_gets_its_verdict_with_json_and_html(hil: HilTest, row: Row) -> None:
    started = time.monotonic()
    outcome = hil(row.make())
    assert time.monotonic() - started < ROW_SECONDS
    said = re.sub(r"\s+", " ", outcome.text)
    assert row.says in said, said
    assert (outcome.code, outcome.verdict) == row.ends, said
    assert "Traceback" not in outcome.text
    assert (outcome.page != "") == (outcome.result is not None)
    if row.ends == PASSES:
        assert outcome.result is not None
        assert outcome.result["mismatched_bytes"] == 0
        assert outcome.result["scores"] is not None


def test_what_differs_stands_first_on_page_and_terminal(hil: HilTest) -> None:
    row = next(row for row in ROWS if row.name == "an-event")
    outcome = hil(row.make())
    assert outcome.text.index("qt_ms") < outcome.text.index("Model")
    assert outcome.page.index("qt_ms") < outcome.page.index("bytes compared")
    assert outcome.result is not None
    (found,) = outcome.result["mismatches"]  # type: ignore[misc]
    assert (found["compared"], found["number"], found["differing_bytes"]) == ("event", 1, 1)
    assert "--records 3 --leads ii" in found["again"]


def test_a_model_of_frames_is_refused_in_words() -> None:
    with pytest.raises(ModelError, match="is none of a stream"):
        require_stream(find_model())
