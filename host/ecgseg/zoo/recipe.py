"""What a zoo model learns from, and how what it learns from is disturbed: two parts of its configuration."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ecgseg.data.databases import qtdb
from ecgseg.data.databases.ludb import LEADS, split
from ecgseg.errors import UsageError
from ecgseg.zoo.architecture import Positive, Probability, Strict

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


class DataConfiguration(Strict):
    """What a model learns from.

    Attributes:
        training, validation: a set of the LUDB split, or record numbers.
        leads: lead names.
        synthetic_weight: share of the training frames that is synthetic ECG (1 when there is no LUDB).
        synthetic_records: how many synthetic recordings are drawn.
        synthetic_leads: leads taken from each of them.
        synthetic_population: "frame" or "stream", see `ecgseg.data.databases.synthetic`.
        synthetic_seconds: length of each recording; 10 for the population "frame".
        qtdb_weight: share of the training frames that comes from QTDB.
        qtdb_training, qtdb_validation: sets of QTDB's records ("given", "fold-1", ...) or names of some.
        noise_weight: share of the training frames in which there is no beat, only noise.
        noise_records: how many recordings of noise are drawn.
        synthetic_border, qtdb_border: how many samples on either side of a change of the label are not learned from,
            because other annotators set their marks elsewhere.
    """

    later = frozenset(
        {
            "synthetic_population",
            "synthetic_seconds",
            "qtdb_weight",
            "qtdb_training",
            "qtdb_validation",
            "noise_weight",
            "noise_records",
            "synthetic_border",
            "qtdb_border",
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
    qtdb_weight: Probability = 0.0
    qtdb_training: tuple[str, ...] = ()
    qtdb_validation: tuple[str, ...] = ()
    noise_weight: Probability = 0.0
    noise_records: Positive = 60
    synthetic_border: Border = 0
    qtdb_border: Border = 0

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
        if self.synthetic_weight + self.qtdb_weight + self.noise_weight > 1:
            raise ValueError("synthetic_weight, qtdb_weight and noise_weight are more than 1 together")
        if bool(self.qtdb_weight) != bool(self.qtdb_training):
            raise ValueError("qtdb_weight and qtdb_training belong together")
        if self.synthetic_population == "frame" and self.synthetic_seconds != 10:
            raise ValueError("recordings of the synthetic_population frame last 10 seconds")
        return self

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
        late: how many seconds later than a record's first sample a window begins at most.
    """

    later = frozenset({"level_probability", "level", "wave_probability", "waves", "late_probability", "late"})

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
    late_probability: Probability = 0.0
    late: Annotated[float, Field(ge=0.0)] = 3.0
