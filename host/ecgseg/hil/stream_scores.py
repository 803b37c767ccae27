"""Scores of a stream in a HIL test: of the device, by rhythm, and of peers on the same leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ecgseg.data.records import Record
from ecgseg.printable import printable
from ecgseg.scoring.delineation import Delineation, DelineationCollector, DelineationScores

Peer = Callable[[Record], Delineation]


@dataclass(frozen=True)
class Scored:
    """All scores; None and empty where nothing is annotated."""

    whole: DelineationScores | None
    by_rhythm: dict[str, DelineationScores]
    peers: dict[str, DelineationScores]


@dataclass
class StreamScores:
    """Collects them lead by lead.

    Args:
        peers: other delineators, by name.

    Attributes:
        not_scored: why a lead was left out, or None.
    """

    peers: Mapping[str, Peer] = field(default_factory=dict)
    not_scored: str | None = None

    def __post_init__(self) -> None:
        self._whole = DelineationCollector()
        self._rhythms: dict[str, DelineationCollector] = {}
        self._peers = {name: DelineationCollector() for name in self.peers}

    def add(self, record: Record, found: Delineation) -> None:
        """Adds what the device found in a lead, and what the peers find in it."""
        if record.span is None:
            return
        self._whole.add(record, found)
        self._rhythms.setdefault(record.rhythm, DelineationCollector()).add(record, found)
        for name, peer in self.peers.items():
            self._peers[name].add(record, peer(record))

    def leave_out(self, record: Record, why: str) -> None:
        """A lead is not scored."""
        self.not_scored = self.not_scored or f"record {record.label}, lead {record.lead}: {printable(why)}"

    def result(self) -> Scored:
        """Scores so far. Whatever goes wrong here is told, and takes nothing else away."""
        try:
            return Scored(self._whole.scores(), _scored(self._rhythms), _scored(self._peers))
        except Exception as error:
            self.not_scored = self.not_scored or printable(f"{type(error).__name__}: {error}")
            return Scored(None, {}, {})


def _scored(groups: Mapping[str, DelineationCollector]) -> dict[str, DelineationScores]:
    found = {name: group.scores() for name, group in groups.items()}
    return {name: scores for name, scores in found.items() if scores is not None}


def classical_peers() -> dict[str, Peer]:
    """NeuroKit2's dwt and prominence, by name and version.

    Raises:
        ToolMissingError: NeuroKit2 is not installed.
    """
    from ecgseg.scoring.peers import NeuroKit

    def asked(peer: NeuroKit) -> Peer:
        return lambda record: Delineation.of_segments(peer(record))

    found = [NeuroKit(method, 4) for method in ("dwt", "prominence")]
    return {peer.name: asked(peer) for peer in found}
