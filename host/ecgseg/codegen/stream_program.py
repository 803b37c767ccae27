"""A stream with every kernel chosen and every row placed: what is kept in the state, the rest in the arena.

Rows that are kept lie in one of three ways:

* resident: kept and new rows behind each other in the state; after a block what is kept moves to the front;
* carried: in the state lie the kept rows alone, which are copied in front of the new ones when these are there, and
  replaced by what the next block keeps. So the memory of new rows is shared. It pays where little is kept;
* in a ring: in the state lie the kept rows alone, and new rows take the place of the oldest when the kernel has read
  both. Nothing moves. It needs a kernel that reads rings, as many rows kept as its taps reach back, and no position of
  a block that reads the place of another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import gcd, lcm

from ecgseg.codegen import phases, threes
from ecgseg.codegen.kernels import Kernel, kernel_of
from ecgseg.codegen.kernels.windows import convolution
from ecgseg.codegen.kernels.windows import threes as threes_kernel
from ecgseg.codegen.plan import ALIGNMENT, Buffer, Plan, plan
from ecgseg.codegen.program import Call
from ecgseg.codegen.reform import transpose_as_convolution
from ecgseg.errors import GraphError
from ecgseg.graph.layers import Convolution, TransposeConvolution
from ecgseg.graph.stream import Source, Step, Store, Stream

RECORD_BYTES = 20
"""Of an ecgseg_record_t, which the state begins with."""


@dataclass(frozen=True)
class Place:
    """Where rows lie: `offset` bytes into the state's rows or into the arena."""

    kept: bool
    offset: int


@dataclass(frozen=True)
class Ring:
    """Kept rows that new ones replace: where they lie in the state, how many, how many are new in a block."""

    offset: int
    rows: int
    new: int


@dataclass(frozen=True)
class Carried:
    """Kept rows that are copied: where they lie in the state, their bytes, where the new ones begin in the arena."""

    offset: int
    kept_bytes: int
    new: int


@dataclass(frozen=True)
class StreamCall:
    """What a layer does in a block, with its memory.

    Attributes:
        step: the layer.
        call: its kernel; offsets of inputs are there only to tell whether they are aligned.
        inputs: of the computed operands, in the order of the kernel's.
        output: of the new rows.
        in_place: they replace an input.
        ring: that its taps but the last read.
    """

    step: Step
    call: Call
    inputs: tuple[Place, ...]
    output: Place
    in_place: bool
    ring: Ring | None


@dataclass(frozen=True)
class StreamProgram:
    """Everything the templates need.

    Attributes:
        calls: in order of execution.
        new: of every store, where its new rows begin.
        kept: stores of which the state holds rows, with the offset of the first kept one.
        resident: those of them whose new rows are in the state, too.
        carried: those that are copied, by tensor.
        turns: blocks after which all rings stand as they stood; 0 without rings.
        kept_bytes: of all of them.
        buffers, memory: what lies in the arena, and where.
        answer: where a block's answer begins.
    """

    stream: Stream
    calls: tuple[StreamCall, ...]
    new: dict[int, Place]
    kept: tuple[tuple[Store, int], ...]
    resident: frozenset[int]
    carried: dict[int, Carried]
    turns: int
    kept_bytes: int
    buffers: tuple[Buffer, ...]
    memory: Plan
    answer: Place

    @property
    def state_bytes(self) -> int:
        """Of the state."""
        return RECORD_BYTES + self.kept_bytes


def compile_stream(stream: Stream) -> StreamProgram:
    """Choose the kernels of a stream and the place of every row.

    Raises:
        GraphError: a layer that no kernel holds, or a model that computes nothing.
    """
    if not stream.steps:
        raise GraphError("The model computes nothing.", "Its output is its input.", "Export the right model.")
    kernels = [_kernel(step) for step in stream.steps]
    sizes = {store.kept_bytes for store in stream.stores.values()}
    # What is gained by carrying little comes with the second store, so all limits are tried.
    placements = [_Placement(stream, kernels, limit) for limit in sorted({0, *sizes})]
    placement = min(placements, key=lambda found: found.kept_bytes + found.memory.size)
    return StreamProgram(
        stream=stream,
        calls=tuple(placement.call(number) for number in range(len(stream.steps))),
        new={index: placement.new(index) for index in stream.stores},
        kept=tuple((stream.stores[index], offset) for index, offset in placement.kept.items()),
        resident=frozenset(placement.resident),
        carried={
            index: Carried(placement.kept[index], stream.stores[index].kept_bytes, placement.new(index).offset)
            for index in placement.carried
        },
        turns=_turns(placement.rings.values()),
        kept_bytes=placement.kept_bytes,
        buffers=tuple(placement.buffers),
        memory=placement.memory,
        answer=placement.place(stream.output.store, stream.output.back),
    )


