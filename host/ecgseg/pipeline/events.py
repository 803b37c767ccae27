"""Records of what happens in a stream of ECG: beats with their intervals, and changes of the signal's state."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from ecgseg.pipeline.times import TICK_MS


class EventKind(IntEnum):
    """What an event tells, the same in C (ECGSEG_EVENT_*)."""

    BEAT = 1
    LONE_P = 2
    LEAD_OFF_BEGIN = 3
    LEAD_OFF_END = 4
    FLAT_BEGIN = 5
    FLAT_END = 6
    NOISY_BEGIN = 7
    NOISY_END = 8
    GAP = 9
    OVERRUN = 10


class EventFlag(IntFlag):
    """Which fields of a beat are known, the same in C (ECGSEG_HAS_*)."""

    P_ON = 1
    P_OFF = 2
    T_ON = 4
    T_OFF = 8
    RR = 16
    QTC = 32
    BAZETT = 64


POINTS_OF_A_BEAT = (
    ("p_on", EventFlag.P_ON),
    ("p_off", EventFlag.P_OFF),
    ("qrs_on", EventFlag(0)),
    ("qrs_off", EventFlag(0)),
    ("t_on", EventFlag.T_ON),
    ("t_off", EventFlag.T_OFF),
)
"""Onsets and offsets in their order: field of the event, ticks from R, and the flag that says it is known."""


@dataclass(frozen=True)
class Event:
    """One event; the fields in the order in which they lie in memory, little-endian, 48 bytes.

    A field that is not known is 0, and `flags` says which are. Ticks are 5 ms (ecgseg.pipeline.times).

    Attributes:
        tick: BEAT: of R, from the start of the stream; LONE_P: where it begins; others: where the state changed, or the
            first tick that is missing.
        number: how many events came before.
        length: ticks: at the end of a state how long it was; GAP and OVERRUN: how much is missing. At most 2^32 - 1.
        kind: EventKind.
        quality: BEAT: 0 to 100, how far its QRS stands out of what is around it.
        flags: EventFlag.
        r_uv: R from the level in front of the QRS, microvolts, saturated.
        r_fine: R from `tick`, in 1/32 of a sample at 100 Hz (1/16 of a tick), -8 to 7.
        p_on, p_off, qrs_on, qrs_off, t_on, t_off: ticks from `tick`.
        rr_ms: from the R of the beat before.
        rate_tenths: beats a minute in tenths, over the last up to eight RR intervals.
        pr_ms, qrs_ms, qt_ms: P onset to QRS onset, QRS onset to offset, QRS onset to T offset.
        qtc_ms: QT corrected by `rr_ms` after Fridericia, or after Bazett where a flag says so.
    """

    tick: int
    number: int
    length: int
    kind: int
    quality: int = 0
    flags: int = 0
    r_uv: int = 0
    r_fine: int = 0
    p_on: int = 0
    p_off: int = 0
    qrs_on: int = 0
    qrs_off: int = 0
    t_on: int = 0
    t_off: int = 0
    rr_ms: int = 0
    rate_tenths: int = 0
    pr_ms: int = 0
    qrs_ms: int = 0
    qt_ms: int = 0
    qtc_ms: int = 0

    def pack(self) -> bytes:
        """The event as it lies in the device's memory."""
        return _LAYOUT.pack(*(getattr(self, name) for name in _NAMES))

    @staticmethod
    def unpack(data: bytes) -> Event:
        """The event of 48 bytes.

        Raises:
            struct.error: another number of bytes.
        """
        return Event(*_LAYOUT.unpack(data))

    def has(self, flag: EventFlag) -> bool:
        """True when all that the flag says is known."""
        # Of days of ECG this is asked millions of times, and flags of an enumeration are slow.
        bits = int(flag)
        return self.flags & bits == bits

    @property
    def milliseconds(self) -> int:
        """Milliseconds of `tick` from the start of the stream."""
        return TICK_MS * self.tick


_LAYOUT = struct.Struct("<QIIBBHhh6h6H")
EVENT_BYTES = _LAYOUT.size
_NAMES = tuple(Event.__dataclass_fields__)
