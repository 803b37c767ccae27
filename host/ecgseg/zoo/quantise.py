"""Full-integer quantisation: a folded Keras model to an int8 .tflite of batch 1, proven against two interpreters.

With a free batch dimension the converter leaves SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND around dilated convolutions,
and TensorFlow Lite Micro then computes garbage without an error. With batch 1 the dilation is part of the convolution.
The export fails when such an operator survives, when anything is not int8, when the input quantisation is not the
preprocessor's, or when TFLM and TensorFlow Lite's reference kernels differ on a single byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from ecgseg.errors import ModelError
from ecgseg.graph.load import load_tflite
from ecgseg.graph.oracle import TflmOracle
from ecgseg.pipeline import PreprocessParameters
from ecgseg.zoo.dataset import int8_frames

Int8 = npt.NDArray[np.int8]

_FORBIDDEN = ("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "QUANTIZE", "DEQUANTIZE", "EXPAND_DIMS")
_SCALE_TOLERANCE = 1e-6


def quantise(
    model: Any,
    calibration: npt.NDArray[np.float32],
    parameters: PreprocessParameters,
    class_bias: Sequence[float] = (),
) -> bytes:
    """Post-training int8 quantisation.

    Args:
        model: folded keras.Model, float32 [batch, length, 1] to [batch, length, classes]; as it was afterwards.
        calibration: float32 [frames, length, 1] model inputs of training patients, as the preprocessor makes them.
        parameters: the preprocessor, whose quantisation must come out at the input.
        class_bias: added to the logits of the classes, none or one for each.

    Returns:
        The .tflite file.

    Raises:
        ModelError: the result is not what the firmware needs.
    """
    with _biased(model, class_bias):
        content = _converted(model, calibration, parameters)
    check(content, parameters)
    compare_oracles(content, int8_frames(calibration[:32], parameters))
    return content


@contextmanager
def _biased(model: Any, class_bias: Sequence[float]) -> Iterator[None]:
    """The model with this in the biases of its last layer."""
    if not class_bias:
        yield
        return
    last = [layer for layer in model.layers if layer.get_weights()][-1]
    trained = last.get_weights()
    *kernels, bias = trained
    # Behind a stride the last layer answers several samples, each with all classes.
    last.set_weights([*kernels, bias + np.tile(np.array(class_bias, bias.dtype), bias.size // len(class_bias))])
    try:
        yield
    finally:
        last.set_weights(trained)


def _converted(model: Any, calibration: npt.NDArray[np.float32], parameters: PreprocessParameters) -> bytes:
    signature = [tf.TensorSpec((1, model.input_shape[1], 1), tf.float32, name="ecg")]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def logits(ecg: Any) -> Any:
        return model(ecg, training=False)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([logits.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _representative(calibration, parameters)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _representative(
    calibration: npt.NDArray[np.float32], parameters: PreprocessParameters
) -> Iterator[list[npt.NDArray[np.float32]]]:
    """Calibration frames; one carries both ends of the input range, which pins scale and zero point of the input."""
    low = (-128 - parameters.zero_point) * parameters.scale
    high = (127 - parameters.zero_point) * parameters.scale
    for number, frame in enumerate(calibration):
        pinned = frame.astype(np.float32).copy()
        if number == 0:
            pinned[int(np.argmin(pinned[:, 0])), 0] = low
            pinned[int(np.argmax(pinned[:, 0])), 0] = high
        yield [pinned[None]]


def check(content: bytes, parameters: PreprocessParameters) -> None:
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
    exact = abs(scale / parameters.scale - 1) < _SCALE_TOLERANCE
    if not exact or zero_point != parameters.zero_point:
        raise ModelError(
            f"The input is quantised with {scale}, {zero_point} instead of "
            f"{parameters.scale}, {parameters.zero_point}.",
            "The model was trained on frames quantised by the preprocessor's numbers.",
            "The calibration frames must lie within the range of the int8 input.",
        )


def compare_oracles(content: bytes, frames: Int8) -> None:
    """TFLM against TensorFlow Lite's reference kernels.

    Args:
        content: the .tflite.
        frames: int8 [frames, length].

    Raises:
        ModelError: they differ on any byte.
    """
    micro = TflmOracle(content)
    reference = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    reference.allocate_tensors()
    source = reference.get_input_details()[0]["index"]
    target = reference.get_output_details()[0]["index"]
    for number, frame in enumerate(frames):
        x = frame[None, :, None]
        reference.set_tensor(source, x)
        reference.invoke()
        wrong = int(np.count_nonzero(micro.run(x) != reference.get_tensor(target)))
        if wrong:
            raise ModelError(
                f"TFLM and TensorFlow Lite's reference kernels differ on {wrong} bytes of frame {number}.",
                "The graph holds an operator or type that TFLM treats differently.",
                "Compare the operators with those of the committed models.",
            )
