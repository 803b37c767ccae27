"""Requests over a serial port: sequence numbers, deadlines, repetition of what got lost."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import serial

from ecgseg.errors import DeviceError, LinkError, UsageError, cause
from ecgseg.link import messages
from ecgseg.link.error_table import error_entry, error_number
from ecgseg.link.framing import FrameCounters, FrameDecoder, encode_frame
from ecgseg.link.messages import Answer, WrongAnswerError, wrong_answer
from ecgseg.link.numbers import PAYLOAD_MAX, PROTOCOL_VERSION, Command
from ecgseg.link.pace import Line, Patience, Waits
from ecgseg.link.ports import PORT_FAULTS, Port

OnWait = Callable[[str], None]
"""Is told, in a sentence, that an answer does not come."""

WAIT_SECONDS = 2.0
_GRACE_SECONDS = 0.004
# Of a device that never stops sending only so much is looked at before the clock is.
_READ_MAX = 8192


@dataclass
class LinkCounters:
    """What the host has seen since the client was made.

    Attributes:
        requests: requests asked by the caller.
        retries: repetitions of a request whose answer did not come in time.
        stray_answers: good answers to an earlier request, dropped.
        crc_errors: damaged frames from the device, dropped.
    """

    requests: int = 0
    retries: int = 0
    stray_answers: int = 0
    crc_errors: int = 0


class NoAnswerError(LinkError):
    """The device does not answer, repetitions included."""


class OtherVersionError(WrongAnswerError):
    """The device speaks another version of the protocol: it is none of this release."""


class WrongIndexError(DeviceError):
    """PUSH did not continue the stream.

    Attributes:
        expected: the index of the sample that the stream expects next.
    """

    def __init__(self, code: int, expected: int, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__(code, what, why, remedy)
        self.expected = expected


class Transport:
    """One request at a time; each gets its answer or an error.

    Args:
        port: an open port with a short `timeout`.
        answer_seconds: how long to wait for an answer before the request is sent again. Each further wait is twice as
            long as the one before.
        attempts: how often a request is sent before the link is given up. On a line that loses much there are more
            attempts with shorter waits, in the same time (`Patience`).
        on_wait: is told what is waited for after two seconds without an answer, and every two seconds after.
    """

    def __init__(
        self, port: Port, answer_seconds: float = 1.0, attempts: int = 5, on_wait: OnWait | None = None
    ) -> None:
        self.port = port
        self.answer_seconds = answer_seconds
        self.attempts = attempts
        self.counters = LinkCounters()
        self.on_wait = on_wait
        self._before = LinkCounters()
        self._told = 0.0
        self._subject = ""
        self._line = Line()
        self._sequence = secrets.randbelow(0x10000)
        self._decoder = FrameDecoder(FrameCounters())

    def request(
        self,
        command: Command,
        payload: bytes = b"",
        *,
        answer_seconds: float | None = None,
        attempts: int | None = None,
    ) -> bytes:
        """Sends a request and returns the payload of its answer.

        Args:
            command: what to do.
            payload: packed fields of the request.
            answer_seconds: overrides the first wait, for requests that take long.
            attempts: overrides the number of attempts.

        Raises:
            DeviceError: the device answered with an error; it is not sent again.
            NoAnswerError: no answer.
            LinkError: an answer that makes no sense, or the port is gone.
            UsageError: the payload is larger than any device takes; nothing was sent.
        """
        if len(payload) > PAYLOAD_MAX:
            raise UsageError(
                f"{command.name} with {len(payload)} bytes does not fit one request.",
                f"A payload has at most {PAYLOAD_MAX} bytes; a device would drop more without an answer.",
                "Send it in parts.",
            )
        answer = self.exchange(command, payload, self.patience(answer_seconds, attempts))
        assert answer is not None  # without a number of tries there is an answer or an error
        return answer

    def patience(self, answer_seconds: float | None = None, attempts: int | None = None) -> Patience:
        """How long a request may take; the two override what holds for every request. It begins now."""
        self.begin()
        return Patience(
            self._line,
            self.answer_seconds if answer_seconds is None else answer_seconds,
            self.attempts if attempts is None else attempts,
            follows_line=answer_seconds is None,
        )

    def begin(self) -> None:
        """What comes from now on, and how long it takes, belongs to the next request."""
        self._before = replace(self.counters)
        self._told = time.monotonic()

    def forget_start(self) -> None:
        """Counts the first answered HELLO alone: what it took a device to start is not the line's doing."""
        self.counters.requests, self.counters.retries = 1, 0
        self._line = self._line.after_start()

    def exchange(
        self,
        command: Command,
        payload: bytes,
        patience: Waits,
        *,
        tries: int | None = None,
        completes: bool = False,
    ) -> bytes | None:
        """Like `request`, within what is left of a patience, for a request that may be cut anew.

        Args:
            command: what to do.
            payload: packed fields of the request.
            patience: shared by all requests that stand for one.
            tries: after so many attempts without an answer nobody knows whether the request was carried out, and the
                return value is None; the next one has a sequence number of its own. None: until patience ends.
            completes: a PUSH that completes a frame: it takes as long as the model, others no time.

        Raises:
            As `request` does.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        frame = encode_frame(messages.request_body(command, self._sequence, payload))
        self.counters.requests += 1
        self._subject = patience.subject or f"the device's answer to {command.name}"
        work, count = (command, completes), 0
        while tries is None or count < tries:
            wait = patience.next_wait(work)
            if wait is None:
                raise NoAnswerError(
                    f"The device does not answer to {command.name}.",
                    f"{patience.sent} attempt{'s' * (patience.sent != 1)} in {patience.waited:.1f} s; "
                    f"{self._came()} came back.",
                    "Check port, baud rate and cable, and that the firmware runs; "
                    "press reset on the board and try again.",
                )
            self.counters.retries += patience.sent > 1
            started, damaged = time.monotonic(), self.counters.crc_errors
            answer = self._attempt(frame, command, wait)
            if answer is not None:
                self._line.answered(work, None if count else time.monotonic() - started)
                return _checked(answer)
            is_damaged = self.counters.crc_errors > damaged
            self._line.lost(work, time.monotonic() - started if is_damaged else None)
            count += 1
        return None

    def _came(self) -> str:
        """What has come back for a request that is no answer to it."""
        damaged = self.counters.crc_errors - self._before.crc_errors
        strays = self.counters.stray_answers - self._before.stray_answers
        return f"{damaged} damaged frames, {strays} answers to other requests"

    def _tell(self) -> None:
        """Says every two seconds without an answer what is waited for."""
        now = time.monotonic()
        if self.on_wait and now - self._told >= WAIT_SECONDS:
            self._told = now
            self.on_wait(f"Waiting for {self._subject}.")

    def _attempt(self, frame: bytes, command: Command, wait: float) -> Answer | None:
        try:
            self.port.write(frame)
            return self._answer(command, time.monotonic() + wait)
        except serial.SerialTimeoutException:
            # The device does not take bytes: the same as no answer.
            return None
        except PORT_FAULTS as error:
            raise LinkError(
                "The port is gone.",
                cause(error, "It was unplugged, or another program reads from it."),
                "Check the cable, or whether the program behind the port has ended.",
            ) from error
        finally:
            self.counters.crc_errors = self._decoder.counters.damaged

    def _answer(self, command: Command, deadline: float) -> Answer | None:
        """The answer to the newest request; None at the deadline, or when it seems to have come in damaged."""
        damaged = self._decoder.counters.damaged
        until = deadline
        while time.monotonic() < until:
            self._tell()
            data = self.port.read(min(max(1, self.port.in_waiting), _READ_MAX))
            for body in self._decoder.feed(data):
                answer = messages.parse_answer(body)
                if answer and answer.sequence == self._sequence and answer.command == command:
                    return answer
                self.counters.stray_answers += 1
            if data and self._decoder.counters.damaged > damaged:
                # When nothing more comes, the answer it was. Else it was something else, and the answer is on its way.
                until = min(deadline, time.monotonic() + _GRACE_SECONDS)
        return None


def check_version(version: int) -> None:
    """Raises OtherVersionError when a device speaks another version of the protocol."""
    if version != PROTOCOL_VERSION:
        raise OtherVersionError(
            f"The device speaks version {version} of the protocol, this host version {PROTOCOL_VERSION}.",
            "Firmware and host are of different releases.",
            "Build and flash the firmware again, or use the matching release of the host.",
        )


def _checked(answer: Answer) -> bytes:
    """Payload of a good answer; raises what the device complains about."""
    check_version(answer.version)
    if answer.error == 0:
        return answer.payload
    entry = error_entry(answer.error)
    what = f"The device refused {Command(answer.command).name}: error {entry.number} {entry.name}."
    if entry.number == error_number("WRONG_INDEX") and len(answer.payload) == 4:
        expected = int.from_bytes(answer.payload, "little")
        why = f"{entry.meaning} It expects sample {expected}."
        raise WrongIndexError(entry.number, expected, what, why, entry.remedy)
    if answer.payload:
        detail = f"its error is {entry.number} and {len(answer.payload)} bytes of an answer follow"
        raise wrong_answer(Command(answer.command).name, detail)
    raise DeviceError(entry.number, what, entry.meaning, entry.remedy)
