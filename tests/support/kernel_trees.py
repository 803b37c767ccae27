"""Trees of kernels as those of CMSIS-NN and TinyEngine are laid out, with plain C of our own in them."""

from __future__ import annotations

from pathlib import Path

_REQUANTISE = """
static int32_t requantise(int32_t sum, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0, right = shift < 0 ? -shift : 0;
    const int64_t product = (int64_t)(sum * (1 << left)) * multiplier;
    const int32_t high = (int32_t)((product + (1 << 30)) >> 31);
    return right == 0 ? high : (high + (1 << (right - 1)) - (high < 0)) >> right;
}
static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
    return value < low ? low : value > high ? high : value;
}
"""

_CMSIS_NN_HEADER = """
#include <stddef.h>
#include <stdint.h>
typedef enum { ARM_CMSIS_NN_SUCCESS = 0, ARM_CMSIS_NN_ARG_ERROR = -1 } arm_cmsis_nn_status;
typedef struct { void *buf; int32_t size; } cmsis_nn_context;
typedef struct { int32_t w, h; } cmsis_nn_tile;
typedef struct { int32_t n, h, w, c; } cmsis_nn_dims;
typedef struct { int32_t min, max; } cmsis_nn_activation;
typedef struct { int32_t *multiplier, *shift; } cmsis_nn_per_channel_quant_params;
typedef struct {
    int32_t input_offset, output_offset;
    cmsis_nn_tile stride, padding, dilation;
    cmsis_nn_activation activation;
} cmsis_nn_conv_params;
typedef struct {
    int32_t input_offset, output_offset, ch_mult;
    cmsis_nn_tile stride, padding, dilation;
    cmsis_nn_activation activation;
} cmsis_nn_dw_conv_params;
#define DECLARE(name, params)                                                                                     \\
    int32_t name##_get_buffer_size(const params *, const cmsis_nn_dims *, const cmsis_nn_dims *,                 \\
                                   const cmsis_nn_dims *);                                                        \\
    arm_cmsis_nn_status name(const cmsis_nn_context *, const params *, const cmsis_nn_per_channel_quant_params *, \\
                             const cmsis_nn_dims *, const int8_t *, const cmsis_nn_dims *, const int8_t *,        \\
                             const cmsis_nn_dims *, const int32_t *, const cmsis_nn_dims *, int8_t *);
DECLARE(arm_convolve_wrapper_s8, cmsis_nn_conv_params)
DECLARE(arm_depthwise_conv_wrapper_s8, cmsis_nn_dw_conv_params)
"""

_CMSIS_NN_SOURCE = """
#include "arm_nnfunctions.h"
#define DEFINE(name, params, depthwise)                                                                           \\
    int32_t name##_get_buffer_size(const params *how, const cmsis_nn_dims *in, const cmsis_nn_dims *filter,      \\
                                   const cmsis_nn_dims *out)                                                      \\
    {                                                                                                             \\
        return BUFFER_BYTES;                                                                                      \\
    }                                                                                                             \\
    arm_cmsis_nn_status name(const cmsis_nn_context *context, const params *how,                                  \\
                             const cmsis_nn_per_channel_quant_params *factors, const cmsis_nn_dims *in,           \\
                             const int8_t *input, const cmsis_nn_dims *filter, const int8_t *weights,             \\
                             const cmsis_nn_dims *one, const int32_t *bias, const cmsis_nn_dims *out,             \\
                             int8_t *output)                                                                      \\
    {                                                                                                             \\
        const int32_t groups = depthwise ? out->c / in->c : 1;                                                    \\
        for (int32_t at = 0; at < out->w; at++) {                                                                 \\
            for (int32_t channel = 0; channel < out->c; channel++) {                                              \\
                int32_t sum = bias[channel];                                                                      \\
                for (int32_t tap = 0; tap < filter->w; tap++) {                                                   \\
                    const int32_t from = at * how->stride.w - how->padding.w + tap * how->dilation.w;             \\
                    for (int32_t depth = 0; from >= 0 && from < in->w && depth < (depthwise ? 1 : in->c);         \\
                         depth++) {                                                                               \\
                        const int32_t source = depthwise ? channel / groups : depth;                              \\
                        const int32_t weight = depthwise ? weights[tap * out->c + channel]                        \\
                                                         : weights[(channel * filter->w + tap) * in->c + depth];  \\
                        sum += (input[from * in->c + source] + how->input_offset) * weight;                       \\
                    }                                                                                             \\
                }                                                                                                 \\
                sum = requantise(sum, factors->multiplier[channel], factors->shift[channel]);                     \\
                output[at * out->c + channel] =                                                                   \\
                    (int8_t)clamp(sum + how->output_offset, how->activation.min, how->activation.max);            \\
            }                                                                                                     \\
        }                                                                                                         \\
        return ARM_CMSIS_NN_SUCCESS;                                                                              \\
    }
DEFINE(arm_convolve_wrapper_s8, cmsis_nn_conv_params, 0)
DEFINE(arm_depthwise_conv_wrapper_s8, cmsis_nn_dw_conv_params, 1)
"""