def _turns(rings: Iterable[Ring]) -> int:
    return lcm(*(ring.rows // gcd(ring.rows, ring.new) for ring in rings)) if rings else 0


def _kernel(step: Step) -> Kernel:
    """The kernel of a layer for the rows of a block."""
    layer = step.layer
    if isinstance(step.whole, TransposeConvolution):
        assert isinstance(layer, TransposeConvolution)
        form = transpose_as_convolution(step.whole)
        if form is not None:
            layer = _as_convolution(form, layer)
    if isinstance(layer, Convolution):
        return replace(_convolution(layer), layer=step.layer, form=layer)
    return kernel_of(layer)


def _convolution(layer: Convolution) -> Kernel:
    """The kernel that takes the fewest cycles for the rows of a block."""
    plain = convolution(layer, along_time=False)
    costs = [(_conv_cycles(layer), plain)]
    three, phase = threes.prepare(layer), phases.prepare(layer)
    if three is not None:
        costs.append((three.cycles, threes_kernel(layer, three)))
    if phase is not None:
        costs.append((phase.cycles, convolution(layer)))
    return min(costs, key=lambda cost: cost[0])[1]


def _conv_cycles(layer: Convolution) -> int:
    """About what ecgseg_conv takes on a Cortex-M4."""
    taps = layer.window.kernel[0] * layer.window.kernel[1]
    groups = -(-taps * layer.in_channels // 4)
    positions = layer.window.out_size[0] * layer.window.out_size[1]
    pair = 17 * groups + 42
    return -(-positions // 2) * (-(-layer.out_channels // 2) * pair + 12 * groups + 40 * taps + 50)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _as_convolution(form: Convolution, layer: TransposeConvolution) -> Convolution:
    """The convolution that a transposed one is, for the rows of a block: all that it reads is there."""
    window = form.window
    side = next(axis for axis in (0, 1) if window.in_size[axis] > 1)
    rows, taps = layer.window.in_size[side], window.kernel[side]
    size = (rows, 1) if side == 0 else (1, rows)
    out = (rows - taps + 1, 1) if side == 0 else (1, rows - taps + 1)
    return replace(form, window=replace(window, in_size=size, out_size=out, pad=(0, 0)), output_size=layer.output_size)


class _Placement:
    """Where everything lies.

    Args:
        stream: the stream.
        kernels: of its steps.
        limit: stores that keep at most so many bytes are carried.
    """

    def __init__(self, stream: Stream, kernels: Sequence[Kernel], limit: int) -> None:
        self.stream, self.kernels = stream, kernels
        self.first = {stream.input.tensor: 0} | {step.store: number for number, step in enumerate(stream.steps)}
        self.readers: dict[int, list[int]] = {stream.output.store: [len(kernels) - 1]}
        for number, step in enumerate(stream.steps):
            for source in step.sources:
                self.readers.setdefault(source.store, []).append(number)
        self.rings: dict[int, Ring] = {}
        self.kept: dict[int, int] = {}
        self.kept_bytes = 0
        self.carried: set[int] = set()
        self.resident: set[int] = set()
        self._keep(limit)
        self.home: dict[int, int] = {}
        self.in_place = [False] * len(kernels)
        # From the end, so that it is known where the rows lie into which others are merged.
        for number in reversed(range(len(kernels))):
            self.in_place[number] = self._merge(stream.steps[number], kernels[number])
        self.buffers: list[Buffer] = []
        self.of_store: dict[int, int] = {}
        self.of_scratch: dict[int, int] = {}
        self._buffers()
        self.memory = plan(self.buffers)

    def _keep(self, limit: int) -> None:
        """Gives every store that keeps rows its place in the state."""
        for index, store in self.stream.stores.items():
            is_input = index == self.stream.input.tensor
            if store.kept_bytes == 0 and not is_input:
                continue
            size = store.kept_bytes
            rows = 0 if is_input else self._ring_rows(store)
            if rows:
                self.rings[index] = Ring(self.kept_bytes, rows, store.rows)
            elif store.kept_bytes <= limit and not is_input:
                self.carried.add(index)
            else:
                self.resident.add(index)
                size += store.new_bytes
            self.kept[index] = self.kept_bytes
            self.kept_bytes += _aligned(size)

    def _ring_rows(self, store: Store) -> int:
        """Rows of the ring that a store may be, else 0."""
        readers = self.readers.get(store.tensor, [])
        if len(readers) != 1 or self.kernels[readers[0]].function != "threes":
            return 0
        values, source = self.kernels[readers[0]].values, self.stream.steps[readers[0]].sources[0]
        rows = (values["taps"] - 1) * values["dilation"]
        whole = source.back == store.kept_bytes == rows * store.row_bytes and values["in_channels"] == store.row_bytes
        return rows if whole and store.rows == values["positions"] <= values["dilation"] else 0

    def root(self, store: int) -> int:
        """The store in whose new rows these lie."""
        while store in self.home:
            store = self.home[store]
        return store

    def new(self, store: int) -> Place:
        """Where the new rows of a store begin."""
        return self.place(store, 0)

    def place(self, store: int, back: int) -> Place:
        """A place so many bytes before the new rows of a store."""
        root = self.root(store)
        if root in self.resident:
            return Place(True, self.kept[root] + self.stream.stores[root].kept_bytes - back)
        return Place(False, self.memory.offsets[self.of_store[root]] + self._front(root) - back)

    def _inside(self, root: int) -> list[int]:
        """Stores whose new rows lie in those of one."""
        return [other for other in self.stream.stores if self.root(other) == root]

    def _front(self, root: int) -> int:
        """Bytes that are left free before new rows, for those that are copied there."""
        return _aligned(
            max((self.stream.stores[i].kept_bytes for i in self._inside(root) if i in self.carried), default=0)
        )

    def call(self, number: int) -> StreamCall:
        """A layer's call."""
        step, kernel = self.stream.steps[number], self.kernels[number]
        ring = self.rings.get(step.sources[0].store) if kernel.function == "threes" else None
        inputs = tuple(self.place(source.store, 0 if ring else source.back) for source in step.sources)
        computed = iter(inputs)
        places = [None if operand.constant else next(computed) for operand in kernel.operands]
        output = self.new(step.store)
        call = Call(
            kernel,
            tuple(None if place is None or place.offset % ALIGNMENT else place.offset for place in places),
            output.offset,
            self.memory.offsets[self.of_scratch[number]] if number in self.of_scratch else None,
            self.in_place[number],
            None,
            None,
            tuple(False for _ in places),
        )
        return StreamCall(step, call, inputs, output, self.in_place[number], ring)

    def _merge(self, step: Step, kernel: Kernel) -> bool:
        """Lets a kernel write over the new rows of an input that nobody reads afterwards."""
        for tensor, source in zip(step.layer.inputs, step.sources, strict=True):
            store, result = self.stream.stores[source.store], self.stream.stores[step.store]
            if (
                self.readers[source.store] == [self.first[step.store]]
                and source.store != self.stream.input.tensor
                and store.new_bytes == result.new_bytes
                and store.row_bytes == result.row_bytes
                and self._overwrites(tensor, source, kernel)
                and source.store not in self.resident
                and not (source.store in self.carried and self.root(step.store) in self.resident)
            ):
                self.home[source.store] = step.store
                return True
        return False

    def _overwrites(self, tensor: int, source: Source, kernel: Kernel) -> bool:
        """Whether a kernel may write over the new rows of what it reads."""
        new_bytes = self.stream.stores[source.store].new_bytes
        if kernel.function in ("threes", "phases"):
            # Both read a row at the latest for the position that comes to lie there.
            return source.size - source.back == new_bytes
        return tensor in kernel.overwrites and source.back == 0 and source.size == new_bytes

    def _buffers(self) -> None:
        for index, store in self.stream.stores.items():
            if self.root(index) != index or index in self.resident:
                continue
            inside = self._inside(index)
            first = min(self.first[other] for other in inside)
            last = max((number for other in inside for number in self.readers.get(other, [])), default=first)
            self.of_store[index] = len(self.buffers)
            self.buffers.append(
                Buffer(f"tensor {index}", self._front(index) + store.new_bytes, first, max(first, last))
            )
        for number, kernel in enumerate(self.kernels):
            if kernel.scratch:
                self.of_scratch[number] = len(self.buffers)
                name = f"scratch of {kernel.layer.name} {kernel.layer.operator}"
                self.buffers.append(Buffer(name, 4 * kernel.scratch, number, number))
