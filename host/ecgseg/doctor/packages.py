"""Python packages: which are pinned, and which of them are there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from ecgseg import paths

LOCKS = paths.ROOT / "tools" / "locks"
BASE = "base"
OF_THE_ORACLE = ("tflite-micro", "pyyaml")
"""Pinned, and not installed where TensorFlow Lite Micro is not to be had: the package, and what it alone needs."""
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;]+)(?: *; *([^\\\n]+))?", re.MULTILINE)
"""Name, version, and where it is installed: "" for everywhere."""


@dataclass(frozen=True)
class Packages:
    """Packages that are installed together.

    Attributes:
        pinned: version by name, as it was tested; without those that this computer or Python does without.
        missing: names of those that are not installed.
        other: version that is installed in the place of the pinned one, by name.
    """

    pinned: dict[str, str]
    missing: tuple[str, ...]
    other: dict[str, str]

    @property
    def there(self) -> str:
        """How many of them there are, and which have another version."""
        said = f"{len(self.pinned) - len(self.missing)} of {len(self.pinned)} packages"
        if not self.other:
            return said
        name = min(self.other)
        return f"{said}, {len(self.other)} of another version than tested, such as {name} {self.other[name]}"


def _fits(marker: str) -> bool:
    """Whether a marker, as PEP 508 writes it, is of this computer and Python."""
    if not marker:
        return True
    # A package too, which may be missing; whoever asks tells so.
    from packaging.markers import Marker

    return Marker(marker.strip()).evaluate()


def packages_of(name: str) -> Packages:
    """The packages of an extra such as "train", or those that everything needs (`BASE`); none where no list is.

    An extra's list has what it needs beyond `BASE`.
    """
    try:
        text = (LOCKS / f"{name}.txt").read_text(encoding="utf-8")
    except OSError:
        text = ""
    pinned = {package: told for package, told, marker in _PIN.findall(text) if _fits(marker)}
    installed = {package: installed_version(package) for package in pinned}
    return Packages(
        pinned=pinned,
        missing=tuple(package for package, found in installed.items() if found is None),
        other={package: found for package, found in installed.items() if found and found != pinned[package]},
    )


def installed_version(package: str) -> str | None:
    """Version of a package that is installed, None of one that is not."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
