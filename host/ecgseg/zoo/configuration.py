"""Configuration of a zoo model: everything that is needed to train it again.

A configuration is `models/<name>/configuration.json`, or any file or folder that a user names by its path. Unknown
keys, values out of range and models that do not hang together are refused with the path of the key and what would be
right.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from ecgseg import paths
from ecgseg.data.records import CLASS_NAMES
from ecgseg.errors import ModelError, UsageError, cause
from ecgseg.files import broken_rules, is_file, plain, read_text
from ecgseg.models import CONFIGURATION_FILE, STREAM_PREFIX, configured_names, named_place
from ecgseg.output import write_json
from ecgseg.pipeline import DEFAULT_INPUT_RATE, FRAME_LENGTH, MODEL_RATE, RUNNING_WINDOW, PreprocessParameters
from ecgseg.zoo.architecture import ArchitectureConfiguration, BlockConfiguration, Positive, Probability, Strict
from ecgseg.zoo.recipe import AugmentationConfiguration, DataConfiguration
from ecgseg.zoo.schedule import FineTuningConfiguration, ScheduleConfiguration

SMOKE = "smoke"
TEACHER = "teacher"
STREAM_WINDOW = 1000
_LARGEST_BYTES = 1 << 20


class TeacherConfiguration(Strict):
    """A larger network, trained first, whose answers the model learns beside the labels.

    Attributes:
        classes: classes of the teacher; with 4 it can teach a model of 2 (everything but QRS is NONE).
        weight: share of the teacher's answers in the loss.
        temperature: softening of both sides.
    """

    classes: Literal[2, 4]
    architecture: ArchitectureConfiguration
    schedule: ScheduleConfiguration
    augmentation: AugmentationConfiguration = AugmentationConfiguration()
    weight: Probability = 0.5
    temperature: Annotated[float, Field(gt=0.0)] = 2.0


class QuantisationConfiguration(Strict):
    """Input quantisation of the device's preprocessor and the amount of calibration data (training patients only).

    Attributes:
        class_bias: added to the score of each class in the int8 model, none or one for each: a wave whose class answers
            a little too soon then begins, on average, where it should. Chosen on training and validation patients.
    """

    later = frozenset({"class_bias"})

    input_scale: Annotated[float, Field(gt=1e-5)] = 1.0 / 32
    input_zero_point: Annotated[int, Field(ge=-128, le=127)] = 0
    calibration_frames: Positive = 512
    class_bias: tuple[Annotated[float, Field(ge=-1.0, le=1.0)], ...] = ()


class ModelConfiguration(Strict):
    """Everything needed to train one model again; the file `configuration.json`.

    Attributes:
        kind: "frames" of 2.5 s, each normalised and answered by itself, or a "stream", normalised by what it saw last.
        frame_length: samples of a frame; of a stream, of the windows that it is trained on.
        fine_tuning: further steps with another augmentation, None for none.
    """

    later = frozenset({"kind", "fine_tuning"})

    format: Literal[1] = 1
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    description: str
    classes: Literal[2, 4]
    rate: Literal[100] = 100
    kind: Literal["frames", "stream"] = "frames"
    frame_length: Literal[250, 1000] = 250
    seed: Annotated[int, Field(ge=0)] = 2026
    data: DataConfiguration = DataConfiguration()
    augmentation: AugmentationConfiguration = AugmentationConfiguration()
    architecture: ArchitectureConfiguration
    schedule: ScheduleConfiguration
    fine_tuning: FineTuningConfiguration | None = None
    teacher: TeacherConfiguration | None = None
    quantisation: QuantisationConfiguration = QuantisationConfiguration()
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_bias_for_each_class(self) -> ModelConfiguration:
        if len(self.quantisation.class_bias) not in (0, self.classes):
            raise ValueError(f"quantisation.class_bias has a value for each of the {self.classes} classes, or none")
        return self

    @model_validator(mode="after")
    def _knows_the_intervals_it_changes(self) -> ModelConfiguration:
        taught = () if self.teacher is None else (("teacher.", self.teacher.augmentation, self.teacher.classes),)
        tuning = self.fine_tuning
        tuned = () if tuning is None else (("fine_tuning.", tuning.augmented(self.augmentation), self.classes),)
        for whose, augmentation, classes in (("", self.augmentation, self.classes), *taught, *tuned):
            if classes != 4 and augmentation.interval_probability:
                raise ValueError(f"{whose}augmentation.interval_probability is for models that know P and T waves")
        return self

    @model_validator(mode="after")
    def _warms_up_within_its_steps(self) -> ModelConfiguration:
        for key, part in (("schedule", self.schedule), ("fine_tuning", self.fine_tuning)):
            if part is not None and part.warmup_steps >= part.steps:
                raise ValueError(f"{key}.warmup_steps must be below {key}.steps")
        return self

    @model_validator(mode="after")
    def _hangs_together(self) -> ModelConfiguration:
        if self.teacher is not None and self.teacher.classes < self.classes:
            raise ValueError(f"a teacher of {self.teacher.classes} classes cannot teach {self.classes}")
        if self.classes == 2 and self.schedule.p_weight != 1.0:
            raise ValueError("schedule.p_weight is for models that know P waves")
        if self.streams != self.name.startswith(STREAM_PREFIX) and self.name not in (SMOKE, TEACHER):
            raise ValueError(f"the names of streams, and of no others, begin with '{STREAM_PREFIX}'")
        if self.streams and self.name != TEACHER and not self.architecture.causal:
            raise ValueError("the architecture of a stream is causal")
        if self.streams != (self.frame_length > FRAME_LENGTH):
            raise ValueError(f"frame_length is {FRAME_LENGTH} for frames and {STREAM_WINDOW} for a stream")
        return self

    @property
    def streams(self) -> bool:
        """True for a stream, False for frames."""
        return self.kind == "stream"

    @property
    def window_length(self) -> int:
        """Samples that the preprocessor normalises by: of the frame, or the last ones of a stream."""
        return RUNNING_WINDOW if self.streams else self.frame_length

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in label order."""
        return CLASS_NAMES[self.classes]

    @property
    def parameters(self) -> int:
        """Weights and biases of the int8 graph."""
        return self.architecture.parameters(self.classes)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one frame, or for a second of a stream."""
        return self.architecture.macs(self.classes, MODEL_RATE if self.streams else self.frame_length)

    def preprocess(self, input_rate: int = DEFAULT_INPUT_RATE) -> PreprocessParameters:
        """The preprocessor that feeds this model."""
        settings = self.quantisation
        return PreprocessParameters.for_segmenter(
            self.window_length, self.classes, settings.input_scale, settings.input_zero_point, input_rate
        )

    def digest(self) -> str:
        """SHA-256 of what decides the weights: all but description and versions."""
        content = self.model_dump(mode="json", exclude={"description", "versions"})
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def steps(self) -> int:
        """Of the whole training, its fine-tuning included; those of the teacher come in front of them."""
        return self.schedule.steps + (self.fine_tuning.steps if self.fine_tuning is not None else 0)

    def without_fine_tuning(self) -> ModelConfiguration:
        """What is trained before the fine-tuning, whatever that is: one training serves several of them."""
        return self.model_copy(update={"fine_tuning": None})

    def fine_tuned(self) -> ModelConfiguration | None:
        """Schedule and augmentation of the fine-tuning in the place of those in front of it; None without one."""
        tuning = self.fine_tuning
        if tuning is None:
            return None
        augmentation = tuning.augmented(self.augmentation)
        return self.model_copy(update={"schedule": tuning.schedule(self.schedule), "augmentation": augmentation})

    def teacher_configuration(self) -> ModelConfiguration | None:
        """The teacher as a model of its own, or None. Models with equal teachers share it."""
        if self.teacher is None:
            return None
        return ModelConfiguration(
            name=TEACHER,
            description="Teacher network, used in training only.",
            classes=self.teacher.classes,
            kind=self.kind,
            frame_length=self.frame_length,
            seed=self.seed,
            data=self.data,
            augmentation=self.teacher.augmentation,
            architecture=self.teacher.architecture,
            schedule=self.teacher.schedule,
            quantisation=self.quantisation.model_copy(update={"class_bias": ()}),
        )


def folder(name: str) -> Path:
    """Folder of a model of the zoo, or of one that is named by its path; the smoke model lives in the build folder."""
    place = named_place(name)
    if place is not None:
        return place if os.path.isdir(place) else place.parent
    return paths.BUILD / "zoo" / SMOKE if name == SMOKE else paths.MODELS / name


def file_of(name: str) -> Path:
    """Configuration of a model: a name of the zoo, or the path of a folder or of any .json file."""
    place = named_place(name)
    if place is not None and place.suffix == ".json" and not os.path.isdir(place):
        return place
    return folder(name) / CONFIGURATION_FILE


def result_folder(name: str, configuration: ModelConfiguration) -> Path:
    """Where the trained model goes: beside its `configuration.json`; beside a file of another name, a folder NAME."""
    file = file_of(name)
    return folder(name) if file.name == CONFIGURATION_FILE else file.parent / configuration.name


def work_folder(name: str, configuration: ModelConfiguration) -> Path:
    """Where the checkpoints of a training are; a model of the user's own may have the name of another one."""
    own = "" if named_place(name) is None else f"-own-{configuration.digest()[:8]}"
    return paths.BUILD / "zoo" / f"{configuration.name}{own}"


