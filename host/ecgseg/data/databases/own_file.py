"""The file in which a user declares a database of his own: TOML, checked key by key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ecgseg.data.recording import MOST_RATE, STEPS_TOLD, UNITS, scale_of
from ecgseg.errors import ContentError, DataError, cause
from ecgseg.files import broken_rules, plain, read_toml

MAX_BYTES = 1 << 20
MOST_RECORDS = 10_000
MOST_LEADS = 64
SETS = ("train", "val", "test")
# Sources that are no database of a user's.
_TAKEN = ("ludb", "qtdb", "synthetic", "noise", "replay", "file", "random")

Text = Annotated[str, Field(max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Symbol = Annotated[str, Field(min_length=1, max_length=8)]


class OwnFile(BaseModel):
    """What the file says.

    Attributes:
        name: of the database, in results.
        description, licence, citation: for people.
        folder: of the records, from the file's own folder.
        records: names of the records without suffix, or a pattern of their headers' or files' names such as "*.hea".
        reader: "wfdb", or "any" of the formats that `invoke segment` reads, whose records go by their whole file names.
        rate, unit, columns: what the records do not say, or say wrong, as the options of `invoke segment` tell it.
        annotator: suffix of the WFDB annotation file of a record, or "{lead}" where every lead has its own.
        symbols: what its symbols mean where that is not WFDB's meaning: p, N (a QRS complex), t, u, (, ), or nothing.
        leads: names or numbers of the channels that are ECG; empty: all voltages of a record.
        waves: kinds of waves that are annotated, each wherever it is.
        annotated: "marks": from a record's first mark to its last; "runs": of beats that were chosen by hand.
        rhythm: rhythm by name of record.
        patients: patient by name of record; without it each record is of a patient of its own.
        split: records, or patients where there are `patients`, by set; or "patients": drawn by patient.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    description: Text = ""
    licence: Text = ""
    citation: Text = ""
    folder: Name = "."
    records: Name | Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST_RECORDS)] = "*.hea"
    reader: Literal["wfdb", "any"] = "wfdb"
    rate: Annotated[int, Field(ge=1, le=MOST_RATE)] | None = None
    unit: Annotated[str, Field(max_length=40)] | None = None
    columns: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    annotator: Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]{1,20}|\{lead\})$")]
    symbols: dict[Symbol, Literal["p", "N", "t", "u", "(", ")", ""]] = {}
    leads: Annotated[tuple[Name, ...], Field(max_length=MOST_LEADS)] = ()
    waves: Annotated[tuple[Literal["P", "QRS", "T"], ...], Field(min_length=1)] = ("P", "QRS", "T")
    annotated: Literal["marks", "runs"] = "marks"
    rhythm: dict[Name, Name] = {}
    patients: dict[Name, Name] = {}
    split: Literal["patients"] | dict[Literal["train", "val", "test"], tuple[Name, ...]] = {}

    @model_validator(mode="after")
    def _hangs_together(self) -> OwnFile:
        if self.unit is not None and scale_of(self.unit) is None:
            raise ValueError(f"unit is none of a voltage; known: {', '.join(UNITS)}. {STEPS_TOLD}")
        if self.name in _TAKEN:
            raise ValueError(f"the name '{self.name}' is taken; others are free")
        names = [self.folder, *((self.records,) if isinstance(self.records, str) else self.records)]
        if not all(map(is_name, names[1:])):
            raise ValueError("names of records are printable and hold no comma")
        if any(Path(text).is_absolute() or ".." in Path(text).parts for text in names[1:]):
            raise ValueError("records lie in the folder: no / in front and no .. in their names")
        if isinstance(self.split, dict):
            _check_apart(self.split)
        return self


def _check_apart(split: dict[Literal["train", "val", "test"], tuple[str, ...]]) -> None:
    seen: dict[str, str] = {}
    for name, members in split.items():
        twice = sorted({member for member in members if member in seen})
        if twice:
            raise ValueError(f"{twice[0]} is in {seen[twice[0]]} and in {name}")
        seen |= dict.fromkeys(members, name)


def read_own_file(path: Path) -> OwnFile:
    """Reads and checks the file.

    Raises:
        DataError: it cannot be read, is no TOML, or breaks a rule; every broken rule is named.
    """
    try:
        return OwnFile.model_validate(read_toml(path, MAX_BYTES))
    except ValidationError as error:
        why, remedy = broken_rules(error), "Correct the named keys (docs/data.md)."
        raise DataError(f"The database {plain(str(path))} is not valid.", why, remedy) from error
    except (OSError, ContentError) as error:
        why, remedy = cause(error, "The system does not say."), "Check the file (docs/data.md)."
        raise DataError(f"The database {plain(str(path))} cannot be read.", why, remedy) from error


def is_name(text: str) -> bool:
    """Whether a record may be called so: it can be printed, and named in a list with commas between."""
    return text.isprintable() and "," not in text


def unknown_members(said: Iterable[str], known: Iterable[str]) -> list[str]:
    """What is said that is not known, in order."""
    there = set(known)
    return [member for member in said if member not in there]
