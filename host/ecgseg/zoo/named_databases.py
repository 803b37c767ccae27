"""The databases that a configuration names: declared, checked before anything is read, and read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ecgseg.data.databases.declaration import Database
from ecgseg.data.databases.known import database_of
from ecgseg.data.databases.loader import folder_of, load_record, parse_leads, require_waves
from ecgseg.data.records import Record, excerpts
from ecgseg.errors import ModelError
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.recipe import DatabaseConfiguration

# Of a recording that is longer only what is annotated is kept, with what a stream remembers in front of it.
_WHOLE_S = 60.0
_BEFORE_S, _AFTER_S = 10.0, 1.0


@dataclass(frozen=True)
class Share:
    """Further records to train on.

    Attributes:
        name: what they are, for people.
        weight: the share of the training frames they get.
        border: how many samples on either side of a change of the label are not learned from.
        real: they are of a database that the configuration names.
    """

    name: str
    records: tuple[Record, ...]
    weight: float
    border: int = 0
    real: bool = False


@dataclass(frozen=True)
class Wanted:
    """What a configuration wants of a database: names of its records, none of which is in both."""

    said: DatabaseConfiguration
    declared: Database
    training: tuple[str, ...]
    validation: tuple[str, ...]

    def records(self, names: Sequence[str]) -> tuple[Record, ...]:
        """Leads of records, of long ones the annotated parts.

        Raises:
            DataError: a record cannot be read.
        """
        declared = self.declared
        folder, leads = folder_of(declared), parse_leads(declared, ",".join(self.said.leads) or "all")
        return tuple(
            part for name in names for record in load_record(declared, folder, name, leads) for part in _parts(record)
        )


def _parts(record: Record) -> list[Record]:
    return [record] if record.samples.size <= _WHOLE_S * record.rate else excerpts(record, _BEFORE_S, _AFTER_S)


def wanted_databases(configuration: ModelConfiguration) -> Iterator[Wanted]:
    """What a configuration wants of each database that it names; of the records nothing is read yet.

    Raises:
        DataError: a database is not valid or not here, or has not the waves that the model tells.
        UsageError: it has no such set, record or lead.
        ModelError: a record is both trained on and chosen on, or for acceptance alone.
    """
    for said in configuration.data.databases:
        declared = database_of(said.database)
        folder_of(declared)
        require_waves(declared, configuration.classes)
        parse_leads(declared, ",".join(said.leads) or "all")
        training, validation = (_selected(declared, words) for words in (said.training, said.validation))
        shared = sorted(set(training) & set(validation))
        if shared:
            raise ModelError(
                f"Record {shared[0]} of {declared.title} is both trained on and validated on.",
                f"So are {len(shared) - 1} more." if len(shared) > 1 else "The model would be chosen on what it knows.",
                "Correct data.databases in the configuration.",
            )
        foreign = sorted({*training, *validation} - set(declared.trainable())) if declared.trainable else []
        if foreign:
            raise ModelError(
                f"Record {foreign[0]} of {declared.title} is for acceptance alone.",
                "Models are compared on it, which none of them may have seen.",
                "Correct data.databases in the configuration.",
            )
        yield Wanted(said, declared, training, validation)


def _selected(declared: Database, words: str | Sequence[str]) -> tuple[str, ...]:
    return declared.select(words if isinstance(words, str) else ",".join(words)) if words else ()


def named_databases(configuration: ModelConfiguration) -> tuple[tuple[Share, ...], tuple[Record, ...]]:
    """What is trained on, a share for each database, and what the checkpoint is chosen on.

    Raises:
        DataError, UsageError, ModelError: as :func:`wanted_databases`, or a record cannot be read.
    """
    shares: list[Share] = []
    validation: list[Record] = []
    for wanted in list(wanted_databases(configuration)):
        said = wanted.said
        shares.append(
            Share(wanted.declared.title, wanted.records(wanted.training), said.weight, said.border, real=True)
        )
        validation.extend(wanted.records(wanted.validation))
    return tuple(shares), tuple(validation)
