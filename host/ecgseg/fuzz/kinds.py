"""What can be fuzzed, by name: what reads the bytes, and how long and large an input may make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ecgseg import paths

CORPORA = paths.ROOT / "tests" / "vectors" / "fuzz"
FOLDER = paths.BUILD / "fuzz"
DEVICE = "device"


@dataclass(frozen=True)
class Kind:
    """One fuzzer.

    Attributes:
        name: as the user types it.
        purpose: what it feeds, in the words of a heading.
        largest: bytes of an input.
        seconds: an input that takes longer is a finding.
        modules: of Python whose branches guide it; none for the device, which is compiled.
    """

    name: str
    purpose: str
    largest: int
    modules: tuple[str, ...] = ()
    seconds: int = 20

    @property
    def corpus(self) -> Path:
        """Committed inputs that it starts from."""
        return CORPORA / self.name

    @property
    def folder(self) -> Path:
        """Where what it has found lies: the inputs that reach something new, and the findings."""
        return FOLDER / self.name

    @property
    def findings(self) -> Path:
        """Inputs that ended badly, each with what was said."""
        return self.folder / "findings"


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(DEVICE, "requests to the firmware", 4096),
        Kind("client", "answers to the host", 8192, ("ecgseg.link",)),
        Kind("tflite", "models", 1 << 16, ("ecgseg.graph", "ecgseg.codegen")),
        Kind("npz", "kept frames", 1 << 15, ("ecgseg.hil", "numpy.lib", "zipfile")),
        Kind("wfdb", "recordings", 1 << 13, ("ecgseg.data", "wfdb")),
        Kind("recording", "recordings of other formats", 1 << 13, ("ecgseg.data", "pyedflib", "numpy.lib", "zipfile")),
        Kind("archive", "downloaded archives", 1 << 13, ("ecgseg.data", "zipfile")),
        Kind("config", "configuration.json and metrics.json", 1 << 13, ("ecgseg.zoo",)),
    )
}
"""Every fuzzer, in the order in which they run."""
