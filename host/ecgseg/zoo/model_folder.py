"""The folder of a trained model: float and int8 model, history and configuration, written together."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.data.records import Record
from ecgseg.graph.oracle import TflmOracle
from ecgseg.output import replacing
from ecgseg.scoring.metrics import confusion_matrix, weighted_f1
from ecgseg.zoo import configuration as zoo
from ecgseg.zoo import instruction_set
from ecgseg.zoo.checkpoints import Look, chosen, looks_text
from ecgseg.zoo.configuration import ModelConfiguration
from ecgseg.zoo.corpus import Corpus, calibration_frames, undisturbed
from ecgseg.zoo.dataset import int8_frames

# From a model's name, the looks of its training and the chosen one to a PNG.
DrawHistory = Callable[[str, Sequence[Look], Look], bytes]


@dataclass(frozen=True)
class Written:
    """A model that was trained, quantised and written.

    Attributes:
        folder: where model.keras, model.tflite, configuration.json, history.json and history.png are.
        best: the chosen look at the validation patients (float weights).
        int8_weighted_f1: the same figure for the .tflite through TFLM.
        source: the data, for people.
        parameters, macs: of the int8 graph.
    """

    folder: Path
    best: Look
    int8_weighted_f1: float
    source: str
    parameters: int
    macs: int


def int8_weighted_f1(content: bytes, configuration: ModelConfiguration, records: Sequence[Record]) -> float:
    """Weighted F1 of a .tflite, as the device runs it, on the annotated span of records."""
    frames, targets = undisturbed(configuration, records)
    oracle = TflmOracle(content)
    scores = [oracle.run(frame).reshape(frame.size, -1) for frame in int8_frames(frames, configuration.preprocess())]
    return weighted_f1(confusion_matrix(np.argmax(scores, axis=-1), targets, configuration.classes))


def write_model(
    configuration: ModelConfiguration,
    corpus: Corpus,
    model: Any,
    history: Sequence[Look],
    target: Path,
    draw: DrawHistory,
) -> Written:
    """Quantises a trained model and writes its folder.

    Args:
        configuration, corpus: what it was trained from.
        model: folded keras.Model.
        history: all looks of the training.
        target: the folder.
        draw: makes history.png.

    Raises:
        ModelError: the int8 model is not what the firmware needs.
        OutputError: the folder cannot be written.
    """
    from ecgseg.zoo.quantise import quantise

    calibration = calibration_frames(configuration, corpus)
    content = quantise(model, calibration, configuration.preprocess(), configuration.quantisation.class_bias)
    best = chosen(history)
    looks = looks_text(history, indent=1) + "\n"
    picture = draw(configuration.name, history, best)
    exact = configuration.model_copy(update={"versions": versions()})
    written = Written(
        target,
        best,
        int8_weighted_f1(content, configuration, corpus.validation),
        corpus.source,
        configuration.parameters,
        configuration.macs,
    )
    names = ("model.keras", "model.tflite", "history.json", "history.png", "configuration.json")
    # A folder never holds files of two models: they take their places together.
    with replacing(*(target / name for name in names)) as (keras_file, tflite_file, history_file, image, settings):
        model.save(keras_file)
        tflite_file.write_bytes(content)
        history_file.write_text(looks, encoding="utf-8")
        image.write_bytes(picture)
        zoo.write(exact, settings)
    return written


def versions() -> dict[str, str]:
    """Versions of what decides the numbers, and the instruction set if it was held still."""
    packages = ("tensorflow-cpu", "keras", "numpy", "tflite-micro", "physiokit")
    held = {"instruction set": instruction_set.NAME} if instruction_set.held_still() else {}
    return {name: metadata.version(name) for name in packages} | {"python": platform.python_version()} | held