# Columns come in the order 0 2 1 3 of every four values; the count of columns is part of a special kernel's name.
_TINYENGINE_KERNEL = """
#include "genInclude.h"
#include <stdint.h>
static int32_t dot(const int8_t *weights, const int16_t *column, uint32_t count)
{
    static const uint8_t place[4] = {0, 2, 1, 3};
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += weights[i] * column[i / 4u * 4u + place[i % 4u]];
    }
    return sum;
}
#define INTEGER(name)                                                                                             \\
    int8_t *name(const int8_t *weights, const int16_t *columns, uint16_t outputs, const int32_t *shifts,          \\
                 const int32_t *multipliers, int32_t offset, int16_t low, int16_t high, uint16_t count,           \\
                 const int32_t *bias, int8_t *output)                                                             \\
    {                                                                                                             \\
        for (uint32_t i = 0; i < 2u * outputs; i++) {                                                             \\
            const uint32_t channel = i % outputs;                                                                 \\
            const int32_t sum = bias[channel] + dot(weights + channel * count, columns + i / outputs * count, count); \\
            output[i] = (int8_t)clamp(requantise(sum, multipliers[channel], shifts[channel]) + offset, low, high); \\
        }                                                                                                         \\
        return output + 2 * outputs;                                                                              \\
    }
#define FLOAT(name)                                                                                               \\
    int8_t *name(const int8_t *weights, const int16_t *columns, uint16_t outputs, const float *scales,            \\
                 int32_t offset, int16_t low, int16_t high, uint16_t count, const int32_t *bias, int8_t *output)  \\
    {                                                                                                             \\
        for (uint32_t i = 0; i < 2u * outputs; i++) {                                                             \\
            const uint32_t channel = i % outputs;                                                                 \\
            const int32_t sum = bias[channel] + dot(weights + channel * count, columns + i / outputs * count, count); \\
            output[i] = (int8_t)clamp((int32_t)((float)sum * scales[channel]) + offset, low, high);               \\
        }                                                                                                         \\
        return output + 2 * outputs;                                                                              \\
    }
"""
_TINYENGINE_POINTWISE = """
#include <stdint.h>
typedef enum { STATE_SUCCESS = 0, PARAM_NO_SUPPORT = 1 } tinyengine_status;
#define POINTWISE(name, factors, requantised)                                                                     \\
    tinyengine_status name(const int8_t *input, uint16_t in_x, uint16_t in_y, uint16_t channels,                  \\
                           const int8_t *weights, const int32_t *bias, factors, int32_t out_offset,               \\
                           int32_t in_offset, int32_t low, int32_t high, int8_t *output, uint16_t out_x,          \\
                           uint16_t out_y, uint16_t outputs, int16_t *scratch)                                    \\
    {                                                                                                             \\
        for (uint32_t i = 0; i < (uint32_t)out_x * out_y * outputs; i++) {                                        \\
            const uint32_t channel = i % outputs;                                                                 \\
            int32_t sum = bias[channel];                                                                          \\
            for (uint32_t depth = 0; depth < channels; depth++) {                                                 \\
                sum += weights[channel * channels + depth] * (input[i / outputs * channels + depth] + in_offset); \\
            }                                                                                                     \\
            output[i] = (int8_t)clamp((requantised) + out_offset, low, high);                                     \\
        }                                                                                                         \\
        return STATE_SUCCESS;                                                                                     \\
    }
#define COMMA ,
#define INTEGER_POINTWISE(name)                                                                                   \\
    POINTWISE(name, const int32_t *shifts COMMA const int32_t *multipliers,                                       \\
              requantise(sum, multipliers[channel], shifts[channel]))
#define FLOAT_POINTWISE(name) POINTWISE(name, const float *scales, (int32_t)((float)sum * scales[channel]))
"""
_ENGINE, _CMSIS_5 = "TinyEngine/src/kernels", "TinyEngine/third_party/CMSIS/CMSIS"
_SPECIAL = (8, 16, 24, 48)
_POINTWISE = ("", *(f"_ch{count}" for count in _SPECIAL))
_FILES = {
    **{
        f"{_ENGINE}/int_forward_op/convolve_1x1_s8{kind}.c": [f"INTEGER_POINTWISE(convolve_1x1_s8{kind})"]
        for kind in _POINTWISE
    },
    **{
        f"{_ENGINE}/fp_requantize_op/convolve_1x1_s8{kind}_fpreq.c": [f"FLOAT_POINTWISE(convolve_1x1_s8{kind}_fpreq)"]
        for kind in _POINTWISE
    },
    f"{_ENGINE}/int_forward_op/mat_mult_kernels.c": [
        f"INTEGER(mat_mult_kernel_s8_s16_reordered_ch{count})" for count in _SPECIAL
    ],
    f"{_ENGINE}/int_forward_op/arm_nn_mat_mult_kernel_s8_s16_reordered_8mul.c": [
        "INTEGER(arm_nn_mat_mult_kernel_s8_s16_reordered_8mul)"
    ],
    f"{_ENGINE}/fp_requantize_op/mat_mul_kernels_fpreq.c": [
        "FLOAT(mat_mult_kernel_s8_s16_reordered_fpreq)",
        *(f"FLOAT(mat_mult_kernel_s8_s16_reordered_ch{count}_fpreq)" for count in _SPECIAL),
    ],
    f"{_CMSIS_5}/NN/Source/ConvolutionFunctions/arm_nn_mat_mult_kernel_s8_s16_reordered.c": [
        "INTEGER(arm_nn_mat_mult_kernel_s8_s16_reordered)"
    ],
}


