"""Which releases a TensorFlow Lite Micro tree is made of: what its owner wrote down, else what git knows."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pydantic import RootModel, ValidationError

from ecgseg.errors import DataError
from ecgseg.image.tflm.tree import THIRD_PARTY_FOLDERS, Tree

FILE = "ecgseg-versions.json"
FRAMEWORK = "TensorFlow Lite Micro"
UNKNOWN = "not known: the tree does not tell"
# Names as the page shows them, and the folder of each below those of the third parties.
_PARTS = {"CMSIS-NN": "cmsis_nn", "flatbuffers": "flatbuffers", "gemmlowp": "gemmlowp", "ruy": "ruy"}
_SECONDS = 60


class _Written(RootModel[dict[str, str]]):
    """What the owner of the tree wrote into FILE: text by name."""


def versions_of(tree: Tree) -> dict[str, str]:
    """The releases in a tree, by name; UNKNOWN where it tells none.

    FILE in the tree comes first: it may tell what nobody can see in a folder, such as the flags of the libraries. What
    it leaves out is the commit of the folder's own git checkout.

    Raises:
        DataError: FILE is no JSON object of texts.
    """
    found = {FRAMEWORK: _commit(tree.root)}
    for name, folder in _PARTS.items():
        places = (tree.root / place / folder for place in THIRD_PARTY_FOLDERS)
        found[name] = next((_commit(place) for place in places if place.is_dir()), None)
    return {**{name: version or UNKNOWN for name, version in found.items()}, **_written(tree.root / FILE)}


def versions_in(root: Path, folders: Mapping[str, Path]) -> dict[str, str]:
    """The releases in a tree of another kind, by name, as `versions_of` finds them.

    Args:
        root: of the tree, where FILE lies.
        folders: of each project in it, by its name.

    Raises:
        DataError: FILE is no JSON object of texts.
    """
    found = {name: _commit(folder) or UNKNOWN for name, folder in folders.items()}
    return {**found, **_written(root / FILE)}


def _written(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        return _Written.model_validate_json(path.read_bytes()).root
    except ValidationError as error:
        raise DataError(
            f"'{path}' does not tell versions.",
            f"It has to be a JSON object of texts: {error.errors()[0]['msg']}.",
            "Correct it (docs/tflm.md shows one), or delete it: then the commits of git checkouts are taken.",
        ) from error


def _commit(folder: Path) -> str | None:
    """Commit and date of the checkout whose top is that folder; not of one that it merely lies in."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    command = [git, "-C", str(folder), "log", "-1", "--abbrev=12", "--format=commit %h (%cs)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return done.stdout.strip() or None
