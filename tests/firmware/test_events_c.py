"""Events in C, under ASan and UBSan, against their twin in Python: every byte of every event equal."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from ecgseg.codegen.parameters import render_c_header
from ecgseg.image.boards import HOST, MPS2_AN386, board_of
from ecgseg.image.programs import ENGINE_PART, PIPELINE_PART
from ecgseg.pipeline import LEAD_OFF, PreprocessParameters
from ecgseg.pipeline.beats import BeatFinder
from ecgseg.pipeline.events import EVENT_BYTES, Event, EventKind
from ecgseg.pipeline.faint import FAINT_P
from ecgseg.pipeline.intervals import bazett, fridericia
from support import drivers
from support.few_beats import DOUBTED_BEATS, FEW_BEATS
from support.streams_of_classes import (
    Classes,
    anything,
    beats,
    spoilt,
    without_t,
)

PARTS = ("events", "beats", "confirm", "faint", "known", "rhythm", "shapes", "waves", "intervals")
SOURCES = [PIPELINE_PART.source_dir / f"ecgseg_{name}.c" for name in PARTS]
LOSSES = {b"g": EventKind.GAP, b"o": EventKind.OVERRUN}


def compiler(board: str, folder: Path) -> drivers.Compiler:
    (folder / "ecgseg_preprocess_params.h").write_text(render_c_header(PreprocessParameters(), "test"))
    return drivers.Compiler(board_of(board), (PIPELINE_PART.include_dir, ENGINE_PART.include_dir, folder))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    return compiler(HOST, folder).link([*SOURCES, drivers.FOLDER / "events_driver.c"], folder / "driver")


def command(letter: bytes, stream: int, value: int = 0, options: int = 0) -> bytes:
    return struct.pack("<cBBQ", letter, stream, options, value)


def push(stream: int, classes: Classes, part: slice) -> bytes:
    labels, samples = classes.labels[part], classes.samples[part]
    return command(b"p", stream, labels.size) + labels.tobytes() + samples.astype("<i2").tobytes()


def run(program: Path, script: bytes) -> dict[int, list[bytes]]:
    """The events that the program writes, by stream."""
    done = subprocess.run([program], input=script, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    found: dict[int, list[bytes]] = {0: [], 1: []}
    assert len(done.stdout) % (EVENT_BYTES + 1) == 0
    for at in range(0, len(done.stdout), EVENT_BYTES + 1):
        found[done.stdout[at]].append(done.stdout[at + 1 : at + 1 + EVENT_BYTES])
    return found


class Twin:
    """Obeys the same commands."""

    def __init__(self, first_tick: int = 0, *, after_bazett: bool = False) -> None:
        self._finder = BeatFinder(first_tick, after_bazett=after_bazett)
        self.events: list[bytes] = []

    def fetch(self) -> None:
        while event := self._finder.next():
            self.events.append(event.pack())

    def push(self, classes: Classes, part: slice = slice(None)) -> None:
        for label, sample in classes.pairs()[part]:
            if not self._finder.push(label, sample):
                self.fetch()
                assert self._finder.push(label, sample)

    def lose(self, kind: EventKind, ticks: int) -> None:
        next_tick = self._finder.tick + ticks
        if not self._finder.lose(kind, ticks, next_tick):
            self.fetch()
            assert self._finder.lose(kind, ticks, next_tick)

    def end(self) -> list[bytes]:
        if not self._finder.end():
            self.fetch()
            assert self._finder.end()
        self.fetch()
        return self.events


def chunks(length: int, seed: int) -> list[slice]:
    rng = np.random.default_rng(seed)
    parts, at = [], 0
    while at < length:
        size = int(rng.choice([1, 3, 16, 100, 999]))
        parts.append(slice(at, min(at + size, length)))
        at += size
    return parts


def scripted(stream: int, classes: Classes, seed: int, first_tick: int, options: int = 0) -> list[bytes]:
    """A stream in chunks, with now and then a fetch."""
    rng = np.random.default_rng(seed)
    parts = []
    for part in chunks(classes.labels.size, seed):
        parts.append(push(stream, classes, part) + (command(b"f", stream) if rng.random() < 0.5 else b""))
    return [command(b"i", stream, first_tick, options), *parts, command(b"e", stream)]


@pytest.mark.parametrize("first_tick", [0, 2**32 - 2500, 2**33 - 2001, 2**40 + 1])
def test_every_byte_is_the_twins_however_samples_come_and_events_go(program: Path, first_tick: int) -> None:
    for seed in range(25):
        classes = anything(seed)
        twin = Twin(first_tick, after_bazett=seed % 2 == 1)
        twin.push(classes)
        assert run(program, b"".join(scripted(0, classes, seed, first_tick, seed % 2)))[0] == twin.end(), seed


def test_every_kind_of_event_and_every_field_is_among_them(program: Path) -> None:
    events = [Event.unpack(data) for seed in range(80) for data in twin_of(anything(seed))]
    assert {event.kind for event in events} == set(EventKind) - {EventKind.GAP, EventKind.OVERRUN}
    found = {event.flags for event in events if event.kind == EventKind.BEAT}
    assert {bit for flags in found for bit in range(7) if flags >> bit & 1} == {0, 1, 2, 3, 4, 5}
    assert len(found) > 10
    assert len({event.r_fine for event in events}) == 16
    assert [event.number for event in [Event.unpack(data) for data in twin_of(anything(3))]] == list(
        range(len(twin_of(anything(3))))
    )


def twin_of(classes: Classes) -> list[bytes]:
    twin = Twin()
    twin.push(classes)
    return twin.end()


def test_p_waves_that_the_rhythm_speaks_against_are_dropped_alike(program: Path) -> None:
    """Beats more or less irregular, with more or less P waves, of which some are dropped and some are kept."""
    kept = dropped = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        onsets = np.cumsum([60, *(80 * np.exp(rng.normal(0, 0.03 * seed, 40))).astype(int) + 20]).tolist()
        classes = beats(onsets, onsets[-1] + 100, p=False)
        for onset in onsets:
            if rng.random() < 0.1 + 0.2 * (seed % 4):
                first = onset - int(rng.integers(10, 40))
                classes.labels[first : first + 6] = 1
        expected = twin_of(classes)
        assert run(program, b"".join(scripted(0, classes, seed, 0)))[0] == expected, seed
        told = sum(Event.unpack(data).flags & 3 == 3 for data in expected)
        kept += told
        dropped += int(np.count_nonzero(np.diff((classes.labels == 1).astype(np.int8)) == 1)) - told
    assert min(kept, dropped) > 20


def test_faint_p_waves_more_or_less_in_place_are_found_alike(program: Path) -> None:
    """Beats whose P waves are faint, or not there, at places that scatter more and more: all are found, some, none."""
    told = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        onsets = np.cumsum([60, *rng.integers(80, 84, 40)]).tolist()
        classes = beats(onsets, onsets[-1] + 100, p=False)
        for onset in onsets:
            first = onset - int(np.clip(rng.normal(20, seed), 12, 38))
            length = int(rng.choice([2, 9, 11, 13, 26], p=[0.1, 0.25, 0.3, 0.3, 0.05]))
            # A wave of both kinds, as at its top, and now and then one of another sample in between.
            classes.labels[first : min(first + length, onset)] = rng.choice([0, 1, FAINT_P], p=[0.1, 0.2, 0.7])
            classes.labels[first + 2] = rng.choice([0, 1, FAINT_P])
        expected = twin_of(classes)
        assert run(program, b"".join(scripted(0, classes, seed, 0)))[0] == expected, seed
        told.append(sum(Event.unpack(data).flags & 3 == 3 for data in expected))
    assert told[0] > 25
    assert min(told) < 12


def test_complexes_more_or_less_alike_confirm_each_other_alike(program: Path) -> None:
    """Irregular beats without P waves whose heights scatter more and more: all are told, some, none."""
    told = []
    for seed in range(16):
        rng = np.random.default_rng(seed)
        onsets = np.cumsum([60, *(80 * np.exp(rng.normal(0, 0.3, 30))).astype(int) + 20]).tolist()
        classes = beats(onsets, onsets[-1] + 100, p=False, height=0)
        for onset in onsets:
            height = int(rng.choice([-1, 1]) * np.clip(800 * np.exp(rng.normal(0, 0.15 * seed)), 40, 30000))
            classes.samples[onset : onset + 9] += (height * np.hanning(9)).astype(np.int16)
        classes = without_t(classes, onsets[:: 4 + seed % 4])
        expected = twin_of(classes)
        assert run(program, b"".join(scripted(0, classes, seed, 0)))[0] == expected, seed
        told.append(len(expected))
    assert told[0] == 31
    assert min(told) < 10


@pytest.mark.parametrize(("classes", "told"), FEW_BEATS.values(), ids=FEW_BEATS)
def test_few_beats_confirm_each_other_alike(program: Path, classes: Classes, told: int) -> None:
    expected = twin_of(classes)
    assert run(program, b"".join(scripted(0, classes, 1, 0)))[0] == expected
    assert len(expected) == told


@pytest.mark.parametrize(("classes", "told"), DOUBTED_BEATS.values(), ids=DOUBTED_BEATS)
def test_beats_in_doubt_end_a_rhythm_alike(program: Path, classes: Classes, told: int) -> None:
    expected = twin_of(classes)
    assert run(program, b"".join(scripted(0, classes, 1, 0)))[0] == expected
    beats_told = [event for event in map(Event.unpack, expected) if event.kind == EventKind.BEAT]
    assert len(beats_told) == told


def test_beats_seen_from_the_side_confirm_each_other_alike(program: Path) -> None:
    """Complexes of all heights, to both sides, more and more irregular: all are told, or fewer."""
    told = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        onsets = np.cumsum([60, *(100 + rng.normal(0, 0.5 * seed, 20)).round().astype(int)]).tolist()
        classes = beats(onsets, onsets[-1] + 100, p=False, height=0)
        for onset in onsets:
            width, height = int(rng.integers(5, 18)), int(rng.choice([-1, 1]) * 300 * np.exp(rng.normal(0, 1)))
            classes.labels[onset : onset + 20] = 0
            classes.labels[onset : onset + width] = 2
            classes.samples[onset : onset + width] += (height * np.hanning(width)).astype(np.int16)
        expected = twin_of(classes)
        assert run(program, b"".join(scripted(0, classes, seed, 0)))[0] == expected, seed
        told.append(len(expected))
    assert max(told[:4]) == 21
    assert min(told) < 10


def test_rhythms_are_followed_through_noise_alike(program: Path) -> None:
    """Noise over beats that get more and more irregular: some are told in it, some are not."""
    told = []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        onsets = np.cumsum([60, *(80 * np.exp(rng.normal(0, 0.02 * seed, 60))).astype(int) + 20]).tolist()
        clean = beats(onsets, onsets[-1] + 100, height=0)
        for onset in onsets:
            clean.samples[onset : onset + 9] += (1000 * np.exp(rng.normal(0, 0.2)) * np.hanning(9)).astype(np.int16)
        where = slice(onsets[12], onsets[50])
        classes = spoilt(clean, where, seed)
        classes.labels[onsets[20] : onsets[20] + 350] = 0
        classes.samples[where] += rng.normal(0, 60, where.stop - where.start).astype(np.int16)
        expected = twin_of(classes)
        assert run(program, b"".join(scripted(0, classes, seed, 0)))[0] == expected, seed
        ticks = [Event.unpack(data).tick for data in expected if data[16] == EventKind.BEAT]
        told.append(sum(2 * onsets[25] < tick < 2 * where.stop for tick in ticks))
    assert max(told) > 20
    assert min(told) < 4


def test_what_is_known_of_a_rhythm_stays_old_when_samples_are_counted_anew(program: Path) -> None:
    """497 days after a rhythm the number of a sample is that of then: beats as it had them are no more than others."""
    rhythm = beats(list(range(60, 1000, 80)), 1000)
    quiet, bare = beats([], 70000), beats([60, 140, 220], 400, p=False, t=False)
    script = command(b"i", 0) + push(0, rhythm, slice(None)) + command(b"w", 0, 2**32 - 69000)
    for part in (slice(0, 35000), slice(35000, 70000)):
        script += push(0, quiet, part)
    found = run(program, script + push(0, bare, slice(None)) + command(b"e", 0))[0]
    assert found == twin_of(rhythm)
    soon = push(0, beats([], 600), slice(None)) + push(0, bare, slice(None)) + command(b"e", 0)
    assert len(run(program, command(b"i", 0) + push(0, rhythm, slice(None)) + soon)[0]) == len(found) + 3


def test_a_rhythm_that_was_confirmed_while_nothing_is_known_of_it_ends_in_noise_alike(program: Path) -> None:
    """Contact is lost for a moment in front of every beat, so that no interval is ever known."""
    onsets = list(range(60, 4000, 80))
    classes = spoilt(beats(onsets, 4100), slice(1500, 4000), 3)
    for onset in onsets:
        if 1000 < onset < 1750:
            classes.samples[onset - 25 : onset - 22] = LEAD_OFF
    classes.samples[1000:1030] = LEAD_OFF
    expected = twin_of(classes)
    assert run(program, b"".join(scripted(0, classes, 1, 0)))[0] == expected
    ticks = [Event.unpack(data).tick for data in expected if data[16] == EventKind.BEAT]
    assert [tick for tick in ticks if 2 * 1100 < tick < 2 * 1500]
    assert not [tick for tick in ticks if 2 * 2000 < tick < 2 * 3900]


@pytest.mark.parametrize("seed", range(6))
def test_lost_signal_is_told_and_time_goes_on(program: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = anything(seed + 100)
    twin = Twin(7)
    script = command(b"i", 0, 7)
    for number, part in enumerate(chunks(classes.labels.size, seed)):
        twin.push(classes, part)
        script += push(0, classes, part)
        if number < 2 or rng.random() < 0.3:
            letter = (b"g", b"o")[number % 2]
            ticks = int(rng.choice([0, 1, 7, 2000, 2**32 - 1, 2**32, 2**45]))
            twin.lose(LOSSES[letter], ticks)
            script += command(letter, 0, ticks)
    found = run(program, script + command(b"e", 0))[0]
    assert found == twin.end()
    assert {Event.unpack(data).kind for data in found} >= {EventKind.GAP, EventKind.OVERRUN}


def test_two_streams_know_nothing_of_each_other(program: Path) -> None:
    classes = (anything(3), beats(list(range(40, 3000, 80)), 3000))
    scripts = [scripted(number, one, number, 11 * number) for number, one in enumerate(classes)]
    rng = np.random.default_rng(5)
    order = rng.permutation([0] * len(scripts[0]) + [1] * len(scripts[1])).tolist()
    waiting = [iter(script) for script in scripts]
    found = run(program, b"".join(next(waiting[number]) for number in order))
    for number, one in enumerate(classes):
        twin = Twin(11 * number)
        twin.push(one)
        assert found[number] == twin.end()


@pytest.mark.slow
def test_times_do_not_drift_in_a_day_that_passes_2_to_the_32(program: Path) -> None:
    """24 hours of beats 800 ms apart; every interval is equal, and the last beat is where it must be."""
    hour = beats(list(range(20, 360000, 80)), 360000)
    first_tick = 2**33 - 2 * 12 * 360000
    whole = [push(0, hour, slice(at, at + 60000)) for at in range(0, 360000, 60000)]
    found = run(program, command(b"i", 0, first_tick) + b"".join(24 * whole) + command(b"e", 0))[0]
    events = [Event.unpack(data) for data in found]
    assert {event.kind for event in events} == {EventKind.BEAT}
    assert len(events) == 24 * 4500
    assert {event.rr_ms for event in events[1:]} <= {799, 800, 801}
    assert {event.rate_tenths for event in events[10:]} <= {749, 750, 751}
    assert abs(events[-1].tick - (first_tick + 2 * (24 * 360000 - 60 + 4))) <= 1


def test_the_state_is_small(program: Path) -> None:
    done = subprocess.run([program], input=command(b"s", 0), capture_output=True, check=True, timeout=60)
    assert struct.unpack("<I", done.stdout)[0] <= 816


def test_every_interval_corrects_alike(program: Path) -> None:
    """RR from 200 ms to 20 s in steps of a sample, after both formulas."""
    for after_bazett in (False, True):
        onsets = list(np.cumsum([60, *range(60, 2100, 60)]))
        classes = beats(onsets, int(onsets[-1]) + 100)
        twin = Twin(after_bazett=after_bazett)
        twin.push(classes)
        expected = twin.end()
        assert run(program, b"".join(scripted(0, classes, 1, 0, int(after_bazett))))[0] == expected
        for event in map(Event.unpack, expected):
            if event.qtc_ms:
                assert event.qtc_ms == (bazett if after_bazett else fridericia)(event.qt_ms, event.rr_ms)


@pytest.mark.skipif(not drivers.HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")
def test_events_compile_for_cortex_m4(tmp_path: Path) -> None:
    m4 = compiler(MPS2_AN386, tmp_path)
    for source in SOURCES:
        m4.compile(source, tmp_path / f"{source.stem}.o")
