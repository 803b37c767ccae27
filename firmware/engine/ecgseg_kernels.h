/* Quantised kernels: what the generated code calls. Every kernel equals TensorFlow Lite Micro's reference kernel on
 * every byte. A layer is described by a constant structure that the code generator fills in; nothing is computed at
 * run time that is known on the host.
 *
 * Each kernel is portable C. Where it pays, its inner loop also exists for the DSP instructions of the Cortex-M4
 * (ecgseg_mac.h); both forms are tested against the same vectors.
 */
#ifndef ECGSEG_KERNELS_H
#define ECGSEG_KERNELS_H

#include <stdint.h>

/* Requantisation of one output channel: clamp(zero_point + round(accumulator * multiplier / 2^31 / 2^shift)).
 * multiplier and shift are TensorFlow Lite's; shift is negative for a shift to the left. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} ecgseg_scale_t;

/* The same for one channel of a convolution, prepared so that a store costs few instructions:
 * (h + (h >> 31) + rounding) >> shift with h the doubling high multiply, where rounding holds half a step and the
 * output's zero point; weights and bias are then stored doubled, which gives the doubling. Valid for shift >= 1 and
 * accumulators below 2^30, which the code generator proves per layer. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
    int32_t rounding;
} ecgseg_channel_t;

/* Geometry shared by everything that slides a window over [height, width, channels]. */
typedef struct {
    uint16_t in_height, in_width, in_channels;
    uint16_t out_height, out_width, out_channels;
    uint16_t kernel_height, kernel_width;
    uint8_t stride_height, stride_width;
    uint16_t dilation_height, dilation_width;
    int16_t pad_top, pad_left;
} ecgseg_window_t;

/* Convolution. A column is the window's input for one output position, widened to int16, in the order of
 * ecgseg_mac.h, `groups` groups of four values (the last one filled up). weights: for each pair of output channels,
 * `groups` times {4 of the first channel, 4 of the second}, in the column's order. bias includes the input's zero
 * point, so that columns hold the plain int8 values. channels are padded to an even number. */
typedef struct {
    ecgseg_window_t window;
    uint16_t groups;
    int8_t input_zero_point;
    int8_t output_zero_point;
    int8_t activation_min, activation_max;
    uint8_t prepared;           /* 1: every channel's `rounding` may be used */
    const int16_t *weights;
    const int32_t *bias;        /* even number of channels */
    const ecgseg_channel_t *channels;
} ecgseg_conv_t;

/* Depthwise convolution. weights: [kernel_height][kernel_width][out_channels]; output channel c reads
 * input channel c / depth_multiplier. */
typedef struct {
    ecgseg_window_t window;
    uint16_t depth_multiplier;
    int8_t input_zero_point;
    int8_t output_zero_point;
    int8_t activation_min, activation_max;
    const int8_t *weights;
    const int32_t *bias;
    const ecgseg_scale_t *scales;
} ecgseg_depthwise_t;

/* Sum of two tensors of one shape, each rescaled to a common scale first. */
typedef struct {
    uint32_t count;
    int32_t offset_a, offset_b; /* minus the zero points */
    ecgseg_scale_t scale_a, scale_b, scale_out;
    int32_t output_zero_point;
    int8_t activation_min, activation_max;
} ecgseg_add_t;

/* Requantisation of every element (RELU, RELU6 and QUANTIZE between int8 scales). */
typedef struct {
    uint32_t count;
    int32_t input_zero_point;
    int32_t output_zero_point;
    ecgseg_scale_t scale;
    int8_t activation_min, activation_max;
} ecgseg_rescale_t;

/* scratch, aligned to 4 bytes: see ECGSEG_CONV_SCRATCH. */
void ecgseg_conv(const ecgseg_conv_t *layer, const int8_t *input, int8_t *output, void *scratch);

/* Bytes of scratch of a convolution: two columns, one staged window, and two accumulators per channel. */
#define ECGSEG_CONV_SCRATCH(groups, even_channels) (20u * (groups) + 8u * (even_channels))
void ecgseg_depthwise(const ecgseg_depthwise_t *layer, const int8_t *input, int8_t *output);
void ecgseg_add(const ecgseg_add_t *layer, const int8_t *a, const int8_t *b, int8_t *output);
void ecgseg_rescale(const ecgseg_rescale_t *layer, const int8_t *input, int8_t *output);

#endif
