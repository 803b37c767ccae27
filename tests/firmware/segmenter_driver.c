/* Test program: obeys commands on standard input with two segmenters and two models, and writes every frame that is
 * complete.
 *
 * A command is a letter, the number of a segmenter and a word of four bytes: 'i' starts it with the model of that
 * number, 'r' forgets its record, 'p' pushes so many samples, which follow, and 's' does the same step by step.
 */
#include <stdio.h>
#include <string.h>

#include "ecgseg_segmenter.h"
#include "one_model.h"
#include "two_model.h"

#define SLOTS 2u
#define MOST_SAMPLES 4096u

static ecgseg_segmenter_t segmenters[SLOTS];
static const ecgseg_model_t *const models[] = {&one_model, &two_model};

static bool put(const void *data, size_t size)
{
    return fwrite(data, 1, size, stdout) == size;
}

static bool write_frame(uint8_t slot, const ecgseg_segmenter_t *s)
{
    const uint32_t head[] = {
        slot, s->frame.index, s->frame.status, s->frame.lead_off_samples, s->frame.saturated_samples, s->segment_count,
    };
    bool good = s->stage == ECGSEG_SEGMENTER_HAS_SEGMENTS && put(head, sizeof head) && put(s->input, sizeof s->input) &&
                put(s->scores, s->model->info->output_bytes) && put(s->mask, sizeof s->mask);
    for (uint32_t i = 0; i < s->segment_count; i++) {
        const uint16_t row[] = {s->segments[i].label, s->segments[i].onset, s->segments[i].offset};
        good = good && put(row, sizeof row);
    }
    return good;
}

/* What the application does. */
static ecgseg_engine_status_t step_by_step(ecgseg_segmenter_t *s, const int16_t *samples, size_t count, size_t *taken,
                                           bool *ready)
{
    ecgseg_engine_status_t status = ecgseg_segmenter_preprocess(s, samples, count, taken, ready);
    if (status == ECGSEG_ENGINE_OK && *ready) {
        status = ecgseg_segmenter_infer(s);
    }
    if (status == ECGSEG_ENGINE_OK && *ready) {
        status = ecgseg_segmenter_segment(s);
    }
    return status;
}

static bool push(uint8_t slot, size_t count, bool in_steps)
{
    static int16_t samples[MOST_SAMPLES];
    if (count > MOST_SAMPLES || fread(samples, sizeof *samples, count, stdin) != count) {
        return false;
    }
    ecgseg_segmenter_t *const s = &segmenters[slot];
    for (size_t done = 0; done < count;) {
        size_t taken = 0;
        bool ready = false;
        const ecgseg_engine_status_t status =
            in_steps ? step_by_step(s, samples + done, count - done, &taken, &ready)
                     : ecgseg_segmenter_push(s, samples + done, count - done, &taken, &ready);
        if (status != ECGSEG_ENGINE_OK || taken == 0 || (ready && !write_frame(slot, s))) {
            return false;
        }
        done += taken;
    }
    return true;
}

static bool obey(uint8_t command, uint8_t slot, uint32_t word)
{
    switch (command) {
    case 'i':
        return ecgseg_segmenter_init(&segmenters[slot], models[word]) == ECGSEG_ENGINE_OK;
    case 'r':
        return ecgseg_segmenter_reset(&segmenters[slot]) == ECGSEG_ENGINE_OK;
    default:
        return push(slot, word, command == 's');
    }
}

int main(void)
{
    /* Nothing may be taken from memory as it was found. */
    (void)memset(segmenters, 0xA5, sizeof segmenters);
    uint8_t head[2];
    uint32_t word;
    while (fread(head, sizeof head, 1, stdin) == 1) {
        if (fread(&word, sizeof word, 1, stdin) != 1 || head[1] >= SLOTS || !obey(head[0], head[1], word)) {
            return 1;
        }
    }
    return 0;
}
