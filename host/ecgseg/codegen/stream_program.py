"""A stream with every kernel chosen and every row placed: what is kept in the state, the rest in the arena."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ecgseg.codegen import phases
from ecgseg.codegen.kernels import Kernel, kernel_of
from ecgseg.codegen.kernels.windows import convolution
from ecgseg.codegen.plan import ALIGNMENT, Buffer, Plan, plan
from ecgseg.codegen.program import Call
from ecgseg.codegen.reform import transpose_as_convolution
from ecgseg.errors import GraphError
from ecgseg.graph.layers import Convolution, TransposeConvolution
from ecgseg.graph.stream import Step, Store, Stream

RECORD_BYTES = 16
"""Of an ecgseg_record_t, which the state begins with."""


@dataclass(frozen=True)
class Place:
    """Where rows lie: `offset` bytes into the state's rows or into the arena."""

    kept: bool
    offset: int


@dataclass(frozen=True)
class StreamCall:
    """What a layer does in a block, with its memory.

    Attributes:
        step: the layer.
        call: its kernel; offsets of inputs are there only to tell whether they are aligned.
        inputs: of the computed operands, in the order of the kernel's.
        output: of the new rows.
        in_place: they replace an input.
    """

    step: Step
    call: Call
    inputs: tuple[Place, ...]
    output: Place
    in_place: bool


@dataclass(frozen=True)
class StreamProgram:
    """Everything the templates need.

    Attributes:
        calls: in order of execution.
        new: of every store, where its new rows begin.
        kept: stores in the state, with the offset of their first kept row.
        kept_bytes: of all of them.
        buffers, memory: what lies in the arena, and where.
        answer: where a block's answer begins.
    """

    stream: Stream
    calls: tuple[StreamCall, ...]
    new: dict[int, Place]
    kept: tuple[tuple[Store, int], ...]
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
    placement = _Placement(stream, [_kernel(step) for step in stream.steps])
    calls = tuple(placement.call(number) for number in range(len(stream.steps)))
    return StreamProgram(
        stream=stream,
        calls=calls,
        new={index: placement.new(index) for index in stream.stores},
        kept=tuple((stream.stores[index], offset) for index, offset in placement.kept.items()),
        kept_bytes=placement.kept_bytes,
        buffers=tuple(placement.buffers),
        memory=placement.memory,
        answer=placement.place(stream.output.store, stream.output.back),
    )


def _kernel(step: Step) -> Kernel:
    """The kernel of a layer for the rows of a block."""
    layer = step.layer
    if isinstance(step.whole, TransposeConvolution):
        assert isinstance(layer, TransposeConvolution)
        form = transpose_as_convolution(step.whole)
        if form is not None:
            layer = _as_convolution(form, layer)
    if isinstance(layer, Convolution):
        prepared = phases.prepare(layer)
        taps = max(layer.window.kernel)
        kernel = convolution(layer, along_time=prepared is not None and phases.pays(prepared, taps))
        return replace(kernel, layer=step.layer, form=layer)
    return kernel_of(layer)


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
    """

    def __init__(self, stream: Stream, kernels: Sequence[Kernel]) -> None:
        self.stream, self.kernels = stream, kernels
        self.first = {stream.input.tensor: 0} | {step.store: number for number, step in enumerate(stream.steps)}
        self.readers: dict[int, list[int]] = {stream.output.store: [len(kernels) - 1]}
        for number, step in enumerate(stream.steps):
            for source in step.sources:
                self.readers.setdefault(source.store, []).append(number)
        self.home: dict[int, int] = {}
        self.in_place = [self._merge(step, kernel) for step, kernel in zip(stream.steps, kernels, strict=True)]
        self.kept: dict[int, int] = {}
        self.kept_bytes = 0
        for index, store in stream.stores.items():
            if index not in self.home and (store.kept_bytes > 0 or index == stream.input.tensor):
                self.kept[index] = self.kept_bytes
                self.kept_bytes += -(-(store.kept_bytes + store.new_bytes) // ALIGNMENT) * ALIGNMENT
        self.buffers: list[Buffer] = []
        self.of_store: dict[int, int] = {}
        self.of_scratch: dict[int, int] = {}
        self._buffers()
        self.memory = plan(self.buffers)

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
        if root in self.kept:
            return Place(True, self.kept[root] + self.stream.stores[root].kept_bytes - back)
        return Place(False, self.memory.offsets[self.of_store[root]] - back)

    def call(self, number: int) -> StreamCall:
        """A layer's call."""
        step, kernel = self.stream.steps[number], self.kernels[number]
        inputs = tuple(self.place(source.store, source.back) for source in step.sources)
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
        return StreamCall(step, call, inputs, output, self.in_place[number])

    def _merge(self, step: Step, kernel: Kernel) -> bool:
        """Lets a kernel write over an input of which nothing is kept and that nobody else reads."""
        for tensor, source in zip(step.layer.inputs, step.sources, strict=True):
            store = self.stream.stores[source.store]
            if (
                tensor in kernel.overwrites
                and self.readers[source.store] == [self.first[step.store]]
                and source.store != self.stream.input.tensor
                and store.kept_bytes == 0
                and source.back == 0
                and source.size == store.new_bytes == self.stream.stores[step.store].new_bytes
            ):
                self.home[source.store] = step.store
                return True
        return False

    def _buffers(self) -> None:
        for index, store in self.stream.stores.items():
            if self.root(index) != index or index in self.kept:
                continue
            inside = [other for other in self.stream.stores if self.root(other) == index]
            first = min(self.first[other] for other in inside)
            last = max((number for other in inside for number in self.readers.get(other, [])), default=first)
            self.of_store[index] = len(self.buffers)
            self.buffers.append(Buffer(f"tensor {index}", store.new_bytes, first, max(first, last)))
        for number, kernel in enumerate(self.kernels):
            if kernel.scratch:
                self.of_scratch[number] = len(self.buffers)
                name = f"scratch of {kernel.layer.name} {kernel.layer.operator}"
                self.buffers.append(Buffer(name, 4 * kernel.scratch, number, number))
