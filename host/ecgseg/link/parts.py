"""Moves data that may be cut at will, in parts that the line lets through (docs/protocol.md, section 4)."""

from __future__ import annotations

from typing import Any

from ecgseg.errors import DeviceError
from ecgseg.link.answers import PushResult
from ecgseg.link.error_table import error_number
from ecgseg.link.messages import BY_COMMAND, pack, unpack, wrong_answer
from ecgseg.link.numbers import Command, PushFlags, ReadKind, StreamFlags
from ecgseg.link.pace import Patience, Piece
from ecgseg.link.transport import Transport, WrongIndexError

_SAMPLE_BYTES = 2
_TRIES = 2


def _check_push(answer: dict[str, Any], due: int) -> None:
    """Raises WrongAnswerError when PUSH was answered as no right device does; `due`: samples that it has seen now."""
    if answer["samples_seen"] != due:
        raise wrong_answer("PUSH", f"samples_seen is {answer['samples_seen']}, {due} were sent")
    if answer["flags"] & ~int(PushFlags.FRAME_READY):
        raise wrong_answer("PUSH", f"the flags {answer['flags']:#x} have unknown bits")


def _check_feed(answer: dict[str, Any], first: int, count: int) -> int:
    """How many of `count` samples FEED took; raises WrongAnswerError when it was answered as no right device does."""
    taken = (int(answer["samples_seen"]) - first) & 0xFFFFFFFF
    if taken > count:
        raise wrong_answer("FEED", f"samples_seen is {answer['samples_seen']}, {count} were sent behind {first}")
    if answer["flags"] != (StreamFlags.FULL if taken < count else 0):
        raise wrong_answer("FEED", f"it took {taken} of {count} samples and has the flags {answer['flags']:#x}")
    return taken


