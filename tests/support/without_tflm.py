"""A computer without the package tflite-micro, such as a Raspberry Pi or a Mac, for processes and for one test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

MODULES = ("tflite_micro", "tflite_micro.python", "tflite_micro.python.tflite_micro")
# Python imports a module of this name before anything else; None in sys.modules is a module that cannot be imported.
_HIDING = f"""
import importlib.metadata, sys

sys.modules.update(dict.fromkeys({MODULES}))
_found = importlib.metadata.Distribution.from_name


def _from_name(name):
    if name == "tflite-micro":
        raise importlib.metadata.PackageNotFoundError(name)
    return _found(name)


importlib.metadata.Distribution.from_name = staticmethod(_from_name)
"""


def environment_without_tflm(folder: Path) -> dict[str, str]:
    """Environment of a process that has no tflite-micro, neither to import nor installed.

    Args:
        folder: empty; holds what hides it.
    """
    (folder / "sitecustomize.py").write_text(_HIDING, encoding="utf-8")
    before = os.environ.get("PYTHONPATH")
    return {**os.environ, "COLUMNS": "200", "PYTHONPATH": f"{folder}{os.pathsep}{before}" if before else str(folder)}


def hide_tflm(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the package could not be imported, for one test."""
    for name in MODULES:
        monkeypatch.setitem(sys.modules, name, None)
