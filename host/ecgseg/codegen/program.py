"""A network with every kernel chosen and every activation placed."""

from __future__ import annotations

from dataclasses import dataclass

from ecgseg.codegen.kernels import Kernel, kernel_of
from ecgseg.codegen.plan import ALIGNMENT, Buffer, Plan, plan
from ecgseg.errors import GraphError
from ecgseg.graph.layers import Alias, Network


@dataclass(frozen=True)
class Call:
    """A kernel call with its memory.

    Attributes:
        kernel: what is called.
        inputs: offset in the arena per operand, None for the model's input or a constant operand.
        output: offset in the arena.
        scratch: offset in the arena, None without scratch.
        in_place: the output replaces an input.
    """

    kernel: Kernel
    inputs: tuple[int | None, ...]
    output: int
    scratch: int | None
    in_place: bool


@dataclass(frozen=True)
class Program:
    """Everything the templates need.

    Attributes:
        calls: in order of execution.
        buffers, memory: what lies in the arena, and where.
        output: offset of the model's output in the arena.
        direct: the last call writes the model's output and nothing reads it afterwards.
    """

    network: Network
    calls: tuple[Call, ...]
    buffers: tuple[Buffer, ...]
    memory: Plan
    output: int
    direct: bool


class _Placement:
    """Tensors that share memory, and how long each piece of memory is needed."""

    def __init__(self, network: Network, kernels: list[Kernel]) -> None:
        self.network = network
        self.kernels = kernels
        self.alias = {layer.output: layer.inputs[0] for layer in network.layers if isinstance(layer, Alias)}
        self.end = len(kernels)
        self.last_use: dict[int, int] = {}
        for index, kernel in enumerate(kernels):
            for tensor in kernel.layer.inputs:
                self._used(tensor, index)
        self._used(network.output.index, self.end)
        self.in_place = [self._merge(index, kernel) for index, kernel in enumerate(kernels)]

    def storage(self, tensor: int) -> int:
        """The tensor in whose memory this one lies."""
        while tensor in self.alias:
            tensor = self.alias[tensor]
        return tensor

    def _used(self, tensor: int, index: int) -> None:
        storage = self.storage(tensor)
        self.last_use[storage] = max(self.last_use.get(storage, index), index)

    def _merge(self, index: int, kernel: Kernel) -> bool:
        """Lets a kernel write over an input that nobody needs afterwards."""
        output = kernel.layer.output
        source = self.storage(self.network.input.index)
        for tensor in kernel.overwrites:
            storage = self.storage(tensor)
            others = {self.storage(other) for other in kernel.layer.inputs if other not in kernel.overwrites}
            if storage != source and self.last_use[storage] == index and storage not in others:
                self.alias[output] = storage
                self.last_use[storage] = max(index, self.last_use.get(output, index))
                return True
        return False


def compile_network(network: Network) -> Program:
    """Choose the kernels of a network and place its activations.

    Raises:
        GraphError: a layer that no kernel holds, or a model that computes nothing.
    """
    kernels = [kernel_of(layer) for layer in network.layers if not isinstance(layer, Alias)]
    placement = _Placement(network, kernels)
    source = placement.storage(network.input.index)
    result = placement.storage(network.output.index)
    if not kernels or result == source:
        raise GraphError("The model computes nothing.", "Its output is its input.", "Export the right model.")
    buffers: list[Buffer] = []
    of_storage: dict[int, int] = {}
    of_scratch: dict[int, int] = {}
    for index, kernel in enumerate(kernels):
        layer = kernel.layer
        storage = placement.storage(layer.output)
        if storage not in of_storage:
            of_storage[storage] = len(buffers)
            last = min(placement.last_use.get(storage, index), len(kernels) - 1)
            buffers.append(Buffer(f"tensor {layer.output}", layer.output_size, index, last))
        if kernel.scratch:
            of_scratch[index] = len(buffers)
            buffers.append(Buffer(f"scratch of {layer.name} {layer.operator}", 4 * kernel.scratch, index, index))
    memory = plan(buffers)

    def offset(tensor: int | None) -> int | None:
        if tensor is None or placement.storage(tensor) == source:
            return None
        return memory.offsets[of_storage[placement.storage(tensor)]]

    calls = tuple(
        Call(
            kernel,
            tuple(offset(operand.tensor) for operand in kernel.operands),
            memory.offsets[of_storage[placement.storage(kernel.layer.output)]],
            memory.offsets[of_scratch[index]] if index in of_scratch else None,
            placement.in_place[index],
        )
        for index, kernel in enumerate(kernels)
    )
    output = memory.offsets[of_storage[result]]
    direct = placement.storage(kernels[-1].layer.output) == result
    assert all(call.output % ALIGNMENT == 0 for call in calls)
    return Program(network, calls, tuple(buffers), memory, output, direct)
