"""Which leads of a test are kept to be drawn: all of them, as long as their signals have room in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecgseg.hil.result import ShownLead

MOST_BYTES = 256 << 20
"""Of signals and masks: 12 leads of seven hours at 500 Hz, or 20,000 of 10 s."""


@dataclass
class ShownLeads:
    """Leads in the order in which they came.

    Args:
        most_bytes: of what is kept; 0 keeps none.

    Attributes:
        leads: those that are kept.
        left_out: how many found no room.
    """

    most_bytes: int = MOST_BYTES
    leads: list[ShownLead] = field(default_factory=list)
    left_out: int = 0

    def __post_init__(self) -> None:
        self._bytes = 0

    def add(self, lead: ShownLead) -> None:
        """Keeps a lead, if there is room."""
        size = lead.record.samples.nbytes + lead.reference.nbytes + lead.device.nbytes
        if self._bytes + size > self.most_bytes:
            self.left_out += 1
            return
        self._bytes += size
        self.leads.append(lead)
