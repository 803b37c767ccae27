"""Where a training stands, kept in a file so that a killed one goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ecgseg.output import replacing

NAME = "checkpoint.npz"

Arrays = Sequence[npt.NDArray[Any]]


@dataclass(frozen=True)
class Look:
    """One look at the validation patients: step, mean training loss since the last one, weighted F1 (float)."""

    step: int
    loss: float
    weighted_f1: float


@dataclass(frozen=True)
class Checkpoint:
    """A training after some step.

    Attributes:
        step: steps done.
        state: weights, optimiser and averaged weights, in the trainer's order.
        best: averaged weights of the best look so far.
        history: all looks so far.
    """

    step: int
    state: Arrays
    best: Arrays
    history: tuple[Look, ...]


def save(folder: Path, checkpoint: Checkpoint, digest: str) -> None:
    """Replaces the checkpoint of a folder.

    Args:
        folder: of the training.
        checkpoint: what to keep.
        digest: of the configuration that is trained.

    Raises:
        OutputError: the disk is full, or the place is not writable.
    """
    arrays = {f"state{index}": value for index, value in enumerate(checkpoint.state)}
    arrays |= {f"best{index}": value for index, value in enumerate(checkpoint.best)}
    history = json.dumps([asdict(look) for look in checkpoint.history])
    with replacing(folder / NAME) as (partial,):
        np.savez(partial, step=checkpoint.step, digest=digest, history=history, **arrays)  # type: ignore[arg-type]


def load(folder: Path, digest: str) -> Checkpoint | None:
    """The checkpoint of a folder; None where there is none of the very same configuration."""
    path = folder / NAME
    if not path.is_file():
        return None
    with np.load(path) as saved:
        if str(saved["digest"]) != digest:
            return None
        history = tuple(Look(**look) for look in json.loads(str(saved["history"])))
        return Checkpoint(int(saved["step"]), _numbered(saved, "state"), _numbered(saved, "best"), history)


def _numbered(saved: Any, name: str) -> list[npt.NDArray[Any]]:
    count = sum(key.removeprefix(name).isdecimal() for key in saved.files if key.startswith(name))
    return [saved[f"{name}{index}"] for index in range(count)]
