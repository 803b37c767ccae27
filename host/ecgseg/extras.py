"""Optional packages: told before the work that needs them, each with the line that installs it."""

from __future__ import annotations

from importlib.util import find_spec

from ecgseg.errors import ToolMissingError


def require_tensorflow() -> None:
    """Asks for TensorFlow, which training and the float model need.

    Raises:
        ToolMissingError: it is not installed.
    """
    _require("tensorflow", "TensorFlow", "Only training and the float model need it, so", "train")


def require_micro() -> None:
    """Asks for TensorFlow Lite Micro, by which every int8 model that is trained or measured is proven.

    Raises:
        ToolMissingError: it is not installed.
    """
    # It imports numpy, which the menu does without.
    from ecgseg.graph.oracle import is_available

    if not is_available():
        raise ToolMissingError(
            "TensorFlow Lite Micro is not installed.",
            "What is trained and measured is proven by it; its Python package exists for Linux on x86-64 alone.",
            "Train on such a computer. Everything else works here, with ecgseg's interpreter as the oracle.",
        )


def require_dask() -> None:
    """Asks for Dask, which runs several trainings at once.

    Raises:
        ToolMissingError: it is not installed.
    """
    _require("distributed", "Dask", "Only cross-validation and sweeps need it, so", "train")


def require_neurokit() -> None:
    """Asks for NeuroKit2, one of the peers.

    Raises:
        ToolMissingError: it is not installed.
    """
    _require("neurokit2", "NeuroKit2", "Only the peers need it, so", "peers")


def require_pyarrow() -> None:
    """Asks for pyarrow, which writes Parquet.

    Raises:
        ToolMissingError: it is not installed.
    """
    _require("pyarrow", "pyarrow", "Only --parquet needs it, so", "parquet")


def _require(module: str, name: str, need: str, extra: str) -> None:
    if find_spec(module) is None:
        raise ToolMissingError(
            f"{name} is not installed.", f"{need} `make setup` leaves it out.", f"Run: make setup EXTRAS=dev,{extra}"
        )
