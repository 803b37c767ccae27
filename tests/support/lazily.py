"""Modules that a test file imports when a test first uses them.

Every worker of the suite collects every file, but only one of them runs the tests of a file: what takes seconds to
import is imported by that one alone.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import pytest


class Lazily:
    """Stands for the module of that name; its attributes are the module's."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # asked by whoever collects the tests, not by one of them
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)


def needs_tensorflow() -> None:
    """Skips the calling file, or test, where TensorFlow is not installed, without importing it."""
    _needs("tensorflow", "TensorFlow", "train")


def needs_dask() -> None:
    """The same of Dask."""
    _needs("distributed", "Dask", "train")


def needs_neurokit() -> None:
    """The same of NeuroKit2."""
    _needs("neurokit2", "NeuroKit2", "peers")


def needs_pyarrow() -> None:
    """The same of pyarrow."""
    _needs("pyarrow", "pyarrow", "parquet")


def _needs(module: str, name: str, extra: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{name} comes with the extra '{extra}'", allow_module_level=True)
