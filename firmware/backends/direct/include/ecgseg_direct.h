/* A network of convolutions over kernels of others, called one after the other without an interpreter: for comparison.
 *
 * Rendered code holds the layers; which kernels run them is decided when the image is built: ECGSEG_DIRECT_CMSIS_NN or
 * ECGSEG_DIRECT_TINYENGINE, the latter with ECGSEG_DIRECT_FLOAT for its requantisation in float.
 */
#ifndef ECGSEG_DIRECT_H
#define ECGSEG_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_engine.h"

/* A convolution over [1, positions, channels]. Weights are [out][tap][in], of a depthwise one [tap][channel]; an
 * output's weights are filled up with zeros to `columns`, which is taps * in_channels where kernels need no more. */
typedef struct {
    uint16_t in_positions, out_positions, in_channels, out_channels;
    uint16_t taps, stride, dilation, pad, columns;
    bool depthwise;
    int32_t in_zero_point, out_zero_point, low, high;
    const int8_t *weights;
    const int32_t *bias;
    const int32_t *multipliers, *shifts; /* multiplier * 2^(shift - 31) */
    const float *scales;                 /* the same factors, NULL where integers requantise */
} ecgseg_direct_layer_t;

/* What a layer may use besides input and output. */
typedef struct {
    int16_t *values;
    size_t count;
} ecgseg_direct_scratch_t;

/* ECGSEG_ENGINE_BACKEND_FAILED where the kernels refuse the layer or the scratch is too small. */
ecgseg_engine_status_t ecgseg_direct_run_layer(const ecgseg_direct_layer_t *layer, const int8_t *input, int8_t *output,
                                               ecgseg_direct_scratch_t scratch);

#endif
