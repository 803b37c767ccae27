/* Layers over CMSIS-NN, through the wrappers that choose among its kernels as TensorFlow Lite Micro does. */
#if defined(ECGSEG_DIRECT_CMSIS_NN)
#include "ecgseg_direct.h"

#include <arm_nnfunctions.h>

typedef struct {
    cmsis_nn_dims input, filter, bias, output;
    cmsis_nn_per_channel_quant_params factors;
} shapes_t;

static shapes_t shapes_of(const ecgseg_direct_layer_t *layer)
{
    const int32_t depth = layer->depthwise ? layer->out_channels : layer->in_channels;
    const shapes_t shapes = {
        .input = {.n = 1, .h = 1, .w = layer->in_positions, .c = layer->in_channels},
        .filter = {.n = layer->depthwise ? 1 : layer->out_channels, .h = 1, .w = layer->taps, .c = depth},
        .bias = {.n = 1, .h = 1, .w = 1, .c = layer->out_channels},
        .output = {.n = 1, .h = 1, .w = layer->out_positions, .c = layer->out_channels},
        /* The structure has no const; nothing is written through it. */
        .factors = {.multiplier = (int32_t *)(uintptr_t)layer->multipliers,
                    .shift = (int32_t *)(uintptr_t)layer->shifts},
    };
    return shapes;
}

static bool holds(ecgseg_direct_scratch_t scratch, int32_t bytes)
{
    return bytes >= 0 && (size_t)bytes <= scratch.count * sizeof *scratch.values;
}

static ecgseg_engine_status_t depthwise(const ecgseg_direct_layer_t *layer, const int8_t *input, int8_t *output,
                                        ecgseg_direct_scratch_t scratch)
{
    const shapes_t shapes = shapes_of(layer);
    const cmsis_nn_dw_conv_params how = {
        .input_offset = -layer->in_zero_point,
        .output_offset = layer->out_zero_point,
        .ch_mult = layer->out_channels / layer->in_channels,
        .stride = {.w = layer->stride, .h = 1},
        .padding = {.w = layer->pad, .h = 0},
        .dilation = {.w = layer->dilation, .h = 1},
        .activation = {.min = layer->low, .max = layer->high},
    };
    const int32_t bytes =
        arm_depthwise_conv_wrapper_s8_get_buffer_size(&how, &shapes.input, &shapes.filter, &shapes.output);
    const cmsis_nn_context context = {.buf = scratch.values, .size = bytes};
    if (!holds(scratch, bytes)) {
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    const arm_cmsis_nn_status status =
        arm_depthwise_conv_wrapper_s8(&context, &how, &shapes.factors, &shapes.input, input, &shapes.filter,
                                      layer->weights, &shapes.bias, layer->bias, &shapes.output, output);
    return status == ARM_CMSIS_NN_SUCCESS ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}

ecgseg_engine_status_t ecgseg_direct_run_layer(const ecgseg_direct_layer_t *layer, const int8_t *input, int8_t *output,
                                               ecgseg_direct_scratch_t scratch)
{
    if (layer->depthwise) {
        return depthwise(layer, input, output, scratch);
    }
    const shapes_t shapes = shapes_of(layer);
    const cmsis_nn_conv_params how = {
        .input_offset = -layer->in_zero_point,
        .output_offset = layer->out_zero_point,
        .stride = {.w = layer->stride, .h = 1},
        .padding = {.w = layer->pad, .h = 0},
        .dilation = {.w = layer->dilation, .h = 1},
        .activation = {.min = layer->low, .max = layer->high},
    };
    const int32_t bytes = arm_convolve_wrapper_s8_get_buffer_size(&how, &shapes.input, &shapes.filter, &shapes.output);
    const cmsis_nn_context context = {.buf = scratch.values, .size = bytes};
    if (!holds(scratch, bytes)) {
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    const arm_cmsis_nn_status status =
        arm_convolve_wrapper_s8(&context, &how, &shapes.factors, &shapes.input, input, &shapes.filter, layer->weights,
                                &shapes.bias, layer->bias, &shapes.output, output);
    return status == ARM_CMSIS_NN_SUCCESS ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}
#endif
