"""A network with every kernel chosen, its streamed groups found and every activation placed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecgseg.codegen.kernels import Kernel, choices_of
from ecgseg.codegen.optimise import Pick, least_cycles
from ecgseg.codegen.plan import ALIGNMENT, Buffer, Plan, plan
from ecgseg.codegen.rows import RowView
from ecgseg.codegen.streams import Group, Selection, Use, choose, find_groups
from ecgseg.errors import GraphError
from ecgseg.graph.layers import Alias, Network


@dataclass(frozen=True)
class Call:
    """A kernel call with its memory.

    Attributes:
        kernel: what is called.
        inputs: offset in the arena per operand, None for the model's input or a constant operand.
        output: offset in the arena; of a layer that is streamed into the next one, that of the rows that exist at once.
        scratch: offset in the arena, None without scratch.
        in_place: the output replaces an input.
        group, view: the streamed group it belongs to, and the layer along its rows; None outside of groups.
        streamed: per operand, whether the layer before it in the group computes it.
    """

    kernel: Kernel
    inputs: tuple[int | None, ...]
    output: int
    scratch: int | None
    in_place: bool
    group: Group | None
    view: RowView | None
    streamed: tuple[bool, ...]


@dataclass(frozen=True)
class Program:
    """Everything the templates need.

    Attributes:
        calls: in order of execution.
        groups: layers that are streamed into each other.
        buffers, memory: what lies in the arena, and where.
        output: offset of the model's output in the arena.
        direct: the last call writes the model's output and nothing reads it afterwards.
    """

    network: Network
    calls: tuple[Call, ...]
    groups: tuple[Group, ...]
    buffers: tuple[Buffer, ...]
    memory: Plan
    output: int
    direct: bool


class _Tensors:
    """Tensors that share memory because one is another under a new shape, and who reads them."""

    def __init__(self, network: Network, kernels: Sequence[Kernel]) -> None:
        self.kernels = kernels
        self.alias = {layer.output: layer.inputs[0] for layer in network.layers if isinstance(layer, Alias)}
        self.readers: dict[int, set[int]] = {self.storage(network.output.index): {len(kernels)}}
        for index, kernel in enumerate(kernels):
            for tensor in kernel.layer.inputs:
                self.readers.setdefault(self.storage(tensor), set()).add(index)

    def storage(self, tensor: int) -> int:
        """The tensor in whose memory this one lies."""
        while tensor in self.alias:
            tensor = self.alias[tensor]
        return tensor

    def feeds_only(self, index: int, reader: int) -> bool:
        """Whether layer `reader`, and nothing else, reads the output of layer `index`."""
        return self.readers.get(self.storage(self.kernels[index].layer.output)) == {reader}


class _Placement(_Tensors):
    """How long each piece of memory is needed, and where it lies.

    Args:
        network: the network.
        kernels: of its layers, without those that only rename.
        groups: layers that are streamed into each other.
    """

    def __init__(self, network: Network, kernels: Sequence[Kernel], groups: Sequence[Group] = ()) -> None:
        super().__init__(network, kernels)
        self.groups = groups
        self.group_of = {index: group for group in groups for index in range(group.first, group.last + 1)}
        self.source = self.storage(network.input.index)
        self.end = len(kernels)
        # What a group reads it reads until its last step.
        self.last_use = {
            storage: max(self.group_of[index].last if index in self.group_of else index for index in readers)
            for storage, readers in self.readers.items()
        }
        self.in_place = [self._merge(index, kernel) for index, kernel in enumerate(kernels)]
        self.buffers: list[Buffer] = []
        self.of_storage: dict[int, int] = {}
        self.of_scratch: dict[int, int] = {}
        for index, kernel in enumerate(kernels):
            self._buffers_of(index, kernel)
        self.memory = plan(self.buffers, self._clearances())

    def offset(self, tensor: int | None) -> int | None:
        """Where a tensor lies in the arena; None for the model's input and for constants."""
        if tensor is None or self.storage(tensor) == self.source:
            return None
        return self.memory.offsets[self.of_storage[self.storage(tensor)]]

    def is_streamed(self, index: int, tensor: int | None) -> bool:
        """Whether a layer's operand is what the layer before it in its group computes."""
        if tensor is None or index not in self.group_of or index == self.group_of[index].first:
            return False
        return self.storage(tensor) == self.storage(self.kernels[index - 1].layer.output)

    def use(self) -> Use:
        """What this placement needs, layer by layer."""
        ends = [offset + buffer.size for buffer, offset in zip(self.buffers, self.memory.offsets, strict=True)]
        needed = tuple(max(end for _, end in self._alive(index, ends)) for index in range(self.end))
        peak = [
            buffer
            for index in range(self.end)
            if needed[index] == max(needed)
            for buffer, _ in self._alive(index, ends)
        ]
        return Use(needed, (min(buffer.first for buffer in peak), max(buffer.last for buffer in peak)))

    def _alive(self, index: int, ends: Sequence[int]) -> list[tuple[Buffer, int]]:
        """Buffers that are needed while a layer runs, with their ends."""
        return [
            (buffer, end)
            for buffer, end in zip(self.buffers, ends, strict=True)
            if buffer.first <= index <= buffer.last
        ]

    def _merge(self, index: int, kernel: Kernel) -> bool:
        """Lets a kernel write over an input that nobody needs afterwards."""
        if index in self.group_of:
            return False
        output = kernel.layer.output
        for tensor in kernel.overwrites:
            storage = self.storage(tensor)
            others = {self.storage(other) for other in kernel.layer.inputs if other not in kernel.overwrites}
            if storage != self.source and self.last_use[storage] == index and storage not in others:
                self.alias[output] = storage
                self.last_use[storage] = max(index, self.last_use.get(output, index))
                return True
        return False

    def _buffers_of(self, index: int, kernel: Kernel) -> None:
        layer, group = kernel.layer, self.group_of.get(index)
        first, last = (group.first, group.last) if group else (index, index)
        storage = self.storage(layer.output)
        if storage not in self.of_storage:
            self.of_storage[storage] = len(self.buffers)
            if group and index < group.last:
                position = index - group.first
                rows = group.held_rows[position]
                size = rows * group.views[position].row_bytes
                self.buffers.append(Buffer(f"tensor {layer.output} ({rows} rows)", size, first, last))
            else:
                until = min(self.last_use.get(storage, last), self.end - 1)
                self.buffers.append(Buffer(f"tensor {layer.output}", layer.output_size, first, until))
        if kernel.scratch:
            self.of_scratch[index] = len(self.buffers)
            name = f"scratch of {layer.name} {layer.operator}"
            self.buffers.append(Buffer(name, 4 * kernel.scratch, first, last))

    def _clearances(self) -> dict[tuple[int, int], int]:
        """How the result of a group may overlap what the group reads for the last time."""
        result: dict[tuple[int, int], int] = {}
        for group in self.groups:
            written = self.of_storage[self.storage(self.kernels[group.last].layer.output)]
            for read, distance in self._last_reads(group):
                result[read, written] = max(distance, result.get((read, written), distance))
        return result

    def _last_reads(self, group: Group) -> Iterator[tuple[int, int]]:
        """Buffers that are read in a group for the last time, with their clearance of its result."""
        for position, kernel in enumerate(self.kernels[group.first : group.last + 1]):
            for number, operand in enumerate(kernel.operands):
                storage = None if operand.tensor is None else self.storage(operand.tensor)
                if storage is None or storage == self.source or self.last_use[storage] != group.last:
                    continue
                read = self.of_storage[storage]
                if self.buffers[read].first < group.first:
                    # Lines along time under a gain per channel come back to each row for every channel.
                    in_place = operand.tensor in kernel.overwrites and not kernel.values.get("across")
                    yield read, group.clearance(position, number, in_place=in_place)


