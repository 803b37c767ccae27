/* Layers over TinyEngine. A window of one is its own convolution. It has no dilated one in one dimension, so there the
 * columns that its matrix kernels multiply are gathered here: two positions at a time, widened to 16 bits, in the order
 * of bytes 0 2 1 3 that its "reordered" kernels take, without the zero point.
 */
#if defined(ECGSEG_DIRECT_TINYENGINE)
#include "ecgseg_direct.h"

#include <arm_acle.h>
#include <string.h>

typedef enum { STATE_SUCCESS = 0, PARAM_NO_SUPPORT = 1 } tinyengine_status_t;

/* TinyEngine's, and one that it takes from the CMSIS-NN that it brings. Declared here: no header of its names all. A
 * kernel multiplies two columns with every output's weights and returns where the next output goes. */
#if defined(ECGSEG_DIRECT_FLOAT)
typedef int8_t *kernel_t(const int8_t *weights, const int16_t *columns, uint16_t outputs, const float *scales,
                         int32_t out_offset, int16_t low, int16_t high, uint16_t count, const int32_t *bias,
                         int8_t *output);
kernel_t mat_mult_kernel_s8_s16_reordered_ch8_fpreq;
kernel_t mat_mult_kernel_s8_s16_reordered_ch16_fpreq;
kernel_t mat_mult_kernel_s8_s16_reordered_ch24_fpreq;
kernel_t mat_mult_kernel_s8_s16_reordered_ch48_fpreq;
kernel_t mat_mult_kernel_s8_s16_reordered_fpreq;
typedef tinyengine_status_t pointwise_t(const int8_t *input, uint16_t in_x, uint16_t in_y, uint16_t in_channels,
                                        const int8_t *weights, const int32_t *bias, const float *scales,
                                        int32_t out_offset, int32_t in_offset, int32_t low, int32_t high,
                                        int8_t *output, uint16_t out_x, uint16_t out_y, uint16_t out_channels,
                                        int16_t *scratch);
pointwise_t convolve_1x1_s8_ch8_fpreq;
pointwise_t convolve_1x1_s8_ch16_fpreq;
pointwise_t convolve_1x1_s8_ch24_fpreq;
pointwise_t convolve_1x1_s8_ch48_fpreq;
pointwise_t convolve_1x1_s8_fpreq;
#define KERNEL(columns) mat_mult_kernel_s8_s16_reordered_ch##columns##_fpreq
#define ANY_KERNEL(columns) mat_mult_kernel_s8_s16_reordered_fpreq
#define POINTWISE(columns) convolve_1x1_s8_ch##columns##_fpreq
#define ANY_POINTWISE convolve_1x1_s8_fpreq
#define FACTORS(layer) (layer)->scales
#else
typedef int8_t *kernel_t(const int8_t *weights, const int16_t *columns, uint16_t outputs, const int32_t *shifts,
                         const int32_t *multipliers, int32_t out_offset, int16_t low, int16_t high, uint16_t count,
                         const int32_t *bias, int8_t *output);
kernel_t mat_mult_kernel_s8_s16_reordered_ch8;
kernel_t mat_mult_kernel_s8_s16_reordered_ch16;
kernel_t mat_mult_kernel_s8_s16_reordered_ch24;
kernel_t mat_mult_kernel_s8_s16_reordered_ch48;
kernel_t arm_nn_mat_mult_kernel_s8_s16_reordered_8mul;
kernel_t arm_nn_mat_mult_kernel_s8_s16_reordered;
typedef tinyengine_status_t pointwise_t(const int8_t *input, uint16_t in_x, uint16_t in_y, uint16_t in_channels,
                                        const int8_t *weights, const int32_t *bias, const int32_t *shifts,
                                        const int32_t *multipliers, int32_t out_offset, int32_t in_offset, int32_t low,
                                        int32_t high, int8_t *output, uint16_t out_x, uint16_t out_y,
                                        uint16_t out_channels, int16_t *scratch);
pointwise_t convolve_1x1_s8_ch8;
pointwise_t convolve_1x1_s8_ch16;
pointwise_t convolve_1x1_s8_ch24;
pointwise_t convolve_1x1_s8_ch48;
pointwise_t convolve_1x1_s8;
#define KERNEL(columns) mat_mult_kernel_s8_s16_reordered_ch##columns
#define ANY_KERNEL(columns) \
    ((columns) % 8u == 0 ? arm_nn_mat_mult_kernel_s8_s16_reordered_8mul : arm_nn_mat_mult_kernel_s8_s16_reordered)
#define POINTWISE(columns) convolve_1x1_s8_ch##columns
#define ANY_POINTWISE convolve_1x1_s8
#define FACTORS(layer) (layer)->shifts, (layer)->multipliers
#endif

#define COLUMNS_AT_ONCE 2u
#define BYTES_AT_ONCE 4u

/* The most special kernel for a number of columns, which is a multiple of 4. */
static kernel_t *kernel_for(uint16_t columns)
{
    switch (columns) {
    case 8:
        return KERNEL(8);
    case 16:
        return KERNEL(16);
    case 24:
        return KERNEL(24);
    case 48:
        return KERNEL(48);
    default:
        return ANY_KERNEL(columns);
    }
}

static pointwise_t *pointwise_for(uint16_t channels)
{
    switch (channels) {
    case 8:
        return POINTWISE(8);
    case 16:
        return POINTWISE(16);
    case 24:
        return POINTWISE(24);
    case 48:
        return POINTWISE(48);
    default:
        return ANY_POINTWISE;
    }
}

