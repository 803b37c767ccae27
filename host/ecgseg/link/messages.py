"""Messages of the link to bytes and back, by the tables of the description."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecgseg.errors import LinkError
from ecgseg.link.description import Field, description
from ecgseg.link.numbers import ANSWER_BIT, PROTOCOL_VERSION

MESSAGES = tuple(description().messages.values())
BY_COMMAND = {message.number: message for message in MESSAGES}
_REQUEST_HEADER = description().records["REQUEST_HEADER"]
_ANSWER_HEADER = description().records["ANSWER_HEADER"]


def room(command: int, payload_max: int) -> int:
    """Bytes that are left in a request for its last field.

    Args:
        command: one whose request ends in all that is left.
        payload_max: largest payload that the device takes, bytes.
    """
    return payload_max - sum(field.size or 0 for field in BY_COMMAND[command].request)


def pack(fields: Sequence[Field], values: Mapping[str, Any]) -> bytes:
    """Payload of a message.

    Raises:
        struct.error, KeyError: a value does not fit its field or is missing.
    """
    return b"".join(_pack_field(field, values[field.name]) for field in fields)


def _pack_field(field: Field, value: Any) -> bytes:
    if field.layout:
        return struct.pack(field.layout, *(value if isinstance(value, tuple) else (value,)))
    if field.kind == "bytes":
        return bytes(value)
    text = str(value).encode("utf-8")[:255]
    return bytes([len(text)]) + text


def unpack(fields: Sequence[Field], payload: bytes) -> dict[str, Any]:
    """Values of a payload by field name.

    Raises:
        WrongAnswerError: the payload is shorter or longer than its fields.
    """
    values: dict[str, Any] = {}
    offset = 0
    for field in fields:
        offset = _unpack_field(field, payload, offset, values)
    if offset != len(payload):
        raise _misfit(f"{len(payload) - offset} bytes are left over")
    return values


def _unpack_field(field: Field, payload: bytes, offset: int, values: dict[str, Any]) -> int:
    if field.kind == "bytes":
        values[field.name] = payload[offset:]
        return len(payload)
    if field.layout:
        end = offset + struct.calcsize(field.layout)
    else:
        end = offset + 1 + (payload[offset] if offset < len(payload) else 0)
    if end > len(payload):
        raise _misfit(f"it ends in the field {field.name}")
    if field.layout:
        parts = struct.unpack_from(field.layout, payload, offset)
        values[field.name] = parts[0] if len(parts) == 1 else parts
    else:
        values[field.name] = payload[offset + 1 : end].decode("utf-8", errors="replace")
    return end


class WrongAnswerError(LinkError):
    """An answer that arrived whole and says what no right device can say: the device differs, not the line."""


def wrong_answer(command: str, detail: str) -> WrongAnswerError:
    """The error for an answer to `command`; `detail` says what is wrong, without a full stop."""
    return WrongAnswerError(
        f"The answer to {command} is not one that a right device gives.",
        f"Its checksum is right, but {detail}.",
        "Use a host of the same release as the firmware, or build and flash the firmware again.",
    )


def _misfit(detail: str) -> WrongAnswerError:
    return WrongAnswerError(
        "An answer of the device does not have the expected layout.",
        f"Its checksum is right, but {detail}.",
        "Use a host of the same release as the firmware, or build and flash the firmware again.",
    )


def request_body(command: int, sequence: int, payload: bytes, version: int = PROTOCOL_VERSION) -> bytes:
    """Body of a request: version, command, sequence number, payload."""
    head = {"version": version, "command": command, "sequence": sequence}
    return pack(_REQUEST_HEADER.fields, head) + payload


@dataclass(frozen=True)
class Answer:
    """Body of an answer taken apart; `command` is that of the request."""

    version: int
    command: int
    sequence: int
    error: int
    payload: bytes


def parse_answer(body: bytes) -> Answer | None:
    """The answer in a frame body; None when the body is no answer."""
    if len(body) < _ANSWER_HEADER.size:
        return None
    head = unpack(_ANSWER_HEADER.fields, body[: _ANSWER_HEADER.size])
    if not head["command"] & ANSWER_BIT:
        return None
    return Answer(
        head["version"],
        head["command"] & ~ANSWER_BIT,
        head["sequence"],
        head["error"],
        body[_ANSWER_HEADER.size :],
    )