def names() -> tuple[str, ...]:
    """Names of the models of frames that have a configuration, those of the zoo first."""
    return configured_names()


def every_name() -> tuple[str, ...]:
    """Those of frames, then those of streams."""
    return (*configured_names(), *configured_names(streams=True))


def load(name: str) -> ModelConfiguration:
    """Configuration of a model by name or path.

    Raises:
        UsageError: there is no such model.
        ModelError: its configuration does not parse.
    """
    if name == SMOKE:
        return smoke()
    path = file_of(name)
    own = named_place(name) is not None
    if not is_file(path):
        raise UsageError(
            f"There is no model '{plain(name)}'." if not own else f"There is no configuration '{plain(str(path))}'.",
            f"{path} does not exist. Known models: {', '.join((*every_name(), SMOKE))}.",
            "Correct the --model option, or create the configuration.",
        )
    configuration = read(path)
    if configuration.name != name and not own:
        raise ModelError(
            f"The configuration in {path.parent} is that of '{configuration.name}'.",
            "Folder and name must agree.",
            f'Set "name": "{name}" in {path}.',
        )
    return configuration


def parsed(text: str, folder: Path) -> ModelConfiguration:
    """The configuration that a text is.

    Args:
        text: JSON.
        folder: where files that it names are looked for.

    Raises:
        ValidationError: it is no JSON, or breaks a rule.
    """
    return ModelConfiguration.model_validate_json(text, context={"folder": str(folder.absolute())})


