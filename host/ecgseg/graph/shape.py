"""What kind of model a network is: a segmenter of frames or not, and how many weights it has."""

from __future__ import annotations

from ecgseg.graph.ends import Ends
from ecgseg.graph.ir import Graph
from ecgseg.graph.layers import Network


def segmenter_shape(model: Ends | Network) -> tuple[int, int]:
    """(frame length, classes) of a model [1, .., T, 1] -> [1, .., T, C]; (0, 0) when it is no segmenter."""
    steps, shape = model.input.size, model.output.shape
    if len(shape) < 2 or shape[-2] != steps or model.output.size != steps * shape[-1]:
        return 0, 0
    if not 2 <= steps <= 256 or not 2 <= shape[-1] <= 16:
        return 0, 0
    return steps, shape[-1]


def parameter_count(graph: Graph) -> int:
    """Weights and biases of the int8 graph: constants that an operator other than a view reads."""
    used = {
        index
        for operator in graph.operators
        for position, index in enumerate(operator.inputs)
        if position > 0 and operator.name not in ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
    }
    return sum(graph.tensors[i].size for i in used if i >= 0 and graph.tensors[i].data is not None)
