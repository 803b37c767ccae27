"""Runs a stream that was rendered, natively under sanitizers and on a Cortex-M4, beside TensorFlow Lite Micro."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ecgseg.codegen.manifest import StreamManifest
from ecgseg.codegen.render_stream import render_stream
from ecgseg.graph.oracle import TflmOracle
from ecgseg.image import qemu
from ecgseg.image.boards import HOST
from support import drivers, engine_harness
from support.lengths import tflite_at_length

Int8 = npt.NDArray[np.int8]


@dataclass(frozen=True)
class RenderedStream:
    """A model rendered as a stream into a folder."""

    folder: Path
    content: bytes
    manifest: StreamManifest


@dataclass(frozen=True)
class Record:
    """Rows [length, row bytes], and the sizes of the chunks in which they come."""

    rows: Int8
    chunks: tuple[int, ...]


def rendered_stream(content: bytes, folder: Path, block: int) -> RenderedStream:
    """Render a model as a stream with at least so many rows a block."""
    return RenderedStream(folder, content, render_stream(content, folder, block=block))


def draw_records(model: RenderedStream, lengths: list[int], seed: int = 0) -> list[Record]:
    """Records of these lengths: noise, now and then of the extremes only, in chunks of any size."""
    rng = np.random.default_rng(seed)
    records = []
    for length in lengths:
        shape = (length, model.manifest.input_row_bytes)
        rows = rng.choice([-128, 127], shape) if rng.random() < 0.2 else rng.integers(-128, 128, shape)
        chunks: list[int] = []
        while sum(chunks) < length:
            most = int(rng.choice([1, 3, model.manifest.block, 5 * model.manifest.block]))
            chunks.append(min(int(rng.integers(0, most + 1)), length - sum(chunks)))
        records.append(Record(rows.astype(np.int8), tuple(chunks)))
    return records


def lengths_of(model: RenderedStream, extra: tuple[int, ...] = (0, 1, 2, 40, 83)) -> list[int]:
    """Lengths at which the network exists, the shortest first."""
    return [model.manifest.least + number * model.manifest.granule for number in extra]


def truth(model: RenderedStream, record: Record) -> tuple[Int8, dict[int, Int8]]:
    """TensorFlow Lite Micro's answers for the record in one piece, and the result of every layer."""
    oracle = TflmOracle(tflite_at_length(model.content, len(record.rows)))
    tensors = [layer.tensor for layer in model.manifest.layers]
    found = oracle.run_all(record.rows, [*tensors, *oracle.graph.outputs])
    return found[oracle.graph.outputs[0]].reshape(-1), {index: found[index].reshape(-1) for index in tensors}


def build_native(model: RenderedStream) -> Path:
    """The test program under ASan and UBSan."""
    return engine_harness.build_program(
        model.folder, [drivers.FOLDER / "stream_driver.c"], HOST, model.folder / "native"
    )


def run_native(model: RenderedStream, records: list[Record], trace: Path | None = None) -> list[Int8]:
    """Answers to every record, flat."""
    written = b"".join(
        np.array([len(record.rows), len(record.chunks), *record.chunks], "<u4").tobytes() + record.rows.tobytes()
        for record in records
    )
    command = [str(build_native(model)), *([str(trace)] if trace else [])]
    return _answers(model, engine_harness.run_program(command, input=written), len(records))


def _answers(model: RenderedStream, said: bytes, count: int) -> list[Int8]:
    """What a driver wrote."""
    answers, place = [], 0
    for _ in range(count):
        size = int(np.frombuffer(said, "<u4", 1, place)[0]) * model.manifest.output_row_bytes
        answers.append(np.frombuffer(said, np.int8, size, place + 4))
        place += 4 + size
    assert place == len(said)
    return answers


def run_m4(model: RenderedStream, records: list[Record]) -> list[Int8]:
    """Answers of the Cortex-M4 program to every record, flat."""
    lines = []
    for number, record in enumerate(records):
        values = ", ".join(str(int(value)) for value in record.rows.reshape(-1))
        chunks = ", ".join(map(str, record.chunks))
        lines += [
            f"static const int8_t rows{number}[] = {{{values}}};",
            f"static const uint32_t chunks{number}[] = {{{chunks}}};",
        ]
    entries = ", ".join(
        f"{{rows{number}, chunks{number}, {len(record.chunks)}u}}" for number, record in enumerate(records)
    )
    longest = max(len(record.rows) for record in records)
    room = (longest // model.manifest.block + 1) * model.manifest.block_answers + model.manifest.end_answers
    lines += [f"static const test_record_t test_records[] = {{{entries}}};", f"#define TEST_ROOM {room}"]
    (model.folder / "test_records.h").write_text("\n".join(lines) + "\n")
    sources = [drivers.FOLDER / "stream_m4_driver.c", model.folder / "ecgseg_stream_model.c"]
    elf = engine_harness.build_program(model.folder, sources, qemu.BOARD, model.folder / "m4.elf")
    command = qemu.semihosting_command(elf, "A test runs the stream in it.", counted=False)
    return _answers(model, engine_harness.run_program(command), len(records))


def differences(model: RenderedStream, records: list[Record], answers: list[Int8]) -> list[str]:
    """Records whose answers are not TensorFlow Lite Micro's, with the first layer that differs in native code."""
    found = []
    for number, (record, answer) in enumerate(zip(records, answers, strict=True)):
        expected, tensors = truth(model, record)
        if not np.array_equal(answer, expected):
            size = "" if answer.size == expected.size else f", {answer.size} bytes instead of {expected.size}"
            found.append(f"record {number} of {len(record.rows)}{size}: {first_difference(model, record, tensors)}")
    return found


def first_difference(model: RenderedStream, record: Record, tensors: dict[int, Int8]) -> str:
    """The first layer of the native stream whose rows are not those of the whole record."""
    path = model.folder / "trace"
    run_native(model, [record], path)
    parts: list[list[Int8]] = [[] for _ in model.manifest.layers]
    content, place = path.read_bytes(), 0
    while place < len(content):
        layer, size = (int(value) for value in np.frombuffer(content, "<u4", 2, place))
        parts[layer].append(np.frombuffer(content, np.int8, size, place + 8))
        place += 8 + size
    for number, layer in enumerate(model.manifest.layers):
        rows = np.concatenate(parts[number])[layer.lag * layer.row_bytes :]
        expected = tensors[layer.tensor]
        shared = min(rows.size, expected.size)
        wrong = np.flatnonzero(rows[:shared] != expected[:shared])
        if wrong.size:
            at = int(wrong[0])
            row = at // layer.row_bytes
            return f"layer {number} {layer.name} ({layer.kernel}), row {row}: {rows[at]} instead of {expected[at]}"
    return "no layer differs, only what is answered of them"
