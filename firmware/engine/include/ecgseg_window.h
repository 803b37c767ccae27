/* Geometry of everything that slides a window over [height, width, channels]. */
#ifndef ECGSEG_WINDOW_H
#define ECGSEG_WINDOW_H

#include "ecgseg_fixed.h"

typedef struct {
    int32_t in_height, in_width, in_channels;
    int32_t out_height, out_width, out_channels;
    int32_t kernel_height, kernel_width;
    int32_t stride_height, stride_width;
    int32_t dilation_height, dilation_width;
    int32_t pad_top, pad_left;
} ecgseg_window_t;

/* Place of the window's first tap in the input; may lie outside. */
typedef struct {
    int32_t y, x;
} ecgseg_origin_t;

ECGSEG_INLINE ecgseg_origin_t ecgseg_origin(const ecgseg_window_t *w, int32_t position)
{
    const int32_t out_y = w->out_height == 1 ? 0 : position / w->out_width;
    const int32_t out_x = position - out_y * w->out_width;
    return (ecgseg_origin_t){out_y * w->stride_height - w->pad_top, out_x * w->stride_width - w->pad_left};
}

ECGSEG_INLINE bool ecgseg_inside(int32_t position, int32_t size)
{
    return position >= 0 && position < size;
}

/* True when no tap lies in the padding. */
ECGSEG_INLINE bool ecgseg_interior(const ecgseg_window_t *w, ecgseg_origin_t origin)
{
    const int32_t reach_y = (w->kernel_height - 1) * w->dilation_height;
    const int32_t reach_x = (w->kernel_width - 1) * w->dilation_width;
    const bool rows =
        w->in_height == 1 && w->kernel_height == 1 ? true : origin.y >= 0 && origin.y + reach_y < w->in_height;
    return rows && origin.x >= 0 && origin.x + reach_x < w->in_width;
}

/* Input under one tap, or NULL in the padding. */
ECGSEG_INLINE const int8_t *ecgseg_tap(const ecgseg_window_t *w, const int8_t *input, ecgseg_origin_t origin,
                                       int32_t ky, int32_t kx)
{
    const int32_t y = origin.y + ky * w->dilation_height;
    const int32_t x = origin.x + kx * w->dilation_width;
    if (!ecgseg_inside(y, w->in_height) || !ecgseg_inside(x, w->in_width)) {
        return NULL;
    }
    return input + (y * w->in_width + x) * w->in_channels;
}

#endif
