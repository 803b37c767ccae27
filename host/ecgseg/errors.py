"""The one exception tree. Every error says what happened, why, and what to do about it.

Tasks catch :class:`EcgsegError` at the top, print the three parts without a traceback and leave with
:attr:`EcgsegError.exit_code`. Anything else that escapes is a bug in ecgseg and is allowed to look like one.
"""

from __future__ import annotations

import os


class EcgsegError(Exception):
    """An error that a user can do something about.

    Args:
        what: what happened, one sentence.
        why: the cause as far as it is known.
        remedy: what to do now.
    """

    exit_code = 2

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.remedy) if part)


class UsageError(EcgsegError):
    """An option or argument that makes no sense (unknown model, record, lead, board)."""


class DataError(EcgsegError):
    """A data set or record is missing, damaged or not what it should be."""

    exit_code = 3


class ModelError(EcgsegError):
    """A model folder, configuration or .tflite file is missing or damaged."""

    exit_code = 4


class GraphError(ModelError):
    """A .tflite file is malformed or holds something the code generator does not support."""


class ToolMissingError(EcgsegError):
    """A program that is needed (compiler, QEMU, J-Link) is not installed."""

    exit_code = 5


class BuildError(EcgsegError):
    """The firmware did not compile or link."""

    exit_code = 6


class TargetError(EcgsegError):
    """A target could not be started, found or flashed; the process or cluster of a training is not there, or died."""

    exit_code = 7


class LinkError(EcgsegError):
    """The device stopped answering or answers what cannot be understood, retries included."""

    exit_code = 8


class DeviceError(LinkError):
    """The device answered with an error of the shared table.

    Args:
        code: number in the error table (docs/protocol.md).
    """

    def __init__(self, code: int, what: str, why: str = "", remedy: str = "") -> None:
        super().__init__(what, why, remedy)
        self.code = code


class OutputError(EcgsegError):
    """A result could not be written (disk full, folder not writable)."""

    exit_code = 9


class ContentError(ValueError):
    """What a file holds is not what it should be. Its text is for a user: a sentence without capital and full stop."""


def cause(error: BaseException, otherwise: str) -> str:
    """Why something failed, as a sentence for a user: what Python and libraries say of it is for those who use them.

    Args:
        error: what was caught. Of an OSError the system's words are told, of a ContentError its own.
        otherwise: the sentence for any other.
    """
    if isinstance(error, ContentError):
        text = str(error)
        return _ended(text[:1].upper() + text[1:])
    if isinstance(error, OSError) and error.errno:
        said = error.strerror or ""
        return _ended(os.strerror(error.errno) if not said or "[" in said else said)
    return "There is not enough memory for it." if isinstance(error, MemoryError) else otherwise


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith(".") else f"{sentence}."
