"""The stream in numpy, block by block: the twin of the C that is rendered for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.errors import UsageError
from ecgseg.graph.interpret import compute
from ecgseg.graph.layers import Int8Array
from ecgseg.graph.stream import Source, Store, Stream

Watch = Callable[[int, int, Int8Array], None]


class StreamingInterpreter:
    """One record after the other through a stream.

    Args:
        stream: what to run.
        watch: is called with each tensor, the position of its first new row, and its new rows [rows, row bytes].

    Attributes:
        positions: input rows of this record so far.
    """

    def __init__(self, stream: Stream, watch: Watch | None = None) -> None:
        self.stream = stream
        self._watch = watch
        self.start()

    def start(self) -> None:
        """Begins a record."""
        self.positions = 0
        self._blocks = 0
        self._waiting: Int8Array = np.empty((0, self.stream.input.row_bytes), np.int8)
        self._memory = {
            index: np.full(store.kept_bytes + store.new_bytes, store.fill, np.int8)
            for index, store in self.stream.stores.items()
        }

    def push(self, data: npt.NDArray[Any]) -> Int8Array:
        """Answers [rows, row bytes] that these input rows complete.

        Args:
            data: int8, whole rows.
        """
        rows = np.asarray(data, np.int8).reshape(-1, self.stream.input.row_bytes)
        self.positions += len(rows)
        waiting = np.concatenate([self._waiting, rows])
        whole = len(waiting) // self.stream.block * self.stream.block
        answers = [self._nothing]
        for start in range(0, whole, self.stream.block):
            answers.append(self._block(waiting[start : start + self.stream.block], None, self.stream.rows))
        self._waiting = waiting[whole:]
        return np.concatenate(answers)

    def end(self) -> Int8Array:
        """The answers that are left, as if nothing came any more.

        Raises:
            UsageError: the network does not exist for a record of this length.
        """
        if self.positions < self.stream.least or self.positions % self.stream.granule:
            raise UsageError(
                f"The record has {self.positions} positions.",
                f"The network exists for {self.stream.least} and more, a multiple of {self.stream.granule}.",
                "Give another record.",
            )
        left = {self.stream.input.tensor: len(self._waiting)}
        for index, store in self.stream.stores.items():
            if store.left is not None:
                left[index] = store.left.of(left[store.left.store])
        answer = self.stream.left.of(left[self.stream.left.store])
        answers = [self._nothing]
        rows, self._waiting = self._waiting, self._waiting[:0]
        while answer > 0:
            answers.append(self._block(rows, left, answer))
            left = {index: value - self.stream.stores[index].rows for index, value in left.items()}
            answer -= self.stream.rows
            rows = rows[:0]
        return np.concatenate(answers)

    @property
    def _nothing(self) -> Int8Array:
        return np.empty((0, self.stream.row_bytes), np.int8)

    def _block(self, rows: Int8Array, left: dict[int, int] | None, answer: int) -> Int8Array:
        """The first `answer` rows of a block's answer that are not before the record.

        Args:
            rows: of the input, fewer than a block only at the end.
            left: rows of each store that exist, from the block's first new one on; None while the record goes on.
        """
        stream = self.stream
        self._new(stream.input)[: rows.size] = rows.reshape(-1)
        self._finish(stream.input, left)
        for step in stream.steps:
            store = stream.stores[step.store]
            self._new(store)[:] = compute(step.layer, [self._read(source) for source in step.sources])
            self._finish(store, left)
        result = self._read(stream.output).reshape(stream.rows, stream.row_bytes)
        late = max(stream.lag - self._blocks * stream.rows, 0)
        self._blocks += 1
        for index, store in stream.stores.items():
            self._memory[index][: store.kept_bytes] = self._memory[index][store.new_bytes :].copy()
        return result[late : min(answer, stream.rows)]

    def _new(self, store: Store) -> Int8Array:
        return self._memory[store.tensor][store.kept_bytes :]

    def _read(self, source: Source) -> Int8Array:
        start = self.stream.stores[source.store].kept_bytes - source.back
        return self._memory[source.store][start : start + source.size].copy()

    def _finish(self, store: Store, left: dict[int, int] | None) -> None:
        """Rows outside of the record become padding."""
        rows = self._new(store).reshape(store.rows, store.row_bytes)
        if self._watch is not None:
            self._watch(store.tensor, self._blocks * store.rows - store.lag, rows.copy())
        if store.padded:
            rows[: max(store.lag - self._blocks * store.rows, 0)] = store.fill
            if left is not None:
                rows[max(left[store.tensor], 0) :] = store.fill