class Parts:
    """Sends samples and inputs, and reads results.

    A request that is repeated has to be the same in every byte, so a smaller one is another request, with a sequence
    number of its own. It may find that the larger one was carried out after all and only its answer was lost; each
    method finds out.

    Args:
        transport: of the client.

    All methods raise NoAnswerError when nothing got through in time, and DeviceError and LinkError as a client does.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.sending = Piece()
        self.receiving = Piece()

    def push(self, first: int, samples: bytes, frames: int, completion: int) -> PushResult:
        """Pushes samples from the front, at least one and as many as the line lets through.

        Args:
            first: index of the first of them.
            samples: int16, little-endian, as many as one PUSH takes, at least one.
            frames: completed by this stream before.
            completion: samples since RESET_STREAM with which the next frame is complete.

        Raises:
            WrongIndexError: the stream expects a sample that none of these requests leads to.
        """
        patience = self._transport.patience()
        # By the index behind them: samples that the device may have taken, with nobody there to hear its answer.
        unheard: dict[int, int] = {}
        while True:
            size = min(len(samples), self.sending.size // _SAMPLE_BYTES * _SAMPLE_BYTES)
            request = {"first_index": first & 0xFFFFFFFF, "samples": samples[:size]}
            try:
                completes = first + size // _SAMPLE_BYTES >= completion
                answer = self._try(Command.PUSH, request, patience, self.sending, size, completes=completes)
            except WrongIndexError as error:
                if error.expected not in unheard:
                    raise
                done = self._frames_done(frames)
                return PushResult(error.expected, done, done > frames, unheard[error.expected])
            count = size // _SAMPLE_BYTES
            if answer is not None:
                _check_push(answer, (first + count) & 0xFFFFFFFF)
                frame_ready = bool(answer["flags"] & PushFlags.FRAME_READY)
                return PushResult(answer["samples_seen"], answer["frames_done"], frame_ready, count)
            unheard[(first + count) & 0xFFFFFFFF] = count

    def feed(self, first: int, samples: bytes, read: tuple[int, int]) -> tuple[int, dict[str, Any] | None]:
        """Feeds samples to a stream from the front, as many as the line lets through and the device takes.

        Args:
            first: index of the first of them.
            samples: int16, little-endian, as many as one FEED takes, at least one.
            read: events and classes that this host has.

        Returns:
            How many were taken, and the answer; None when the answer that told it was lost.

        Raises:
            WrongIndexError: the stream expects a sample that none of these requests leads to.
        """
        patience = self._transport.patience()
        # Samples that the device may have taken, with nobody there to hear its answer.
        unheard = 0
        acknowledged = {"events_read": read[0] & 0xFFFFFFFF, "classes_read": read[1] & 0xFFFFFFFF}
        while True:
            size = min(len(samples), self.sending.size // _SAMPLE_BYTES * _SAMPLE_BYTES)
            request = {"first_index": first & 0xFFFFFFFF, "samples": samples[:size]} | acknowledged
            count = size // _SAMPLE_BYTES
            try:
                answer = self._try(Command.FEED, request, patience, self.sending, size, completes=True)
            except WrongIndexError as error:
                taken = (error.expected - first) & 0xFFFFFFFF
                if not 0 < taken <= unheard:
                    raise
                return taken, None
            if answer is not None:
                return _check_feed(answer, first, count), answer
            unheard = max(unheard, count)

    def results(self, command: Command, first: int, size: int, most: int) -> dict[str, Any]:
        """Reads results of a stream, as many as the line lets through and the device has.

        Args:
            command: EVENTS or CLASSES.
            first: number of the first one that is wanted; those before it are acknowledged.
            size: bytes of one.
            most: that one answer has room for.

        Returns:
            The answer, with the number of results that were asked for as "asked".
        """
        patience = self._transport.patience()
        while True:
            asked = max(1, min(most, self.receiving.size // size))
            request = {"first": first & 0xFFFFFFFF, "most": asked}
            answer = self._try(command, request, patience, self.receiving, asked * size)
            if answer is not None:
                return answer | {"asked": asked}

    def read(self, kind: ReadKind, offset: int, length: int) -> bytes:
        """Reads from a result, at least one byte and as many as the line lets through.

        Args:
            kind: which result.
            offset: first byte.
            length: of all that is left, at most the largest payload.
        """
        patience = self._transport.patience()
        while True:
            size = min(length, self.receiving.size)
            request = {"kind": kind, "offset": offset, "length": size}
            answer = self._try(Command.READ, request, patience, self.receiving, size)
            if answer is None:
                continue
            part = bytes(answer["data"])
            if len(part) != size:
                raise wrong_answer("READ", f"{kind.name} returned {len(part)} bytes instead of {size}")
            return part

    def write(self, data: bytes, largest: int) -> None:
        """Writes the model's whole input, in parts of at most `largest` bytes."""
        # Where the device may expect the next part: before one whose answer was lost, or behind it.
        starts = [0]
        patience = self._transport.patience()
        while starts[0] < len(data):
            start = starts[0]
            part = data[start : start + min(largest, self.sending.size)]
            try:
                answer = self._try(Command.WRITE, {"offset": start, "data": part}, patience, self.sending, len(part))
            except DeviceError as error:
                if error.code != error_number("INPUT_INCOMPLETE") or len(starts) == 1:
                    raise
                del starts[0]
                patience = self._transport.patience()
                continue
            end = start + len(part)
            if answer is None:
                starts += [] if end in starts else [end]
            elif answer["written"] != end:
                raise wrong_answer("WRITE", f"written is {answer['written']}, {end} bytes were sent")
            else:
                starts, patience = [end], self._transport.patience()

    def _frames_done(self, before: int) -> int:
        """Frames that the stream has completed; asked when the answer that told it was lost."""
        try:
            answer = self._transport.request(Command.FRAME)
        except DeviceError as error:
            if error.code != error_number("NO_FRAME"):
                raise
            return before
        return int(unpack(BY_COMMAND[Command.FRAME].answer, answer)["index"]) + 1

    def _try(
        self,
        command: Command,
        values: dict[str, Any],
        patience: Patience,
        piece: Piece,
        length: int,
        *,
        completes: bool = False,
    ) -> dict[str, Any] | None:
        """Sends or asks for `length` bytes of data; None when nobody knows whether it was carried out.

        It is sent twice before that: one loss says little about the line.
        """
        message = BY_COMMAND[command]
        before = patience.sent
        answer = None
        try:
            answer = self._transport.exchange(
                command, pack(message.request, values), patience, tries=_TRIES, completes=completes
            )
        finally:
            sent = patience.sent - before
            for _ in range(sent if answer is None else sent - 1):
                piece.lost(length)
        if answer is None:
            return None
        if sent == 1:
            piece.arrived(length)
        return unpack(message.answer, answer)
