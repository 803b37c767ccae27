"""What a zoo model learns from, and how what it learns from is disturbed: two parts of its configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ecgseg.data.databases import qtdb
from ecgseg.data.databases.known import DATABASES, is_own
from ecgseg.data.databases.ludb import LEADS, split
from ecgseg.errors import UsageError
from ecgseg.zoo.architecture import Positive, Probability, Strict

# What sums of shares such as 0.7 + 0.2 + 0.1 may be off.
_ROUNDING = 1e-9
Border = Annotated[int, Field(ge=0, le=20)]


def qtdb_names(sets: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the records of QTDB that are in these sets, or named themselves.

    Raises:
        ValueError: there is no such set, and no record is called so.
    """
    try:
        return tuple(dict.fromkeys(name for text in sets for name in qtdb.parse_records(text)))
    except UsageError as error:
        raise ValueError(f"{error.what} {error.why}") from error


class DatabaseConfiguration(Strict):
    """What a model learns from one database, beside what the other keys say.

    Attributes:
        database: "ludb", "qtdb", or the path of a TOML file that declares one (docs/data.md), from the configuration's
            folder.
        weight: share of the training frames that comes from it.
        training, validation: a set of its split, or names of records; no validation is none of it.
        leads: names of leads; none are all.
        border: as `synthetic_border`.
    """

    database: Annotated[str, Field(min_length=1, max_length=500)]
    weight: Annotated[float, Field(gt=0.0, le=1.0)]
    training: str | Annotated[tuple[str, ...], Field(min_length=1)] = "train"
    validation: str | tuple[str, ...] = "val"
    leads: tuple[str, ...] = ()
    border: Border = 0

    @field_validator("database")
    @classmethod
    def _is_known(cls, word: str, info: ValidationInfo) -> str:
        if is_own(word):
            # From the folder of the configuration that is read, which may not be where it is used.
            base = (info.context or {}).get("folder")
            return str(Path(base) / word) if base else word
        if word not in DATABASES or word == "synthetic":
            raise ValueError("known are ludb, qtdb and FILE.toml; synthetic ECG has keys of its own")
        return word


