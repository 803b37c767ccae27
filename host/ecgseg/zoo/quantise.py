"""Full-integer quantisation: a folded Keras model to an int8 .tflite of batch 1, proven against two interpreters.

With a free batch dimension the converter leaves SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND around dilated convolutions,
and TensorFlow Lite Micro then computes garbage without an error. With batch 1 the dilation is part of the convolution.
The export fails when such an operator survives, when anything is not int8, when the input quantisation is not the
preprocessor's, or when TFLM and TensorFlow Lite's reference kernels differ on a single byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tflite_micro.python.tflite_micro import runtime

from ecgseg.errors import ModelError
from ecgseg.graph.load import load_tflite
from ecgseg.pipeline import FRAME_LENGTH
from ecgseg.zoo.configuration import QuantisationConfiguration

Int8 = npt.NDArray[np.int8]

_FORBIDDEN = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "QUANTIZE", "DEQUANTIZE", "EXPAND_DIMS")
_SCALE_TOLERANCE = 1e-6


def quantise(model: Any, calibration: npt.NDArray[np.float32], settings: QuantisationConfiguration) -> bytes:
    """Post-training int8 quantisation.

    Args:
        model: folded keras.Model, float32 [batch, 250, 1] to [batch, 250, classes].
        calibration: float32 [frames, 250, 1] model inputs, of training patients only, as the preprocessor makes them.
        settings: the input quantisation that must come out.

    Returns:
        The .tflite file.

    Raises:
        ModelError: the result is not what the firmware needs.
    """

    @tf.function(input_signature=[tf.TensorSpec((1, FRAME_LENGTH, 1), tf.float32, name="ecg")])  # type: ignore[untyped-decorator]
    def logits(ecg: Any) -> Any:
        return model(ecg, training=False)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([logits.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _representative(calibration, settings)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    content = bytes(converter.convert())
    check(content, settings)
    frames = np.rint(calibration[:32, :, 0] / np.float32(settings.input_scale)) + settings.input_zero_point
    compare_oracles(content, np.clip(frames, -128, 127).astype(np.int8))
    return content


def _representative(
    calibration: npt.NDArray[np.float32], settings: QuantisationConfiguration
) -> Iterator[list[npt.NDArray[np.float32]]]:
    """Calibration frames; one carries both ends of the input range, which pins scale and zero point of the input."""
    low = (-128 - settings.input_zero_point) * settings.input_scale
    high = (127 - settings.input_zero_point) * settings.input_scale
    for number, frame in enumerate(calibration):
        pinned = frame.astype(np.float32).copy()
        if number == 0:
            pinned[int(np.argmin(pinned[:, 0])), 0] = low
            pinned[int(np.argmax(pinned[:, 0])), 0] = high
        yield [pinned[None]]


def check(content: bytes, settings: QuantisationConfiguration) -> None:
    """Refuses a .tflite that the firmware would compute wrongly.

    Raises:
        ModelError: says which operator, type or scale.
    """
    found = sorted({operator.name for operator in load_tflite(content).operators} & set(_FORBIDDEN))
    if found:
        raise ModelError(
            f"The quantised model still holds {', '.join(found)}.",
            "TensorFlow Lite Micro computes such a graph wrongly or not in int8.",
            "Keep the batch dimension fixed to 1 and use operators the converter can fuse.",
        )
    interpreter = tf.lite.Interpreter(model_content=content)
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    if source["dtype"] != np.int8 or target["dtype"] != np.int8:
        raise ModelError(
            f"The model is {source['dtype'].__name__} in and {target['dtype'].__name__} out, not int8.",
            "Input and output are part of the integer graph.",
            "Check the operators: one of them has no int8 kernel.",
        )
    scale, zero_point = source["quantization"]
    exact = abs(scale / settings.input_scale - 1) < _SCALE_TOLERANCE
    if not exact or zero_point != settings.input_zero_point:
        raise ModelError(
            f"The input is quantised with {scale}, {zero_point} instead of "
            f"{settings.input_scale}, {settings.input_zero_point}.",
            "The model was trained on frames quantised by the preprocessor's numbers.",
            "The calibration frames must lie within the range of the int8 input.",
        )


def compare_oracles(content: bytes, frames: Int8) -> None:
    """TFLM against TensorFlow Lite's reference kernels.

    Args:
        content: the .tflite.
        frames: int8 [frames, 250].

    Raises:
        ModelError: they differ on any byte.
    """
    micro = runtime.Interpreter.from_bytes(content)
    reference = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    reference.allocate_tensors()
    source = reference.get_input_details()[0]["index"]
    target = reference.get_output_details()[0]["index"]
    for number, frame in enumerate(frames):
        x = frame[None, :, None]
        micro.set_input(x, 0)
        micro.invoke()
        reference.set_tensor(source, x)
        reference.invoke()
        wrong = int(np.count_nonzero(micro.get_output(0) != reference.get_tensor(target)))
        if wrong:
            raise ModelError(
                f"TFLM and TensorFlow Lite's reference kernels differ on {wrong} bytes of frame {number}.",
                "The graph holds an operator or type that TFLM treats differently.",
                "Compare the operators with those of the committed models.",
            )


def infer(content: bytes, frames: Int8) -> Int8:
    """Scores through TFLM: int8 [frames, 250] to int8 [frames, 250, classes]."""
    micro = runtime.Interpreter.from_bytes(content)
    scores: list[Int8] = []
    for frame in frames:
        micro.set_input(frame[None, :, None], 0)
        micro.invoke()
        scores.append(np.asarray(micro.get_output(0))[0].copy())
    return np.stack(scores)
