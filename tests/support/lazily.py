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
    """Skips the calling file where TensorFlow is not installed, without importing it."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip("TensorFlow comes with the extra 'train'", allow_module_level=True)
