"""Where a training stands, kept in a file so that a killed one goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from ecgseg.errors import ContentError, ModelError, cause
from ecgseg.files import read_arrays, read_file
from ecgseg.output import replacing

NAME = "checkpoint.npz"
# Far more than a network for the device takes, with optimiser and average.
MAX_BYTES = 1 << 30
MAX_ARRAYS = 1 << 12

Arrays = Sequence[npt.NDArray[Any]]


@dataclass(frozen=True)
class Look:
    """One look at the validation patients.

    Attributes:
        step: of the whole training.
        loss: mean training loss since the last look.
        weighted_f1: of the float weights.
        fine_tuning: it is one of the fine-tuning.
    """

    step: int
    loss: float
    weighted_f1: float
    fine_tuning: bool = False


_Looks = TypeAdapter(list[Look])


def chosen(history: Sequence[Look]) -> Look:
    """The best look of a training; of one with a fine-tuning, the best look of that.

    Raises:
        ValueError: there is none.
    """
    tuned = [look for look in history if look.fine_tuning]
    return max(tuned or history, key=lambda look: look.weighted_f1)


def looks_text(history: Sequence[Look], indent: int | None = None) -> str:
    """Looks as JSON; only those of a fine-tuning say whether they are."""
    looks = [{key: value for key, value in asdict(look).items() if key != "fine_tuning" or value} for look in history]
    return json.dumps(looks, indent=indent)


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
    history = looks_text(checkpoint.history)
    with replacing(folder / NAME) as (partial,):
        np.savez(partial, step=checkpoint.step, digest=digest, history=history, **arrays)  # type: ignore[arg-type]


def load(folder: Path, digest: str) -> Checkpoint | None:
    """The checkpoint of a folder; None where there is none of the very same configuration.

    Raises:
        ModelError: there is one that is damaged, or larger than any.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        saved = read_arrays(read_file(path, MAX_BYTES), MAX_BYTES, MAX_ARRAYS)
        if _text(saved["digest"]) != digest:
            return None
        return Checkpoint(
            int(_of_kind(saved["step"], "i")),
            _numbered(saved, "state"),
            _numbered(saved, "best"),
            tuple(_Looks.validate_json(_text(saved["history"]))),
        )
    except KeyError as error:
        raise _damaged(path, f"It has no array {error}.") from error
    except (OSError, ValueError) as error:
        raise _damaged(path, cause(error, "It is no checkpoint of a training.")) from error


def check_fits(checkpoint: Checkpoint, folder: Path, state: Arrays, best: Arrays) -> None:
    """Compares a checkpoint with the training that is to go on from it.

    Args:
        checkpoint: as read.
        folder: that it was read from.
        state, best: of the training at its start.

    Raises:
        ModelError: it is of another network, or damaged.
    """
    for found, wanted in ((checkpoint.state, state), (checkpoint.best, best)):
        if [(array.shape, array.dtype) for array in found] != [(array.shape, array.dtype) for array in wanted]:
            raise _damaged(folder / NAME, "Its arrays are not those of this network.")


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"The training cannot go on from the checkpoint '{path}'.",
        why,
        "Remove it, or start anew with `invoke train --fresh`, which replaces it.",
    )


def _of_kind(array: npt.NDArray[Any], kind: str) -> npt.NDArray[Any]:
    if array.dtype.kind != kind or array.shape != ():
        raise ContentError("one of its values is of another kind")
    return array


def _text(array: npt.NDArray[Any]) -> str:
    return str(_of_kind(array, "U"))


def _numbered(saved: Mapping[str, npt.NDArray[Any]], name: str) -> list[npt.NDArray[Any]]:
    count = sum(key.removeprefix(name).isdecimal() for key in saved if key.startswith(name))
    return [saved[f"{name}{index}"] for index in range(count)]
