"""What goes to a page: blocks of samples and classes as bytes, everything else as JSON.

A block is little-endian: kind (1 samples, 2 classes), channels, epoch modulo 65536, take, place of the first value
since the start of the take; then int16 [n, channels], or uint8 [n]. The page's side is
report/templates/monitor_store.js.j2.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict

import numpy as np

from ecgseg.monitor.noise import NOISES
from ecgseg.monitor.sources import Source
from ecgseg.monitor.state import Figures, State
from ecgseg.monitor.tape import Piece, Take, Told
from ecgseg.pipeline.events import POINTS_OF_A_BEAT, EventFlag, EventKind

_HEAD = struct.Struct("<BBHII")
_SAMPLES, _CLASSES = 1, 2
_BEGUN = {
    EventKind.LEAD_OFF_BEGIN: "lead off",
    EventKind.FLAT_BEGIN: "flat",
    EventKind.NOISY_BEGIN: "noisy",
    EventKind.GAP: "gap",
    EventKind.OVERRUN: "overrun",
}


def samples_block(take: Take, piece: Piece) -> bytes:
    """Samples as a message."""
    head = _HEAD.pack(_SAMPLES, take.channels, take.epoch & 0xFFFF, take.number, piece.first)
    return head + np.ascontiguousarray(piece.values, "<i2").tobytes()


def classes_block(take: Take, piece: Piece) -> bytes:
    """Classes as a message."""
    head = _HEAD.pack(_CLASSES, 1, take.epoch & 0xFFFF, take.number, piece.first)
    return head + np.ascontiguousarray(piece.values, np.uint8).tobytes()


def about(sources: list[Source], facts: dict[str, str | float]) -> str:
    """What does not change: what can be chosen, and what runs."""
    labels = [source.label for source in sources]
    return _message("about", {"records": labels, "noises": NOISES, **facts})


def state_message(take: Take, state: State) -> str:
    """A session as it is, without its figures."""
    told = asdict(state)
    del told["figures"], told["version"]
    return _message("state", {**told, **asdict(take), "channels": state.channels})


def figures_message(figures: Figures) -> str:
    """Figures of the newest beat."""
    return _message("figures", asdict(figures))


def events_message(take: Take, events: list[Told]) -> str:
    """Beats, lone P waves and changes of the signal's state, in ticks of 5 ms from the start of the take."""
    told = [_event(one) for one in events]
    return _message("events", {"number": take.number, "epoch": take.epoch, "events": [one for one in told if one]})


def _event(told: Told) -> dict[str, object]:
    event = told.event
    if event.kind == EventKind.BEAT:
        places = {name: event.tick + getattr(event, name) for name, flag in POINTS_OF_A_BEAT if event.has(flag)}
        rate = event.rate_tenths / 10 if event.has(EventFlag.RR) else None
        return {"what": "beat", "r": event.tick + event.r_fine / 16, "rate": rate, **places}
    if event.kind == EventKind.LONE_P:
        off = {"p_off": event.tick + event.p_off} if event.has(EventFlag.P_OFF) else {}
        return {"what": "p", "p_on": event.tick, **off}
    if event.kind in _BEGUN:
        return {"what": "note", "at": event.tick, "text": _BEGUN[EventKind(event.kind)]}
    return {}


def _message(kind: str, values: dict[str, object]) -> str:
    return json.dumps({"type": kind, **values}, separators=(",", ":"), allow_nan=False)
