#include "ecgseg_kernels.h"
#include "ecgseg_requantise.h"

/* Both inputs are shifted up before they are rescaled, so that rounding loses nothing; TensorFlow Lite's value. */
#define ADD_HEADROOM 20

void ecgseg_add(const ecgseg_add_t *layer, const int8_t *a, const int8_t *b, int8_t *output)
{
    for (uint32_t i = 0; i < layer->count; i++) {
        const int32_t x = (a[i] + layer->offset_a) * (1 << ADD_HEADROOM);
        const int32_t y = (b[i] + layer->offset_b) * (1 << ADD_HEADROOM);
        const int32_t sum = ecgseg_requantise(x, layer->scale_a) + ecgseg_requantise(y, layer->scale_b);
        const int32_t value = ecgseg_requantise(sum, layer->scale_out) + layer->output_zero_point;
        output[i] = ecgseg_clamp(value, layer->activation_min, layer->activation_max);
    }
}

void ecgseg_rescale(const ecgseg_rescale_t *layer, const int8_t *input, int8_t *output)
{
    for (uint32_t i = 0; i < layer->count; i++) {
        const int32_t value = ecgseg_requantise(input[i] - layer->input_zero_point, layer->scale);
        output[i] = ecgseg_clamp(value + layer->output_zero_point, layer->activation_min, layer->activation_max);
    }
}