class DataConfiguration(Strict):
    """What a model learns from: what `databases`, synthetic ECG, QTDB and noise leave of the frames comes from LUDB.

    Attributes:
        training, validation: a set of the LUDB split, or record numbers.
        leads: lead names.
        synthetic_weight: share of the training frames that is synthetic ECG (1 when there is no LUDB).
        synthetic_records: how many synthetic recordings are drawn.
        synthetic_leads: leads taken from each of them.
        synthetic_population: "frame" or "stream", see `ecgseg.data.databases.synthetic`.
        synthetic_seconds: length of each recording; 10 for the population "frame".
        synthetic_long_qt: share of further patients of the population "stream" with a QTc of 0.45 to 0.66 s.
        qtdb_weight: share of the training frames that comes from QTDB.
        qtdb_training, qtdb_validation: sets of QTDB's records ("given", "fold-1", ...) or names of some.
        noise_weight: share of the training frames in which there is no beat, only noise.
        noise_records: how many recordings of noise are drawn.
        noise_pulled: share of them in which an electrode is pulled at all the time.
        synthetic_border, qtdb_border: how many samples on either side of a change of the label are not learned from,
            because other annotators set their marks elsewhere.
        databases: further databases with their shares; LUDB is not read where all shares together are 1.
    """

    later = frozenset(
        {
            "synthetic_population",
            "synthetic_seconds",
            "synthetic_long_qt",
            "noise_pulled",
            "qtdb_weight",
            "qtdb_training",
            "qtdb_validation",
            "noise_weight",
            "noise_records",
            "synthetic_border",
            "qtdb_border",
            "databases",
        }
    )

    training: Literal["train"] | tuple[int, ...] = "train"
    validation: Literal["val"] | tuple[int, ...] = "val"
    leads: tuple[str, ...] = LEADS
    synthetic_weight: Probability = 0.1
    synthetic_records: Positive = 200
    synthetic_leads: Positive = 3
    synthetic_population: Literal["frame", "stream"] = "frame"
    synthetic_seconds: Annotated[int, Field(ge=10, le=120)] = 10
    synthetic_long_qt: Probability = 0.0
    qtdb_weight: Probability = 0.0
    qtdb_training: tuple[str, ...] = ()
    qtdb_validation: tuple[str, ...] = ()
    noise_weight: Probability = 0.0
    noise_records: Positive = 60
    noise_pulled: Probability = 0.0
    synthetic_border: Border = 0
    qtdb_border: Border = 0
    databases: Annotated[tuple[DatabaseConfiguration, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _patients_are_apart(self) -> DataConfiguration:
        unknown = set(self.leads) - set(LEADS)
        if unknown:
            raise ValueError(f"unknown leads {sorted(unknown)}; known are {', '.join(LEADS)}")
        shared = set(self.training_records) & set(self.validation_records)
        if shared:
            raise ValueError(f"records {sorted(shared)} are both trained on and validated on")
        twice = set(qtdb_names(self.qtdb_training)) & set(qtdb_names(self.qtdb_validation))
        if twice:
            raise ValueError(f"QTDB's records {sorted(twice)} are both trained on and validated on")
        foreign = {*qtdb_names(self.qtdb_training), *qtdb_names(self.qtdb_validation)} - set(qtdb.given_records())
        if foreign:
            raise ValueError(f"QTDB's records {sorted(foreign)} are for acceptance alone")
        return self

    @model_validator(mode="after")
    def _shares_fit(self) -> DataConfiguration:
        if self.ludb_weight < -_ROUNDING:
            raise ValueError("synthetic_weight, qtdb_weight, noise_weight and databases are more than 1 together")
        if self.synthetic_weight == 1.0 and self.databases:
            raise ValueError("synthetic_weight leaves nothing for databases")
        if bool(self.qtdb_weight) != bool(self.qtdb_training):
            raise ValueError("qtdb_weight and qtdb_training belong together")
        if self.synthetic_population == "frame" and self.synthetic_seconds != 10:
            raise ValueError("recordings of the synthetic_population frame last 10 seconds")
        if self.synthetic_population == "frame" and self.synthetic_long_qt:
            raise ValueError("synthetic_long_qt is of the synthetic_population stream")
        return self

    @property
    def ludb_weight(self) -> float:
        """What the other shares leave."""
        weights = (self.qtdb_weight, self.noise_weight, *(database.weight for database in self.databases))
        return 1.0 - self.synthetic_weight - sum(weights)

    @property
    def needs_ludb(self) -> bool:
        """Whether LUDB has a share of its own; without `databases` it is what is left, if only to choose on."""
        return not self.databases or self.ludb_weight > _ROUNDING

    @property
    def training_records(self) -> tuple[int, ...]:
        """LUDB record numbers to train on."""
        return split()[self.training] if isinstance(self.training, str) else self.training

    @property
    def validation_records(self) -> tuple[int, ...]:
        """LUDB record numbers that choose the checkpoint."""
        return split()[self.validation] if isinstance(self.validation, str) else self.validation


class AugmentationConfiguration(Strict):
    """Probability and strength of each disturbance; strengths are in standard deviations of the frame.

    Attributes:
        time_warp: largest change of the time scale, as a ratio (0.25: heart rate up or down by a quarter).
        wander, hum, muscle, motion: largest amplitude; the drawn amplitude is skewed to small ones.
        smoothing: largest weight of a sample's neighbours in a three-tap filter.
        gain: gains are drawn from 1/gain to gain, log-uniformly.
        level: the same for a change of gain within the frame.
        waves: the same for the waves of each class but NONE (P, QRS, T), each kind by a gain of its own; 1 leaves them.
        intervals: the same for how long three parts of each beat last, each by a gain of its own for a window: the PQ
            segment, from the end of QRS to the end of T, and from there to the next P wave.
        late: how many seconds later than a record's first sample a window begins at most.
    """

    later = frozenset(
        {
            "level_probability",
            "level",
            "wave_probability",
            "waves",
            "interval_probability",
            "intervals",
            "late_probability",
            "late",
        }
    )

    time_warp_probability: Probability = 0.7
    time_warp: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.3
    polarity_probability: Probability = 0.3
    gain: Annotated[float, Field(ge=1.0)] = 3.0
    wander_probability: Probability = 0.5
    wander: Annotated[float, Field(ge=0.0)] = 1.0
    hum_probability: Probability = 0.2
    hum: Annotated[float, Field(ge=0.0)] = 0.15
    muscle_probability: Probability = 0.4
    muscle: Annotated[float, Field(ge=0.0)] = 0.35
    motion_probability: Probability = 0.1
    motion: Annotated[float, Field(ge=0.0)] = 3.0
    smoothing_probability: Probability = 0.2
    smoothing: Annotated[float, Field(ge=0.0, le=0.33)] = 0.2
    clipping_probability: Probability = 0.03
    lead_off_probability: Probability = 0.03
    lead_mix_probability: Probability = 0.0
    lead_mix: Annotated[float, Field(ge=0.0, le=1.0)] = 0.3
    level_probability: Probability = 0.0
    level: Annotated[float, Field(ge=1.0)] = 2.0
    wave_probability: Probability = 0.0
    waves: tuple[Annotated[float, Field(ge=1.0)], ...] = (1.0, 1.0, 2.0)
    interval_probability: Probability = 0.0
    intervals: Annotated[tuple[Annotated[float, Field(ge=1.0, le=4.0)], ...], Field(min_length=3, max_length=3)] = (
        3.5,
        2.0,
        2.5,
    )
    late_probability: Probability = 0.0
    late: Annotated[float, Field(ge=0.0)] = 3.0
