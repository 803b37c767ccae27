"""The delineator in C, under ASan and UBSan, against its twin in Python: every class and every event equal."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg.codegen.parameters import render_c_header
from ecgseg.codegen.render_stream import render_stream
from ecgseg.image.boards import HOST, MPS2_AN386, board_of
from ecgseg.image.programs import ENGINE_PART, PIPELINE_PART, files_in
from ecgseg.pipeline import LEAD_OFF, PreprocessParameters
from ecgseg.pipeline.delineator import Delineation, Delineator
from ecgseg.pipeline.events import EVENT_BYTES, Event, EventKind
from support import drivers
from support.stream_models import small_segmenter

Raw = npt.NDArray[np.int16]
CAUSAL_STYLE = Path(__file__).parents[1] / "vectors" / "causal-style.tflite"
MODELS = (CAUSAL_STYLE.read_bytes(), small_segmenter())
OF_PHASES = (50, 512)  # samples at 100 Hz lie between raw samples; below 100 Hz one of these may make two
RATES = (500, *(pytest.param(rate, marks=pytest.mark.slow) for rate in (100, 200, 1000, *OF_PHASES)))
LOSSES = {b"g": Delineator.gap, b"o": Delineator.overrun}


@dataclass(frozen=True)
class Program:
    """Both networks, rendered under two prefixes into one program, and how it is spoken to."""

    path: Path
    folders: tuple[Path, ...]
    objects: tuple[Path, ...]
    rate: int

    def run(self, script: bytes) -> dict[int, tuple[bytes, list[Event]]]:
        """Classes and events by delineator."""
        done = subprocess.run([self.path], input=script, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        classes, events = {0: bytearray(), 1: bytearray()}, {0: [], 1: []}
        written = memoryview(done.stdout)
        at = 0
        while at < len(written):
            slot, letter = written[at], chr(written[at + 1])
            size = {"c": 1, "e": EVENT_BYTES}[letter]
            data = bytes(written[at + 2 : at + 2 + size])
            if letter == "c":
                classes[slot] += data
            else:
                events[slot].append(Event.unpack(data))
            at += 2 + size
        return {slot: (bytes(classes[slot]), events[slot]) for slot in (0, 1)}


def compiler(board: str, folders: tuple[Path, ...]) -> drivers.Compiler:
    return drivers.Compiler(board_of(board), (PIPELINE_PART.include_dir, ENGINE_PART.include_dir, *folders))


def sources(folders: tuple[Path, ...]) -> list[Path]:
    return files_in([PIPELINE_PART.source_dir, ENGINE_PART.source_dir, *folders], "*.c")


@pytest.fixture(scope="module", params=RATES)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Program:
    folder = tmp_path_factory.mktemp("delineator")
    folders = tuple(folder / prefix for prefix in ("one", "two"))
    for content, generated in zip(MODELS, folders, strict=True):
        render_stream(content, generated, prefix=generated.name)
    parameters = PreprocessParameters(input_rate=request.param)
    (folders[0] / "ecgseg_preprocess_params.h").write_text(render_c_header(parameters, "test"))
    host = compiler(HOST, folders)
    objects = tuple(host.compile(source, folder / f"{source.stem}.o") for source in sources(folders))
    path = host.link([*objects, drivers.FOLDER / "delineator_driver.c"], folder / "driver")
    return Program(path, folders, objects, request.param)


def record(seed: int, rate: int) -> Raw:
    """Beats of random height with noise; in some places no contact, a rail, or a flat line. Of any length."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(rate * rng.uniform(5, 14))) / rate
    beats = 900 * np.exp(-(((time % 0.8) - 0.4) ** 2) / 0.0004) * rng.uniform(0.3, 2.0)
    raw = np.rint(beats + rng.normal(0, 25, time.size)).astype(np.int16)
    for value, share in ((LEAD_OFF, 0.8), (32767, 0.5), (-32767, 0.3), (12, 0.5)):
        if rng.random() < share:
            first = int(rng.integers(0, raw.size))
            raw[first : first + int(rate * rng.choice([0.001, 0.08, 0.25, 1.4, 3.5]))] = value
    if seed % 3 == 0:
        raw[rate : 4 * rate] = 40 * seed
    return raw


def command(letter: bytes, slot: int, value: int = 0, options: int = 0) -> bytes:
    return struct.pack("<cBBQ", letter, slot, options, value)


def pushes(slot: int, raw: Raw, seed: int) -> list[bytes]:
    """A record in chunks of random size, with now and then a fetch of one event or of all."""
    rng = np.random.default_rng(seed)
    commands, at = [], 0
    while at < raw.size:
        chunk = raw[at : at + int(rng.choice([1, 2, 7, 63, 250, 999, 5000]))]
        commands.append(command(b"p", slot, chunk.size) + chunk.astype("<i2").tobytes())
        commands += [command(letter, slot) for letter in (b"n", b"f") if rng.random() < 0.3]
        at += chunk.size
    return commands


