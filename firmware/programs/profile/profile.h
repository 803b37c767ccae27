/* Included before the generated code when its layers are profiled. */
#ifndef PROFILE_H
#define PROFILE_H

#include <stdint.h>

void profile_layer_done(uint32_t layer);
#if defined(PROFILE_LAYERS)
#define ECGSEG_LAYER_DONE(layer) profile_layer_done(layer)
#endif

#endif
