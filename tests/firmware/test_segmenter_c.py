"""The segmenter in C, under ASan and UBSan, against the device's twin in Python: every byte of every frame equal."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ecgseg import paths
from ecgseg.codegen.parameters import render_c_header
from ecgseg.codegen.render import render
from ecgseg.image.boards import HOST, MPS2_AN386, board_of
from ecgseg.image.programs import ENGINE_PART, PIPELINE_PART, files_in
from ecgseg.models import find_model
from ecgseg.pipeline import LEAD_OFF, PreprocessParameters
from ecgseg.pipeline.segmenter import ExpectedFrame, Segmenter
from support import drivers

Raw = npt.NDArray[np.int16]
# They differ in all that travels with a model: quantisation, classes, segment rules.
MODELS = (find_model("seg-2-tcn-sm"), find_model(tflite=paths.HEARTKIT_STYLE))
NAMES = tuple(model.name for model in MODELS)
# Twice the seconds of a frame, and some: a record of two frames whose end is not a frame's.
RECORD = 2 * 1250 + 321


@dataclass(frozen=True)
class Two:
    """Two models, rendered under two prefixes into one program, and their twins."""

    program: Path
    folders: tuple[Path, ...]
    twins: tuple[Segmenter, ...]

    def run(self, script: bytes) -> dict[int, list[bytes]]:
        """The frames that the program writes for a script, per segmenter, as bytes."""
        done = subprocess.run([self.program], input=script, capture_output=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        frames: dict[int, list[bytes]] = {0: [], 1: []}
        classes = {slot: self.twins[model].class_count for slot, model in started(script)}
        written = done.stdout
        while written:
            slot, *_, segments = struct.unpack_from("<6I", written)
            size = 24 + 250 * (2 + classes[slot]) + 6 * segments
            frames[slot].append(written[4:size])
            written = written[size:]
        return frames


def started(script: bytes) -> Iterator[tuple[int, int]]:
    """Segmenter and model of every 'i' in a script."""
    at = 0
    while at < len(script):
        command, slot, word = struct.unpack_from("<cBI", script, at)
        if command == b"i":
            yield slot, word
        at += 6 + (2 * word if command in b"ps" else 0)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    folder = tmp_path_factory.mktemp("segmenter")
    folders = tuple(folder / prefix for prefix in ("one", "two"))
    for model, generated in zip(MODELS, folders, strict=True):
        render(model.path, generated, name=model.name, prefix=generated.name)
    program = compiler(HOST, folders).link(
        [*sources(folders), drivers.FOLDER / "segmenter_driver.c"], folder / "driver"
    )
    return Two(program, folders, tuple(Segmenter(model.data) for model in MODELS))


def compiler(board: str, generated: tuple[Path, ...]) -> drivers.Compiler:
    """The model with more classes says how many there is room for."""
    include_dirs = (PIPELINE_PART.include_dir, ENGINE_PART.include_dir, *generated[::-1])
    return drivers.Compiler(board_of(board), include_dirs)


def sources(generated: tuple[Path, ...]) -> list[Path]:
    return files_in([PIPELINE_PART.source_dir, ENGINE_PART.source_dir, *generated], "*.c")


def record(seed: int) -> Raw:
    """Beats of random height with noise; in some places no contact, a rail, or a flat line."""
    rng = np.random.default_rng(seed)
    time = np.arange(RECORD)
    beats = 900 * np.exp(-(((time % 410) - 200.0) ** 2) / 60.0) * rng.uniform(0.3, 2.0)
    raw = np.rint(beats + rng.normal(0, 25, time.size)).astype(np.int16)
    for value, share in ((LEAD_OFF, 0.8), (32767, 0.5), (-32767, 0.3), (12, 0.3)):
        if rng.random() < share:
            first = int(rng.integers(0, raw.size))
            raw[first : first + int(rng.choice([1, 40, 700, 1500, 2600]))] = value
    return raw


def pushes(slot: int, raw: Raw, seed: int, command: bytes = b"p") -> list[bytes]:
    """A record in chunks of random size, as commands."""
    rng = np.random.default_rng(seed)
    commands, at = [], 0
    while at < raw.size:
        chunk = raw[at : at + int(rng.choice([1, 2, 7, 63, 64, 250, 999, 2500]))]
        commands.append(struct.pack("<cBI", command, slot, chunk.size) + chunk.astype("<i2").tobytes())
        at += chunk.size
    return commands


def start(slot: int, model: int) -> bytes:
    return struct.pack("<cBI", b"i", slot, model)


def reset(slot: int) -> bytes:
    return struct.pack("<cBI", b"r", slot, 0)


def packed(frame: ExpectedFrame) -> bytes:
    head = (frame.index, frame.status, frame.lead_off_samples, frame.saturated_samples, len(frame.segments))
    rows = b"".join(struct.pack("<3H", item.label, item.onset, item.offset) for item in frame.segments)
    return struct.pack("<5I", *head) + frame.input.tobytes() + frame.scores.tobytes() + frame.mask.tobytes() + rows


def expected(twin: Segmenter, raw: Raw) -> list[bytes]:
    return [packed(frame) for frame in twin.expect(raw)]


def woven(first: list[bytes], second: list[bytes], seed: int) -> bytes:
    """Two lists of commands in a random order that keeps each one's own."""
    rng = np.random.default_rng(seed)
    order = rng.permutation([0] * len(first) + [1] * len(second)).tolist()
    waiting = [iter(first), iter(second)]
    return b"".join(next(waiting[number]) for number in order)


