"""From a graph to a stream: what every layer keeps, by how much it lags, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

from ecgseg.errors import GraphError
from ecgseg.graph.blocks import at_block
from ecgseg.graph.ends import as_seen
from ecgseg.graph.ir import Graph
from ecgseg.graph.layers import Alias, Layer, Network, Pad
from ecgseg.graph.lengths import LengthError, exported_length, not_timewise, timed
from ecgseg.graph.lower import lower
from ecgseg.graph.spans import Span, rows_padded, span_of
from ecgseg.graph.stream import Left, Source, Step, Store, Stream

BLOCK = 12
"""Input rows a block, at least: fewer cost more calls, more cost memory and time until an answer. Behind a stride of 1,
2 or 4 a layer computes a multiple of three positions, which ecgseg_threes makes at once."""
MOST_ROWS = 1024
# A length that is longer than any window.
_FAR = 1 << 20


@dataclass(frozen=True)
class _View:
    """A tensor as rows of a store: each of them cut into `factor`, `shift` rows of padding in front, `extra` in all."""

    store: int
    factor: int = 1
    shift: int = 0
    extra: int = 0
    value: int | None = None


def stream_of(graph: Graph, block: int = BLOCK) -> Stream:
    """A network as a stream.

    Args:
        graph: exported at any length.
        block: input rows a block, at least; the next number that all strides divide is taken.

    Raises:
        GraphError: an operator that is not supported or cannot run as a stream, by name and index.
    """
    network = lower(graph)
    return _Builder(as_seen(graph), network, block).build()


class _Builder:
    def __init__(self, graph: Graph, network: Network, block: int) -> None:
        self.graph, self.network = graph, network
        source = network.input
        self.timed = timed(graph, exported_length(graph))
        self.spans = {layer.output: self._span(layer) for layer in network.layers if not _renames(layer)}
        self.period = self._period()
        self.block = -(-max(block, 1) // self.period) * self.period
        self.views = {source.index: _View(source.index)}
        row = self.timed[source.index].row
        self.stores = {source.index: Store(source.index, row, self.block, 0, 0, source.zero_point, False, None)}
        self.kept: dict[int, int] = {}
        self.fills: dict[int, int] = {}

    def _span(self, layer: Layer) -> Span:
        return span_of(
            layer, self.graph.operator(layer.operator), self.timed[layer.inputs[0]], self.timed[layer.output]
        )

    def _period(self) -> int:
        """The least number of input rows after which every layer has made whole groups of rows."""
        rate: dict[int, Fraction] = {self.network.input.index: Fraction(1)}
        period = 1
        for layer in self.network.layers:
            source = rate[layer.inputs[0]]
            if isinstance(layer, Alias):
                rate[layer.output] = source * (self.timed[layer.inputs[0]].row // self.timed[layer.output].row)
            elif layer.output in self.spans:
                span = self.spans[layer.output]
                groups = source / span.down
                rate[layer.output] = groups * span.up
                period = lcm(period, groups.denominator)
            else:
                rate[layer.output] = source
            if period * max(rate[layer.output], Fraction(1)) > MOST_ROWS:
                raise not_timewise(
                    self.graph.operator(layer.operator),
                    f"Up to here a block needs {period} rows of input and {period * rate[layer.output]} of it",
                    f"Stride by less; at most {MOST_ROWS} rows a block",
                )
        return period

    def build(self) -> Stream:
        """The stream."""
        granule, least = self._lengths()
        steps: list[Step] = []
        for layer in self.network.layers:
            if isinstance(layer, Alias):
                self.views[layer.output] = self._cut(layer)
            else:
                steps += self._steps(layer)
        view = self.views[self.network.output.index]
        last = self._read(self.network.output.index, Span(), "The output", None)
        store, row = self.stores[view.store], self.timed[self.network.output.index].row
        rows = store.rows * view.factor
        output = Source(view.store, last.keep * row, rows * row)
        return Stream(
            network=self.network,
            block=self.block,
            stores={index: self._finished(store) for index, store in self.stores.items()},
            steps=tuple(steps),
            output=output,
            row_bytes=row,
            rows=rows,
            lag=last.groups_late,
            left=last.left,
            granule=granule,
            least=least,
        )

    def _finished(self, store: Store) -> Store:
        fill = self.fills.get(store.tensor)
        return replace(
            store,
            kept_bytes=max(self.kept.get(store.tensor, 0), 0),
            fill=store.fill if fill is None else fill,
            padded=fill is not None,
        )

    def _cut(self, layer: Alias) -> _View:
        """The same rows under another shape, or each of them cut into several."""
        view = self.views[layer.inputs[0]]
        factor = self.timed[layer.inputs[0]].row // self.timed[layer.output].row
        return _View(view.store, view.factor * factor, view.shift * factor, view.extra * factor, view.value)

    def _steps(self, layer: Layer) -> Iterable[Step]:
        """The step of a layer; PAD along time is none."""
        source, result = layer.inputs[0], layer.output
        operator = self.graph.operator(layer.operator)
        axis = self.timed[result].axis
        if isinstance(layer, Pad):
            shape = self.timed[source].shape
            before, behind = rows_padded(layer, axis, len(shape))
            view = self.views[source]
            inward = shape[axis + 1 :] != self.timed[result].shape[axis + 1 :]
            if not inward:
                self.views[result] = self._padded(view, layer, before, behind)
                return
            if before or behind:
                raise not_timewise(operator, "It pads time and other axes at once", "Pad one after the other")
        span = self.spans.get(result, Span())
        reads = [self._read(tensor, span, str(operator), span.value) for tensor in layer.inputs]
        # All of them wait for the last.
        groups_late = max(read.groups_late for read in reads)
        reads = [self._read(tensor, span, str(operator), span.value, groups_late) for tensor in layer.inputs]
        groups = reads[0].groups
        assert all(read.groups == groups for read in reads)
        rows_in = (groups - 1) * span.down + span.reach
        block = at_block(layer, self.timed[source], self.timed[result], rows_in, groups * span.up, span)
        sources = tuple(
            Source(self.views[tensor].store, read.keep * row, rows_in * row)
            for tensor, read in zip(layer.inputs, reads, strict=True)
            for row in (self.timed[tensor].row,)
        )
        self.views[result] = _View(result)
        zero_point = self.graph.tensors[result].zero_point
        self.stores[result] = Store(
            result,
            self.timed[result].row,
            groups * span.up,
            groups_late * span.up,
            0,
            zero_point,
            False,
            reads[0].left,
        )
        yield Step(block, layer, sources, result, span)

    def _padded(self, view: _View, layer: Pad, before: int, behind: int) -> _View:
        if view.value not in (None, layer.value) and (before or behind):
            raise not_timewise(
                self.graph.operator(layer.operator),
                f"It adds {layer.value} to rows that are padded with {view.value} already",
                "Pad with one value",
            )
        value = layer.value if before or behind else view.value
        return _View(view.store, view.factor, view.shift + before, view.extra + before + behind, value)

    def _read(self, tensor: int, span: Span, who: str, value: int | None, late: int | None = None) -> _Read:
        """How a layer reads a tensor, when its result lags by `late` groups, or by as few as it can."""
        view = self.views[tensor]
        store = self.stores[view.store]
        rows, lag, before = store.rows * view.factor, store.lag * view.factor, span.before + view.shift
        if late is None:
            late = max(0, -(-(lag + span.reach - before) // span.down) - 1)
        after = span.after + view.extra - view.shift
        if before > 0 or after > 0:
            self._fill(view, who, value)
        left = Left(view.store, view.factor, span.add + view.extra - lag, span.down, span.up, 0)
        keep = late * span.down + before - lag
        self.kept[view.store] = max(self.kept.get(view.store, 0), keep * self.timed[tensor].row)
        assert rows % span.down == 0
        plus = span.extra + span.up * late
        return _Read(
            late, keep, rows // span.down, Left(left.store, left.factor, left.add, left.down, left.times, plus)
        )

    def _fill(self, view: _View, who: str, value: int | None) -> None:
        """Notes what is read in place of rows that do not exist."""
        wanted = {number for number in (view.value, value) if number is not None}
        known = self.fills.get(view.store)
        if known is not None:
            wanted.add(known)
        if len(wanted) > 1:
            raise GraphError(
                f"{who} cannot run as a stream.",
                f"Tensor {view.store} is padded with {' and with '.join(map(str, sorted(wanted)))}.",
                "Pad with one value, the zero point of the tensor.",
            )
        self.fills[view.store] = wanted.pop()

    def _lengths(self) -> tuple[int, int]:
        """(granule, shortest record): the lengths at which the network exists.

        Raises:
            LengthError: it exists at others than the multiples of some number.
        """
        far = _FAR // self.period * self.period
        found: list[LengthError] = []
        exists = []
        for rest in range(self.period):
            try:
                timed(self.graph, far + rest)
                exists.append(rest)
            except LengthError as error:
                found.append(error)
        granule = next((g for g in range(1, self.period + 1) if exists == list(range(0, self.period, g))), None)
        if granule is None or self.period % granule:
            raise found[0]
        # Whatever exists at a length exists at every larger one: windows need at least so many rows.
        none, some = 0, far // granule
        while some - none > 1:
            middle = (none + some) // 2
            none, some = (none, middle) if self._exists(middle * granule) else (middle, some)
        return granule, some * granule

    def _exists(self, length: int) -> bool:
        try:
            timed(self.graph, length)
        except LengthError:
            return False
        return True


@dataclass(frozen=True)
class _Read:
    """Groups of output rows by which a result lags, rows kept from before, groups a block, what exists at the end."""

    groups_late: int
    keep: int
    groups: int
    left: Left


def _renames(layer: Layer) -> bool:
    return isinstance(layer, Alias | Pad)