def cmsis_nn_tree(folder: Path, buffer_bytes: int = 0) -> Path:
    """A tree of CMSIS-NN; its kernels ask for so many bytes of scratch."""
    _write(folder / "Include/arm_nnfunctions.h", _CMSIS_NN_HEADER)
    source = f"#define BUFFER_BYTES {buffer_bytes}\n#include <stdint.h>\n{_REQUANTISE}{_CMSIS_NN_SOURCE}"
    _write(folder / "Source/ConvolutionFunctions/convolve_s8.c", source)
    _write(folder / "Source/ConvolutionFunctions/convolve_f32.c", "#error this one is of floating-point types\n")
    _write(folder / "Source/NNSupportFunctions/nothing.c", "")
    return folder


def tinyengine_tree(folder: Path) -> Path:
    """A clone of TinyEngine with its submodule."""
    for include in ("TinyEngine/include", *(f"{_CMSIS_5}/{name}/Include" for name in ("NN", "DSP", "Core"))):
        (folder / include).mkdir(parents=True)
    for name, kernels in _FILES.items():
        _write(
            folder / name,
            "\n".join(("#include <stdint.h>", _REQUANTISE, _TINYENGINE_KERNEL, _TINYENGINE_POINTWISE, *kernels, "")),
        )
    return folder


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
