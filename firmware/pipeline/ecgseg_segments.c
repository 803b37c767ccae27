#include "ecgseg_segments.h"

void ecgseg_class_mask(const int8_t *scores, const uint8_t *valid, size_t length, size_t class_count, uint8_t *mask)
{
    for (size_t n = 0; n < length; n++) {
        size_t best = 0;
        if (valid[n] != 0u) {
            for (size_t label = 1; label < class_count; label++) {
                if (scores[label] > scores[best]) {
                    best = label;
                }
            }
        }
        mask[n] = (uint8_t)best;
        scores += class_count;
    }
}

/* Gives a finished run to the list: joined to the one before it or new. */
static size_t add_run(ecgseg_segment_t *segments, size_t count, ecgseg_segment_t run, uint8_t max_gap)
{
    if (count != 0) {
        ecgseg_segment_t *previous = &segments[count - 1];
        if (previous->label == run.label && run.onset - previous->offset - 1 <= max_gap) {
            previous->offset = run.offset;
            return count;
        }
    }
    segments[count] = run;
    return count + 1;
}

static size_t find_runs(const uint8_t *mask, size_t length, uint8_t max_gap, ecgseg_segment_t *segments)
{
    size_t count = 0;
    size_t onset = 0;
    for (size_t n = 1; n <= length; n++) {
        if (n < length && mask[n] == mask[onset]) {
            continue;
        }
        if (mask[onset] != 0) {
            count =
                add_run(segments, count, (ecgseg_segment_t){mask[onset], (uint16_t)onset, (uint16_t)(n - 1)}, max_gap);
        }
        onset = n;
    }
    return count;
}

size_t ecgseg_segments(const ecgseg_segment_rules_t *rules, size_t class_count, const uint8_t *mask, size_t length,
                       ecgseg_segment_t segments[ECGSEG_MAX_SEGMENTS])
{
    if (length == 0 || length > ECGSEG_MAX_SEGMENTS) {
        return 0;
    }
    const size_t found = find_runs(mask, length, rules->max_gap, segments);
    size_t kept = 0;
    for (size_t i = 0; i < found; i++) {
        const ecgseg_segment_t run = segments[i];
        const int32_t run_length = run.offset - run.onset + 1;
        const uint8_t shortest = run.label < class_count ? rules->min_length[run.label] : 0;
        if (run.onset == 0 || (size_t)run.offset + 1 == length || run_length >= shortest) {
            segments[kept++] = run;
        }
    }
    return kept;
}
