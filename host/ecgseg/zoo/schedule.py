"""How long and how fast a network learns: the steps of its training, and of the fine-tuning behind it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError

from ecgseg.zoo.architecture import Positive, Strict
from ecgseg.zoo.recipe import AugmentationConfiguration

Rate = Annotated[float, Field(gt=0.0, lt=1.0)]
Decay = Annotated[float, Field(ge=0.0, lt=1.0)]


class ScheduleConfiguration(Strict):
    """AdamW with a linear warm-up and a cosine decay to a hundredth; the weights used are a running average.

    Attributes:
        label_smoothing: share of the target spread evenly over all classes.
        p_weight: weight of the samples of P waves against all others; below 1 fewer P waves are invented.
        averaging: decay of the running average of the weights, per step.
        evaluate_every: steps between two looks at the validation patients.
        longest_sum: products that are added up at a time in a product of matrices, so that CPUs whose first-level data
            cache differs come to the same bytes; 0 leaves it to the CPU.
    """

    later = frozenset({"p_weight", "longest_sum"})

    steps: Positive
    batch: Positive = 128
    learning_rate: Rate = 4e-3
    warmup_steps: Positive = 200
    weight_decay: Annotated[float, Field(ge=0.0)] = 1e-3
    label_smoothing: Decay = 0.03
    p_weight: Annotated[float, Field(gt=0.0, le=10.0)] = 1.0
    averaging: Decay = 0.998
    evaluate_every: Positive = 500
    longest_sum: Literal[0, 64, 128, 256] = 0


class FineTuningConfiguration(Strict):
    """Steps behind those of the schedule, from the weights that were chosen among them; a look of its own is chosen.

    Attributes:
        steps: of the fine-tuning alone.
        learning_rate, warmup_steps, averaging, evaluate_every: in the place of the schedule's.
        augmentation: the keys of the model's augmentation that are others, and their values.
    """

    steps: Positive
    learning_rate: Rate = 1e-3
    warmup_steps: Positive = 200
    averaging: Decay = 0.998
    evaluate_every: Positive = 250
    augmentation: dict[str, JsonValue] = Field(default_factory=dict)

    def schedule(self, first: ScheduleConfiguration) -> ScheduleConfiguration:
        """The schedule of the fine-tuning.

        Args:
            first: of the training in front of it.
        """
        return first.model_copy(update=self.model_dump(exclude={"augmentation"}))

    def augmented(self, first: AugmentationConfiguration) -> AugmentationConfiguration:
        """The augmentation of the fine-tuning.

        Args:
            first: of the training in front of it.

        Raises:
            ValueError: a key is none of an augmentation, or its value is out of range.
        """
        try:
            return AugmentationConfiguration.model_validate(first.model_dump() | self.augmentation)
        except ValidationError as error:
            found = error.errors(include_url=False)[0]
            key = ".".join(map(str, found["loc"]))
            raise ValueError(f"fine_tuning.augmentation.{key}: {found['msg']}") from error