@pytest.mark.parametrize("model", range(2), ids=NAMES)
@pytest.mark.parametrize("seed", range(8))
def test_every_byte_is_the_twins_however_the_samples_are_cut(two: Two, model: int, seed: int) -> None:
    raw = record(seed)
    twin = two.twins[model]
    found = two.run(start(0, model) + b"".join(pushes(0, twin.stream(raw), seed)))
    assert found[0] == expected(twin, raw)
    assert len(found[0]) == 2


def test_gaps_rails_and_flat_lines_are_among_the_records(two: Two) -> None:
    frames = [frame for seed in range(8) for frame in two.twins[1].expect(record(seed))]
    assert {bit.name for frame in frames for bit in type(frame.status) if frame.status & bit} >= {
        "LEAD_OFF",
        "HAS_GAP",
        "SATURATED",
        "FLAT",
    }
    assert any(frame.segments for frame in frames)


@pytest.mark.parametrize("again", [lambda model: start(0, model), lambda _: reset(0)], ids=["init", "reset"])
def test_records_one_after_the_other_know_nothing_of_each_other(two: Two, again) -> None:
    script, wanted = start(0, 1), []
    for seed in (1, 4, 2):
        raw = record(seed)
        # The record is left in the middle of a frame.
        script += b"".join(pushes(0, two.twins[1].stream(raw)[: 1250 + 100 * seed], seed))
        script += again(1) + b"".join(pushes(0, two.twins[1].stream(raw), seed)) + again(1)
        wanted += expected(two.twins[1], raw)[:1] + expected(two.twins[1], raw)
    assert two.run(script)[0] == wanted


def test_the_steps_one_by_one_are_the_push(two: Two) -> None:
    raw = record(3)
    script = start(0, 1) + b"".join(pushes(0, two.twins[1].stream(raw), 3, b"s"))
    assert two.run(script)[0] == expected(two.twins[1], raw)


@pytest.mark.parametrize(
    "models", [(0, 0), (1, 1), (0, 1), (1, 0)], ids=lambda pair: f"{NAMES[pair[0]]}+{NAMES[pair[1]]}"
)
def test_two_segmenters_at_once_give_what_each_gives_alone(two: Two, models: tuple[int, int]) -> None:
    leads = (record(11), record(5))
    commands = [
        [start(slot, model), *pushes(slot, two.twins[model].stream(raw), slot)]
        for slot, (model, raw) in enumerate(zip(models, leads, strict=True))
    ]
    found = two.run(woven(*commands, seed=7))
    for slot, (model, raw) in enumerate(zip(models, leads, strict=True)):
        assert found[slot] == expected(two.twins[model], raw)


def test_the_two_models_differ_in_all_that_travels_with_a_model(two: Two) -> None:
    one, other = (twin.require_parameters() for twin in two.twins)
    assert one.scale != other.scale
    assert one.zero_point != other.zero_point
    assert one.rules.min_length != other.rules.min_length
    assert [twin.class_count for twin in two.twins] == [2, 4]


def test_misuse_is_refused_and_a_failing_model_is_told(tmp_path: Path) -> None:
    (tmp_path / "ecgseg_preprocess_params.h").write_text(render_c_header(PreprocessParameters(), "test"))
    program = compiler(HOST, (tmp_path,)).link(
        [*sources(()), drivers.FOLDER / "segmenter_misuse_driver.c"], tmp_path / "driver"
    )
    done = subprocess.run([program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(not drivers.HAS_ARM_COMPILER, reason="needs arm-none-eabi-gcc")
def test_the_pipeline_and_two_models_compile_for_cortex_m4(two: Two, tmp_path: Path) -> None:
    m4 = compiler(MPS2_AN386, two.folders)
    for source in sources(two.folders):
        m4.compile(source, tmp_path / f"{source.stem}.o")
