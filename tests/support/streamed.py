"""A record through a stream in numpy, and the record in one piece through TensorFlow Lite Micro."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ecgseg.graph.ends import ends_of, int8_of
from ecgseg.graph.oracle import TflmOracle
from ecgseg.graph.stream import Stream
from ecgseg.graph.stream_interpret import StreamingInterpreter
from support.lengths import tflite_at_length

Int8 = npt.NDArray[np.int8]


def whole(content: bytes, record: Int8) -> Int8:
    """The truth: the record in one piece."""
    oracle = TflmOracle(tflite_at_length(content, len(record)))
    return int8_of(oracle.run(ends_of(oracle.graph).to_file(record)))


def streamed(stream: Stream, record: Int8, rng: np.random.Generator) -> Int8:
    """The record in chunks of any size, none included."""
    interpreter = StreamingInterpreter(stream)
    answers, start = [], 0
    while start < len(record):
        size = int(rng.integers(0, 3 * stream.block))
        answers.append(interpreter.push(record[start : start + size]))
        start += size
    return np.concatenate([*answers, interpreter.end()]).reshape(-1)


def record_of(stream: Stream, length: int, seed: int = 0) -> Int8:
    values = np.random.default_rng(seed).integers(-128, 128, (length, stream.input.row_bytes))
    return values.astype(np.int8)


def check(content: bytes, stream: Stream, lengths: list[int], seed: int = 0) -> None:
    rng = np.random.default_rng(seed)
    for length in lengths:
        record = record_of(stream, length, seed + length)
        assert np.array_equal(streamed(stream, record, rng), whole(content, record)), f"{length} positions"
