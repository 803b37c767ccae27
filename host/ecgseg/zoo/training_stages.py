"""The parts that a training has: the steps of its schedule, and its fine-tuning if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.corpus import Corpus


@dataclass(frozen=True)
class TrainingStage:
    """A part of a training that has an optimiser and a checkpoint of its own.

    Attributes:
        configuration: its schedule, augmentation and all else.
        digest: of what its weights depend on.
        work: folder for the checkpoint.
        first: steps of the training in front of it; with any it is the fine-tuning.
        whole: steps of the training.
    """

    configuration: ModelConfiguration
    digest: str
    work: Path
    first: int
    whole: int

    @property
    def end(self) -> int:
        """Steps of the training when the stage has ended."""
        return self.first + self.configuration.schedule.steps


def training_stages(configuration: ModelConfiguration, corpus: Corpus, work: Path) -> list[TrainingStage]:
    """The training of a configuration, and its fine-tuning if there is one.

    Args:
        configuration: the model.
        corpus: its data.
        work: folder for the checkpoint of the last stage. That of a training in front of a fine-tuning is in a folder
            beside it: other fine-tunings take the same one.
    """
    alone, tuned, whole = configuration.without_fine_tuning(), configuration.fine_tuned(), configuration.steps
    if tuned is None:
        return [TrainingStage(alone, alone.digest(), work, 0, whole)]
    shared = work.parent / f"training-{alone.digest()[:12]}-{corpus.fingerprint}"
    return [
        TrainingStage(alone, alone.digest(), shared, 0, whole),
        TrainingStage(tuned, configuration.digest(), work, configuration.schedule.steps, whole),
    ]
