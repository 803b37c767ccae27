"""The one form of the error when an operator is not supported."""

from __future__ import annotations

from ecgseg.errors import GraphError
from ecgseg.graph.ir import Operator


def unsupported(operator: Operator, why: str, supported: str) -> GraphError:
    """The error for an operator that cannot be rendered; says which, why, and what could be."""
    return GraphError(f"{operator} is not supported as it stands.", f"{why}.", f"Supported: {supported}.")
