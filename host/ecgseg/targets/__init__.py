"""Starts and stops what runs an image, one module with a `TARGET` for each way, and says what its times are worth."""

from __future__ import annotations

import importlib
import pkgutil
from contextlib import AbstractContextManager
from functools import lru_cache

from ecgseg.errors import UsageError
from ecgseg.image.build import Image
from ecgseg.link.ports import is_remote
from ecgseg.targets.base import RunningTarget, Target, TimeQuality
from ecgseg.targets.options import SimulatorOptions, TargetOptions, TimingCase

__all__ = [
    "RunningTarget",
    "SimulatorOptions",
    "Target",
    "TargetOptions",
    "TimeQuality",
    "TimingCase",
    "open_target",
    "target_of",
    "targets",
    "targets_for",
]


@lru_cache(maxsize=1)
def targets() -> dict[str, Target]:
    """All targets by name."""
    found: dict[str, Target] = {}
    for module in pkgutil.iter_modules(__path__):
        target: Target | None = getattr(importlib.import_module(f"{__name__}.{module.name}"), "TARGET", None)
        if target is not None:
            found[target.name] = target
    return found


def target_of(name: str) -> Target:
    """The target of that name.

    Raises:
        UsageError: there is none.
    """
    known = targets()
    if name not in known:
        raise UsageError(f"There is no target '{name}'.", "", f"Choose one of: {', '.join(sorted(known))}.")
    return known[name]


def targets_for(board: str) -> tuple[str, ...]:
    """Names of the targets that run images of a board, sorted."""
    return tuple(sorted(name for name, target in targets().items() if target.board == board))


def open_target(name: str, image: Image, options: TargetOptions | None = None) -> AbstractContextManager[RunningTarget]:
    """Starts a target with an image; leaving the context stops it.

    One whose port is named by an address runs there already, and nothing is started or stopped.

    Args:
        name: name of the target.
        image: built for the target's board.
        options: what the user says about it.

    Raises:
        UsageError: no such target, or the image is for another board.
        ToolMissingError, TargetError: on entering, when it cannot be started.
    """
    target = target_of(name)
    if image.board != target.board:
        raise UsageError(
            f"The image is for the board {image.board}.",
            f"The target {name} runs images for {target.board}.",
            f"Build it with --board {target.board}.",
        )
    options = options or TargetOptions()
    if not target.real_port and options.port is not None and is_remote(options.port):
        from ecgseg.targets.elsewhere import open_elsewhere

        return open_elsewhere(target, image, options)
    return target.open(image, options)