def begin(slot: int, model: int, first_tick: int = 0, *, after_bazett: bool = False) -> bytes:
    return command(b"i", slot, first_tick, 16 * model + after_bazett)


def spoken(found: list[Delineation]) -> tuple[bytes, list[Event]]:
    return b"".join(one.classes.tobytes() for one in found), [event for one in found for event in one.events]


@pytest.mark.parametrize("model", range(2))
@pytest.mark.parametrize("seed", range(6))
def test_every_byte_is_the_twins_however_the_samples_are_cut(program: Program, model: int, seed: int) -> None:
    raw = record(seed, program.rate)
    start = (0, 2**32 - 1500, 2**41 + 3)[seed % 3]
    twin = Delineator(MODELS[model], program.rate, first_tick=start, after_bazett=seed % 2 == 1)
    script = [begin(0, model, start, after_bazett=seed % 2 == 1), *pushes(0, raw, seed), command(b"e", 0)]
    assert program.run(b"".join(script))[0] == spoken([twin.record(raw)])


def test_every_state_is_among_the_events(program: Program) -> None:
    kinds = {
        event.kind
        for seed in range(6)
        for model in MODELS
        for event in Delineator(model, program.rate).record(record(seed, program.rate)).events
    }
    assert kinds >= set(EventKind) - {EventKind.BEAT, EventKind.LONE_P, EventKind.GAP, EventKind.OVERRUN}


@pytest.mark.parametrize("seed", range(4))
def test_losses_are_told_and_what_follows_is_at_its_time(program: Program, seed: int) -> None:
    rng = np.random.default_rng(seed)
    twin = Delineator(MODELS[seed % 2], program.rate)
    script, expected = [begin(0, seed % 2)], []
    total = 0
    for part in range(4):
        raw = record(10 * seed + part, program.rate)[: int(rng.choice([0, 1, 333, 5000]))]
        letter = (b"g", b"o")[part % 2]
        lost = int(rng.choice([0, 1, 77, 12345, 2**40][: 4 + (part < 3)]))
        script += [*pushes(0, raw, part), command(letter, 0, lost)]
        expected += [twin.push(raw), LOSSES[letter](twin, lost)]
        total += raw.size + lost
    raw = record(seed, program.rate)
    script += [*pushes(0, raw, seed), command(b"e", 0)]
    expected += [twin.push(raw), twin.end()]
    classes, events = program.run(b"".join(script))[0]
    assert (classes, events) == spoken(expected)
    losses = [event for event in events if event.kind in (EventKind.GAP, EventKind.OVERRUN)]
    assert len(losses) == 4
    # However often signal is lost, time does not drift: what was taken lasts up to the next sample of 100 Hz, and all
    # is rounded.
    assert -1 <= losses[-1].tick + losses[-1].length - total * 200 / program.rate < 3


def test_two_delineators_of_two_networks_share_an_arena(program: Program) -> None:
    raws = [record(3, program.rate), record(5, program.rate)]
    scripts = [[begin(slot, slot), *pushes(slot, raw, slot), command(b"e", slot)] for slot, raw in enumerate(raws)]
    rng = np.random.default_rng(7)
    order = rng.permutation([0] * len(scripts[0]) + [1] * len(scripts[1])).tolist()
    waiting = [iter(script) for script in scripts]
    found = program.run(b"".join(next(waiting[slot]) for slot in order))
    for slot, raw in enumerate(raws):
        assert found[slot] == spoken([Delineator(MODELS[slot], program.rate).record(raw)])


@pytest.mark.slow
def test_two_thousand_chunkings_give_the_same_bytes(program: Program) -> None:
    raw = record(2, program.rate)
    expected = spoken([Delineator(MODELS[1], program.rate).record(raw)])
    for first in range(0, 200 if program.rate in OF_PHASES else 2000, 50):
        script = []
        for seed in range(first, first + 50):
            script += [begin(0, 1), *pushes(0, raw, seed), command(b"e", 0)]
        assert program.run(b"".join(script))[0] == (50 * expected[0], 50 * expected[1]), first


def test_misuse_is_refused_and_changes_nothing(program: Program, tmp_path: Path) -> None:
    driver = drivers.FOLDER / "delineator_misuse_driver.c"
    path = compiler(HOST, program.folders).link([*program.objects, driver], tmp_path / "driver")
    done = subprocess.run([path], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(not drivers.HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")
def test_the_delineator_compiles_for_cortex_m4(program: Program, tmp_path: Path) -> None:
    m4 = compiler(MPS2_AN386, program.folders)
    for source in [PIPELINE_PART.source_dir / "ecgseg_delineator.c", *files_in(program.folders, "*.c")]:
        m4.compile(source, tmp_path / f"{source.stem}.o")
    if program.rate == 500:
        m4.compile(drivers.FOLDER / "delineator_sizes.c", tmp_path / "sizes.o")
