"""The float model behind the device's preprocessor: what int8 is compared with. Needs TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ecgseg.data.records import Record
from ecgseg.errors import ModelError, cause
from ecgseg.extras import require_tensorflow
from ecgseg.pipeline import Prediction, assemble, class_mask, decimate, whole_record
from ecgseg.pipeline.faint import labels_of
from ecgseg.pipeline.segmenter import Segmenter
from ecgseg.pipeline.stream_segmenter import StreamSegmenter
from ecgseg.scoring.evaluate import Delineator, Twin
from ecgseg.zoo import configuration
from ecgseg.zoo.dataset import model_input


def float_delineator(path: Path, device: Twin) -> Delineator:
    """What the float model finds in a record.

    Args:
        path: model.keras.
        device: the int8 model's twin, for the preprocessor and the rules.

    Raises:
        ToolMissingError: TensorFlow is not installed.
        ModelError: the file is missing or damaged.
    """
    return FloatStream(path, device) if isinstance(device, StreamSegmenter) else FloatSegmenter(path, device)


def _load(path: Path) -> Any:
    require_tensorflow()
    import keras

    try:
        return keras.models.load_model(path, compile=False)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The float model {path} cannot be read.",
            cause(error, "It is no Keras model, or one of another version of Keras."),
            "Train it again with `invoke train`.",
        ) from error


class FloatSegmenter:
    """A model of frames.

    Args:
        path: model.keras.
        device: the int8 model's twin, for the preprocessor and the rules.

    Raises:
        ToolMissingError: TensorFlow is not installed.
        ModelError: the file is missing or damaged.
    """

    def __init__(self, path: Path, device: Segmenter) -> None:
        self._model = _load(path)
        self._parameters = device.require_parameters()

    def __call__(self, record: Record) -> Prediction:
        """Mask and segments of a record."""
        parameters = self._parameters
        parts = whole_record(record.samples, parameters)
        quantised = np.stack([frame.data for frame in parts])
        logits = np.asarray(self._model(model_input(quantised, parameters), training=False))
        masks = [class_mask(scores, frame) for scores, frame in zip(logits, parts, strict=True)]
        return assemble(masks, parameters.samples_of(record.samples.size), parameters.rules)


class FloatStream:
    """A model of a stream, built again at the length of each record.

    Args:
        path: model.keras, beside its configuration.json.
        device: the int8 model's twin, for the preprocessor and the rules.

    Raises:
        ToolMissingError: TensorFlow is not installed.
        ModelError: a file is missing or damaged.
    """

    def __init__(self, path: Path, device: StreamSegmenter) -> None:
        self._weights = _load(path).get_weights()
        self._configuration = configuration.read(path.with_name("configuration.json"))
        self._device = device
        self._models: dict[int, Any] = {}

    def __call__(self, record: Record) -> Prediction:
        """Classes of a record, and the waves that the device would report of them."""
        parameters = self._device.parameters
        signal = decimate(record.samples, parameters)
        x = model_input(self._device.normalised(signal)[None], parameters)
        length = signal.samples.size
        whole = -(-length // self._configuration.architecture.stride) * self._configuration.architecture.stride
        padded = np.pad(x, ((0, 0), (0, whole - length), (0, 0)))
        logits = np.asarray(self._model(whole)(padded, training=False))[0, :length]
        return self._device.reported(labels_of(logits, self._device.faint_nats), signal)

    def _model(self, length: int) -> Any:
        if length not in self._models:
            from ecgseg.zoo.builder import build

            settings = self._configuration
            model = build(settings.architecture, settings.classes, folded=True, length=length)
            model.set_weights(self._weights)
            self._models[length] = model
        return self._models[length]
