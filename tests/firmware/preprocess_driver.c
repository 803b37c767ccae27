/* Test program: raw int16 samples on standard input; per frame a record of fixed size on standard output.
 * INPUT_SCALE, INPUT_ZERO_POINT, MIN_LENGTHS and MAX_GAP come from the command line.
 * The first word of the input is the chunk size in which the samples are pushed. Scores are made from the frame by a
 * fixed rule that the test repeats, so that masks with many runs and ties occur. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgseg_preprocess.h"
#include "ecgseg_segments.h"

#define CLASSES ECGSEG_MAX_CLASSES

static const uint8_t min_lengths[CLASSES] = {MIN_LENGTHS};
static const ecgseg_segment_rules_t rules = {MAX_GAP, min_lengths};

static int put(const void *data, size_t size)
{
    return fwrite(data, 1, size, stdout) == size;
}

static int write_frame(const ecgseg_preprocess_t *state)
{
    static int8_t frame[ECGSEG_FRAME_LENGTH];
    static uint8_t valid[ECGSEG_FRAME_LENGTH];
    static int8_t scores[ECGSEG_FRAME_LENGTH * CLASSES];
    static uint8_t mask[ECGSEG_FRAME_LENGTH];
    static ecgseg_segment_t segments[ECGSEG_MAX_SEGMENTS];
    const ecgseg_frame_info_t info = ecgseg_preprocess_frame(state, frame, valid);
    for (int n = 0; n < ECGSEG_FRAME_LENGTH; n++) {
        for (int label = 0; label < CLASSES; label++) {
            scores[n * CLASSES + label] = (int8_t)((frame[n] * (label + 1) * 3 + label * label) % 5);
        }
    }
    ecgseg_class_mask(scores, valid, ECGSEG_FRAME_LENGTH, CLASSES, mask);
    const uint32_t count = (uint32_t)ecgseg_segments(&rules, CLASSES, mask, ECGSEG_FRAME_LENGTH, segments);
    const uint32_t head[5] = {info.index, info.status, info.lead_off_samples, info.saturated_samples, count};
    int good = put(head, sizeof head) && put(frame, sizeof frame) && put(valid, sizeof valid) && put(mask, sizeof mask);
    for (uint32_t i = 0; i < count; i++) {
        const uint16_t row[3] = {segments[i].label, segments[i].onset, segments[i].offset};
        good = good && put(row, sizeof row);
    }
    return good;
}

int main(void)
{
    static ecgseg_preprocess_t state;
    uint32_t chunk = 0;
    if (fread(&chunk, sizeof chunk, 1, stdin) != 1 || chunk == 0) {
        return 2;
    }
    int16_t *samples = malloc(chunk * sizeof *samples);
    if (samples == NULL) {
        return 3;
    }
    ecgseg_preprocess_init(&state, INPUT_SCALE, INPUT_ZERO_POINT);
    size_t count;
    while ((count = fread(samples, sizeof *samples, chunk, stdin)) != 0) {
        for (size_t taken = 0; taken < count;) {
            bool ready = false;
            taken += ecgseg_preprocess_push(&state, samples + taken, count - taken, &ready);
            if (ready && !write_frame(&state)) {
                return 4;
            }
        }
    }
    free(samples);
    return 0;
}
