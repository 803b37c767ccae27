"""Changes JSON so that it stays JSON: what checks values is reached only behind what parses them."""

from __future__ import annotations

import json
import random
from typing import Any

_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1 << 64,
    0.5,
    1e308,
    float("nan"),
    "",
    "train",
    "\x1b[31m",
    [],
    {},
    [0],
    "é",
)
_BYTES_IN = 4  # one change in so many is of bytes


def change_json(data: bytes, largest: int, seed: int) -> bytes:
    """A change of an input whose first byte is followed by JSON; where it is not, of bytes.

    Args:
        data: the input.
        largest: bytes that the changed one may have.
        seed: decides about the change.
    """
    choose = random.Random(seed)
    try:
        document = json.loads(data[1:])
        if choose.randrange(_BYTES_IN) == 0 or not isinstance(document, dict | list) or not document:
            return _change_bytes(data, largest, choose)
        _change(document, choose)
        changed = data[:1] + json.dumps(document).encode()
    except (ValueError, RecursionError):  # no JSON, or too deep
        return _change_bytes(data, largest, choose)
    return changed if len(changed) <= largest else _change_bytes(data, largest, choose)


def _change_bytes(data: bytes, largest: int, choose: random.Random) -> bytes:
    """Some bytes at one place become others, none, or more."""
    place = choose.randrange(len(data) + 1)
    changed = data[:place] + choose.randbytes(choose.randrange(4)) + data[place + choose.randrange(4) :]
    return changed[:largest]


def _change(document: dict[str, Any] | list[Any], choose: random.Random) -> None:
    """Replaces, removes or copies one value somewhere in a document that is not empty."""
    places = list(_places(document))
    holder, key = choose.choice(places)
    other, other_key = choose.choice(places)
    match choose.randrange(4):
        case 0:
            del holder[key]
        case 1:
            holder[key] = json.loads(json.dumps(other[other_key]))
        case _:
            holder[key] = choose.choice(_VALUES)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder and key or index of a value in it, through all depths."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    found = [(value, key) for key in keys]
    return found + [place for key in keys for place in _places(value[key])]
