"""A network as a stream: each layer computes the rows that are new, of rows that are kept from before.

The stream runs in blocks of a fixed number of input rows, so that every layer computes the same rows of the same rows
in every block, whatever the padding: its result lags behind the input by a fixed number of rows. Rows before the
record's first and behind its last one are computed like all others and then overwritten by what the padding is. So
padding is nothing but the contents of rows, the geometry never changes, and nothing counts the record's positions.

In block k = 0, 1, ... the new rows of a tensor with `rows` rows a block and the lag `lag` are the positions
k * rows - lag ... (k + 1) * rows - lag - 1. When the record ends, `left` counts, from the first new row of the current
block on, the rows of a tensor that exist; it follows from that of the input layer by layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.graph.layers import Layer, Network
from ecgseg.graph.spans import Span


@dataclass(frozen=True)
class Left:
    """Rows that exist: times * floor((left * factor + add) / down) + plus, from `left` of another store."""

    store: int
    factor: int
    add: int
    down: int
    times: int
    plus: int

    def of(self, left: int) -> int:
        """The rows, from those of the other store."""
        return self.times * ((left * self.factor + self.add) // self.down) + self.plus


@dataclass(frozen=True)
class Store:
    """Rows of a tensor that are in memory during a block: some that are kept from before, then the new ones.

    Attributes:
        tensor: index; the stores of a stream are named by it.
        row_bytes: of one row.
        rows: new ones a block.
        lag: by how many rows they lie behind the input.
        kept_bytes: of rows from before; not always whole ones.
        fill: what rows outside of the record are.
        padded: whether anyone reads them.
        left: rows that exist when the record ends; None for the input.
    """

    tensor: int
    row_bytes: int
    rows: int
    lag: int
    kept_bytes: int
    fill: int
    padded: bool
    left: Left | None

    @property
    def new_bytes(self) -> int:
        """Bytes of the rows of a block."""
        return self.rows * self.row_bytes


@dataclass(frozen=True)
class Source:
    """Where a layer reads.

    Attributes:
        store: the tensor whose rows.
        back: bytes before the first new row at which it begins; behind it, if negative.
        size: bytes.
    """

    store: int
    back: int
    size: int


@dataclass(frozen=True)
class Step:
    """What a layer does in a block.

    Attributes:
        layer: for the rows of a block, without padding along time.
        whole: as it is in the network.
        sources: of its computed inputs, in order.
        store: tensor of the result.
        span: how it reads its input.
    """

    layer: Layer
    whole: Layer
    sources: tuple[Source, ...]
    store: int
    span: Span


@dataclass(frozen=True)
class Stream:
    """A network that runs block by block.

    Attributes:
        network: as exported.
        block: input rows.
        stores: by tensor, the input's first.
        steps: in order.
        output: where the answer of a block is.
        row_bytes: of the answer.
        rows: of the answer in a block.
        lag: by how many of its rows the answer lies behind the input.
        left: rows of the answer that exist.
        granule: the record's length must be a multiple of it.
        least: shortest record.
    """

    network: Network
    block: int
    stores: dict[int, Store]
    steps: tuple[Step, ...]
    output: Source
    row_bytes: int
    rows: int
    lag: int
    left: Left
    granule: int
    least: int

    @property
    def input(self) -> Store:
        """Rows of the input."""
        return self.stores[self.network.input.index]

    @property
    def late(self) -> int:
        """Input rows by which an answer lies behind the last one of its block."""
        return -(-self.lag * self.block // self.rows)
