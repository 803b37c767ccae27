"""The file in which a user names the targets of a rig: TOML, checked key by key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from ecgseg.choices import did_you_mean
from ecgseg.errors import ContentError, DataError, EcgsegError, cause
from ecgseg.files import plain, read_toml
from ecgseg.hil.inject import parse_faults
from ecgseg.link.ports import check_remote, is_remote
from ecgseg.targets import targets

MAX_BYTES = 1 << 20
DEFAULT_SECONDS = 4 * 3600
_SHOWN = 5

Word = Annotated[str, Field(min_length=1, max_length=1000)]


class RigTarget(BaseModel):
    """One target of a rig.

    Attributes:
        name: in tables and names of files.
        target: as --target of `hil-test`.
        models: as --model, tested one after the other.
        port: of a board, or the address of a port elsewhere; as --port.
        serial: of a board's J-Link.
        baud: of a board.
        flash: put each model on the board before its test.
        records, leads: as the options of `hil-test`.
        stream: every model has to be one of a stream.
        inject: faults that are put into the line, as --inject.
        seconds: how long a test may take at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$")]
    target: Word
    models: Annotated[tuple[Word, ...], Field(min_length=1, max_length=64)]
    port: Word | None = None
    serial: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None = None
    baud: Annotated[StrictInt, Field(ge=1, le=100_000_000)] | None = None
    flash: StrictBool = False
    records: Word = "test"
    leads: Word = "all"
    stream: StrictBool = False
    inject: Word | None = None
    seconds: Annotated[StrictInt, Field(ge=1, le=30 * 24 * 3600)] = DEFAULT_SECONDS

    @field_validator("target")
    @classmethod
    def _is_target(cls, name: str) -> str:
        known = sorted(targets())
        if name not in known:
            raise _wrong(f"there is no such target.{did_you_mean(name, known)} Known: {', '.join(known)}")
        return name

    @field_validator("port")
    @classmethod
    def _is_port(cls, port: str | None) -> str | None:
        if port is not None and is_remote(port):
            _asked(check_remote, port)
        return port

    @field_validator("inject")
    @classmethod
    def _is_faults(cls, faults: str | None) -> str | None:
        if faults is not None:
            _asked(parse_faults, faults)
        return faults


class RigFile(BaseModel):
    """What the file says: its targets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Annotated[tuple[RigTarget, ...], Field(min_length=1, max_length=64)]


def read_rig_file(path: Path) -> RigFile:
    """Reads and checks the file.

    Raises:
        DataError: it cannot be read, is no TOML, or breaks a rule; broken rules are told by target and key.
    """
    found: dict[str, Any] = {}
    try:
        found = read_toml(path, MAX_BYTES)
        rig = RigFile.model_validate(found)
    except ValidationError as error:
        raise _not_valid(path, [_broken(item, found) for item in error.errors(include_url=False)]) from error
    except (OSError, ContentError) as error:
        why, remedy = cause(error, "The system does not say."), "Check the file (docs/rig.md)."
        raise DataError(f"The rig {plain(str(path))} cannot be read.", why, remedy) from error
    wrong = [*_twice(rig), *(fault for target in rig.target for fault in _unfit(target))]
    if wrong:
        raise _not_valid(path, wrong)
    return rig


def _twice(rig: RigFile) -> Iterator[str]:
    """What no two targets may have in common."""
    for key in ("name", "port", "serial"):
        counted = Counter(getattr(target, key) for target in rig.target)
        for value in (value for value, count in counted.items() if value is not None and count > 1):
            yield f"{key}: {counted[value]} targets have '{plain(value, 80)}'; each needs its own"


def _unfit(target: RigTarget) -> Iterator[str]:
    """Keys that do not go with a target."""
    is_board = targets()[target.target].real_port
    given = target.model_fields_set
    if not is_board:
        for key in ("serial", "baud", "flash"):
            if key in given:
                yield f"{target.name}, {key}: it is about a board, and {target.target} is none"
        if target.port is not None and not is_remote(target.port):
            why = f"{target.target} is started here and brings its own"
            forms = "socket://HOST:PORT or rfc2217://HOST:PORT"
            yield f"{target.name}, port: {why}; the address of one elsewhere is {forms}"
    holds_one = (is_board and not target.flash) or target.port is not None
    if len(target.models) > 1 and holds_one and not target.flash:
        yield f"{target.name}, models: what stands behind a port runs one model; `flash = true` puts each on a board"
    if len(set(target.models)) < len(target.models):
        yield f"{target.name}, models: one of them is named twice"


def _asked(check: Any, text: str) -> None:
    try:
        check(text)
    except EcgsegError as error:
        raise _wrong(f"{error.what} {error.why}".strip().rstrip(".")) from error


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("rig", "{text}", {"text": text})


def _broken(item: ErrorDetails, found: Mapping[str, Any]) -> str:
    """A rule that is broken, told by the target's name and the key."""
    place = [str(part) if isinstance(part, str) else part for part in item["loc"]]
    words: list[str] = []
    if place[:1] == ["target"] and len(place) > 1 and isinstance(place[1], int):
        words, place = [_called(found["target"][place[1]], place[1])], place[2:]
    words += [plain(".".join(map(str, place)), 80)] if place else []
    where = ", ".join(words) or "the whole"
    if item["type"] == "extra_forbidden":
        known = list(RigTarget.model_fields if len(item["loc"]) > 1 else RigFile.model_fields)
        return f"{where}: there is no such key.{did_you_mean(str(place[-1]), known)} Known: {', '.join(known)}"
    if item["type"] == "missing":
        return f"{where}: it is missing"
    told = f" (found {plain(repr(item['input']), 80)})" if not isinstance(item["input"], dict) else ""
    return f"{where}: {item['msg']}{told}"


def _called(target: object, index: int) -> str:
    name = target.get("name") if isinstance(target, dict) else None
    return plain(name, 40) if isinstance(name, str) and name else f"[[target]] number {index + 1}"


def _not_valid(path: Path, wrong: list[str]) -> DataError:
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return DataError(
        f"The rig {plain(str(path))} is not valid.",
        "\n".join([*wrong[:_SHOWN], *more]),
        "Correct the named keys (docs/rig.md).",
    )