def compile_network(network: Network, select: Selection = choose, pick: Pick = least_cycles) -> Program:
    """Choose the kernels of a network, the layers that are streamed, and the place of every activation.

    Args:
        network: the network.
        select: picks the groups of streamed layers out of all that could be.
        pick: picks the kernels out of all that compute a layer.

    Raises:
        GraphError: a layer that no kernel holds, or a model that computes nothing.
    """
    chosen = pick([choices_of(layer) for layer in network.layers if not isinstance(layer, Alias)])
    kernels = [choice.kernel for choice in chosen]
    tensors = _Tensors(network, kernels)
    if not kernels or tensors.storage(network.output.index) == tensors.storage(network.input.index):
        raise GraphError("The model computes nothing.", "Its output is its input.", "Export the right model.")
    groups = select(
        find_groups(kernels, tensors.feeds_only, tensors.storage),
        lambda chosen: _Placement(network, kernels, chosen).use(),
    )
    placement = _Placement(network, kernels, groups)
    memory = placement.memory
    calls = tuple(
        Call(
            kernel,
            tuple(placement.offset(operand.tensor) for operand in kernel.operands),
            memory.offsets[placement.of_storage[placement.storage(kernel.layer.output)]],
            memory.offsets[placement.of_scratch[index]] if index in placement.of_scratch else None,
            placement.in_place[index],
            group := placement.group_of.get(index),
            group.views[index - group.first] if group else None,
            tuple(placement.is_streamed(index, operand.tensor) for operand in kernel.operands),
        )
        for index, kernel in enumerate(kernels)
    )
    storage = placement.storage(network.output.index)
    output = memory.offsets[placement.of_storage[storage]]
    direct = placement.storage(kernels[-1].layer.output) == storage
    assert all(call.output % ALIGNMENT == 0 for call in calls)
    return Program(network, calls, groups, tuple(placement.buffers), memory, output, direct)
