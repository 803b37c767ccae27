/* Scores -> class mask -> segments (docs/architecture.md, section 4). */
#ifndef ECGSEG_SEGMENTS_H
#define ECGSEG_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "ecgseg_engine.h"
#include "ecgseg_preprocess.h"

typedef struct {
    uint8_t label;   /* class, never NONE */
    uint16_t onset;  /* first sample in the frame */
    uint16_t offset; /* last sample in the frame */
} ecgseg_segment_t;

/* Every run has at least one sample. */
#define ECGSEG_MAX_SEGMENTS ECGSEG_FRAME_LENGTH

/* Largest score per sample, the lowest class on a tie; NONE where valid[n] is 0. scores: [length][class_count]. */
void ecgseg_class_mask(const int8_t *scores, const uint8_t *valid, size_t length, size_t class_count, uint8_t *mask);

/* Writes at most ECGSEG_MAX_SEGMENTS segments and returns how many. The mask's classes are below class_count, for so
 * many the rules tell the shortest length. */
size_t ecgseg_segments(const ecgseg_segment_rules_t *rules, size_t class_count, const uint8_t *mask, size_t length,
                       ecgseg_segment_t segments[ECGSEG_MAX_SEGMENTS]);

#endif
