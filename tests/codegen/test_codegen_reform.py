"""Layers computed as convolutions: the same bytes as the layers themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from ecgseg.codegen.kernels import kernel_of
from ecgseg.codegen.reform import depthwise_as_convolution, transpose_as_convolution
from ecgseg.graph.ends import Ends
from ecgseg.graph.fixed_point import Multiplier
from ecgseg.graph.interpret import run
from ecgseg.graph.ir import Tensor
from ecgseg.graph.layers import Depthwise, Layer, Network, Rescale, TransposeConvolution, Window

seeds = st.integers(0, 2**32 - 1)


def rescale(rng: np.random.Generator, channels: int) -> Rescale:
    multipliers = tuple(
        Multiplier(int(rng.integers(1 << 30, 1 << 31)), -int(rng.integers(5, 10))) for _ in range(channels)
    )
    return Rescale(multipliers, int(rng.integers(-128, 128)), -128, 127)


def answer(layer: Layer, data: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    def tensor(index: int, size: tuple[int, ...]) -> Tensor:
        return Tensor(index, "", size, "int8", (1.0,), (0,), 0, None)

    network = Network("", "", (layer,), Ends(tensor(0, data.shape), tensor(1, shape), False, False, False, False, ()))
    return run(network, data).reshape(-1)


@st.composite
def transposed(draw: st.DrawFn) -> TransposeConvolution:
    """Along one axis, with the paddings SAME and VALID have, and others."""
    rng = np.random.default_rng(draw(seeds))
    length, taps, stride = draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.integers(1, 4))
    inputs, outputs = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    pad = draw(st.integers(0, taps - 1))
    out_length = (length - 1) * stride + taps - pad - draw(st.integers(0, taps - 1))
    assume(out_length >= 1)
    wide = draw(st.booleans())

    def along(value: int, other: int) -> tuple[int, int]:
        return (other, value) if wide else (value, other)

    return TransposeConvolution(
        name="TRANSPOSE_CONV",
        operator=0,
        inputs=(0,),
        output=1,
        output_size=out_length * outputs,
        window=Window(along(length, 1), along(taps, 1), along(stride, 1), (1, 1), along(pad, 0), along(out_length, 1)),
        in_channels=inputs,
        out_channels=outputs,
        weights=rng.integers(-127, 128, (outputs, *along(taps, 1), inputs)).astype(np.int8),
        bias=rng.integers(-1000, 1000, outputs),
        in_zero_point=int(rng.integers(-128, 128)),
        rescale=rescale(rng, outputs),
    )


@given(transposed(), seeds)
def test_a_transposed_convolution_is_one_of_the_outputs_of_a_position(layer: TransposeConvolution, seed: int) -> None:
    form = transpose_as_convolution(layer)
    assume(form is not None)
    assert form is not None
    height, width = layer.window.in_size
    data = np.random.default_rng(seed).integers(-128, 128, (1, height, width, layer.in_channels)).astype(np.int8)
    shape = (1, *layer.window.out_size, layer.out_channels)
    assert np.array_equal(answer(layer, data, shape), answer(form, data, (1, *form.window.out_size, form.out_channels)))


def along_time(
    lengths: tuple[int, int], taps: int, stride: int, pad: int, channels: tuple[int, int], scales: Rescale
) -> TransposeConvolution:
    """[1, length, channels] as a converter writes it; lengths and channels of input and output."""
    return TransposeConvolution(
        name="TRANSPOSE_CONV",
        operator=0,
        inputs=(0,),
        output=1,
        output_size=lengths[1] * channels[1],
        window=Window((1, lengths[0]), (1, taps), (1, stride), (1, 1), (0, pad), (1, lengths[1])),
        in_channels=channels[0],
        out_channels=channels[1],
        weights=np.ones((channels[1], 1, taps, channels[0]), np.int8),
        bias=np.zeros(channels[1], np.int64),
        in_zero_point=3,
        rescale=scales,
    )


def test_a_result_longer_than_its_input_is_not_put_over_it() -> None:
    scales = Rescale((Multiplier(1 << 30, -5),), -128, -128, 127)
    kernel = kernel_of(along_time((31, 34), 4, 1, 0, (2, 2), replace(scales, multipliers=scales.multipliers * 2)))
    assert kernel.function == "phases"
    assert kernel.overwrites == ()


def test_a_transposed_convolution_of_a_long_stride_is_not_blown_up_with_zeros() -> None:
    scales = rescale(np.random.default_rng(1), 400)
    assert kernel_of(along_time((2, 2000), 1, 1000, 0, (300, 400), scales)).function == "transpose_conv"


def test_usual_transposed_convolutions_have_a_form() -> None:
    """Stride 2 with padding SAME, as Keras' Conv1DTranspose makes it."""
    layer = along_time((125, 250), 5, 2, 1, (16, 4), rescale(np.random.default_rng(1), 4))
    assert kernel_of(layer).function in ("conv", "phases")
    form = transpose_as_convolution(layer)
    assert form is not None
    assert form.window.out_size == (1, 125)
    assert form.out_channels == 8


@given(st.integers(1, 10), st.integers(2, 4), st.integers(1, 3), st.integers(1, 3), seeds)
def test_a_depthwise_convolution_with_a_multiplier_is_one_with_zeros(
    channels: int, multiplier: int, height: int, width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    outputs = channels * multiplier
    layer = Depthwise(
        name="DEPTHWISE_CONV_2D",
        operator=0,
        inputs=(0,),
        output=1,
        output_size=30 * outputs,
        window=Window((5, 6), (height, width), (1, 1), (1, 1), (height // 2, width // 2), (5, 6)),
        in_channels=channels,
        out_channels=outputs,
        weights=rng.integers(-127, 128, (height, width, outputs)).astype(np.int8),
        bias=rng.integers(-1000, 1000, outputs),
        in_zero_point=int(rng.integers(-128, 128)),
        rescale=rescale(rng, outputs),
    )
    form = depthwise_as_convolution(layer)
    assert (form is None) == (channels > 8)
    data = rng.integers(-128, 128, (1, 5, 6, channels)).astype(np.int8)
    shape = (1, 5, 6, outputs)
    if form is not None:
        assert np.array_equal(answer(layer, data, shape), answer(form, data, shape))