static ecgseg_engine_status_t run_pointwise(const ecgseg_direct_layer_t *layer, const int8_t *input, int8_t *output,
                                            int16_t *scratch)
{
    const tinyengine_status_t status = pointwise_for(layer->in_channels)(
        input, layer->in_positions, 1, layer->in_channels, layer->weights, layer->bias, FACTORS(layer),
        layer->out_zero_point, -layer->in_zero_point, layer->low, layer->high, output, layer->out_positions, 1,
        layer->out_channels, scratch);
    return status == STATE_SUCCESS ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
}

static int8_t *multiply(const ecgseg_direct_layer_t *layer, kernel_t *kernel, const int16_t *columns, int8_t *output)
{
    return kernel(layer->weights, columns, layer->out_channels, FACTORS(layer), layer->out_zero_point,
                  (int16_t)layer->low, (int16_t)layer->high, layer->columns, layer->bias, output);
}

/* One tap of a layer whose channels are a multiple of 4, in words. */
static int16_t *widen(const int8_t *source, uint32_t count, int16x2_t offset, int16_t *column)
{
    for (uint32_t i = 0; i < count; i += BYTES_AT_ONCE) {
        uint32_t word;
        memcpy(&word, source + i, sizeof word);
        const int16x2_t even = __sxtab16(offset, (int8x4_t)word);
        const int16x2_t odd = __sxtab16(offset, (int8x4_t)(word >> 8 | word << 24));
        memcpy(column + i, &even, sizeof even);
        memcpy(column + i + 2, &odd, sizeof odd);
    }
    return column + count;
}

/* The window of one position; what lies outside of the input, or beyond the taps, is zero. */
static void gather(const ecgseg_direct_layer_t *layer, const int8_t *input, int32_t first, int16_t *column)
{
    const int16_t offset = (int16_t)-layer->in_zero_point;
    const int16x2_t offsets = (int16x2_t)((uint32_t)(uint16_t)offset * 0x00010001u);
    const uint32_t channels = layer->in_channels;
    int32_t position = first;
    for (uint32_t tap = 0; tap < layer->taps; tap++) {
        if (position >= 0 && position < layer->in_positions) {
            column = widen(input + (uint32_t)position * channels, channels, offsets, column);
        } else {
            memset(column, 0, channels * sizeof *column);
            column += channels;
        }
        position += layer->dilation;
    }
}

/* The same where a tap is less than a word: value by value, each at its place of the reordered four. */
static void gather_narrow(const ecgseg_direct_layer_t *layer, const int8_t *input, int32_t first, int16_t *column)
{
    static const uint8_t place[BYTES_AT_ONCE] = {0, 2, 1, 3};
    const uint32_t channels = layer->in_channels;
    uint32_t at = 0;
    memset(column, 0, layer->columns * sizeof *column);
    for (uint32_t tap = 0; tap < layer->taps; tap++) {
        const int32_t position = first + (int32_t)(tap * layer->dilation);
        const bool inside = position >= 0 && position < layer->in_positions;
        const int8_t *source = inside ? input + (uint32_t)position * channels : input;
        for (uint32_t channel = 0; channel < channels; channel++, at++) {
            const int32_t value = inside ? source[channel] - layer->in_zero_point : 0;
            column[at / BYTES_AT_ONCE * BYTES_AT_ONCE + place[at % BYTES_AT_ONCE]] = (int16_t)value;
        }
    }
}

ecgseg_engine_status_t ecgseg_direct_run_layer(const ecgseg_direct_layer_t *layer, const int8_t *input, int8_t *output,
                                               ecgseg_direct_scratch_t scratch)
{
    const size_t both = (size_t)COLUMNS_AT_ONCE * layer->columns;
    const size_t rows = (size_t)COLUMNS_AT_ONCE * layer->out_channels;
    if (layer->depthwise || layer->out_channels % 2u != 0 || scratch.count * sizeof(int16_t) < 2u * both + rows) {
        return ECGSEG_ENGINE_BACKEND_FAILED;
    }
    if (layer->taps == 1 && layer->stride == 1 && layer->in_channels == layer->columns) {
        return run_pointwise(layer, input, output, scratch.values);
    }
    kernel_t *const kernel = kernel_for(layer->columns);
    void (*const take)(const ecgseg_direct_layer_t *, const int8_t *, int32_t, int16_t *) =
        layer->in_channels % BYTES_AT_ONCE == 0 ? gather : gather_narrow;
    int32_t first = -(int32_t)layer->pad;
    uint32_t left = layer->out_positions;
    for (; left >= COLUMNS_AT_ONCE; left -= COLUMNS_AT_ONCE) {
        take(layer, input, first, scratch.values);
        take(layer, input, first + layer->stride, scratch.values + layer->columns);
        output = multiply(layer, kernel, scratch.values, output);
        first += 2 * layer->stride;
    }
    if (left > 0) {
        /* The last one alone: the other column is whatever it was, and what comes of it is dropped. */
        int8_t *const row = (int8_t *)(scratch.values + both);
        take(layer, input, first, scratch.values);
        (void)multiply(layer, kernel, scratch.values, row);
        memcpy(output, row, layer->out_channels);
    }
    return ECGSEG_ENGINE_OK;
}
#endif
