"""From the graph of a file to a network of layers: every operator checked, every number of it worked out."""

from ecgseg.graph.lower.network import SUPPORTED_OPERATORS, lower

__all__ = ["SUPPORTED_OPERATORS", "lower"]