def read(path: Path) -> ModelConfiguration:
    """Reads and checks a configuration file.

    Raises:
        ModelError: it cannot be read, is no JSON, or breaks a rule; every broken rule is named.
    """
    try:
        return parsed(read_text(path, _LARGEST_BYTES), path.parent)
    except OSError as error:
        why = cause(error, "The system does not say.")
        raise ModelError(f"The configuration {path} cannot be read.", why, "Check the file.") from error
    except ValidationError as error:
        raise ModelError(
            f"The configuration {path} is not valid.", broken_rules(error), "Correct the named keys."
        ) from error


def write(configuration: ModelConfiguration, path: Path) -> None:
    """Writes a configuration with every default spelled out, so that later defaults do not change the model."""
    write_json(configuration, path)


def require_own_folder(place: Path, name: str) -> None:
    """Refuses a folder that holds another model, which would be lost.

    Args:
        place: where a model is to be written; it need not exist.
        name: of the model.

    Raises:
        UsageError: the folder holds the configuration of another model, or is that of another model of the zoo.
    """
    held = place / CONFIGURATION_FILE
    real = Path(os.path.realpath(place))  # It may lead round in circles.
    zoo_folder = real.parent == paths.MODELS.resolve()
    owner = real.name if zoo_folder and is_file(held) else _name_in(held)
    if owner not in (None, name):
        raise UsageError(
            f"'{place}' holds another model, {owner}.",
            f"Training {name} would replace it.",
            "Name another folder with --out.",
        )


def _name_in(file: Path) -> str | None:
    """The model whose configuration a file is; a word for one that cannot be read, and None where there is none."""
    if not is_file(file):
        return None
    try:
        return ModelConfiguration.model_validate_json(read_text(file, _LARGEST_BYTES)).name
    except (OSError, ValidationError):
        return "of an unknown configuration"


def smoke() -> ModelConfiguration:
    """A tiny model on synthetic ECG that trains in seconds: it proves the path, not an accuracy."""
    return ModelConfiguration(
        name=SMOKE,
        description="Smoke test of the training path on synthetic ECG.",
        classes=4,
        data=DataConfiguration(synthetic_weight=1.0, synthetic_records=12, synthetic_leads=2),
        architecture=ArchitectureConfiguration(
            channels=8,
            stem_kernel=7,
            stride=2,
            blocks=tuple(BlockConfiguration(kernel=3, dilation=d) for d in (1, 2, 4, 8)),
        ),
        schedule=ScheduleConfiguration(
            steps=150, batch=32, learning_rate=1e-2, warmup_steps=20, averaging=0.95, evaluate_every=50
        ),
        quantisation=QuantisationConfiguration(calibration_frames=64),
    )
