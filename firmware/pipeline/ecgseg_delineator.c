#include "ecgseg_delineator.h"

#include <string.h>

#include "ecgseg_engine.h"

/* What follows when the signal is through: nothing, a kind of event, or the end. */
#define GOES_ON 0u
#define ENDS 255u
/* Rows that go to the network at once: what the decimator makes in one go. Below 100 Hz the last raw sample may make
 * two. */
#define ROWS ECGSEG_BLOCK_OUTPUTS
#define ROWS_ASKED_FOR (ECGSEG_FACTOR < ECGSEG_PHASES ? ROWS - 1u : ROWS)
#define TICK_RATE 200u
/* Rounding as the normalisation does needs a scale above. */
#define SMALLEST_SCALE 1e-5f

static bool fits(const ecgseg_stream_model_t *model)
{
    const bool shape = model->input_row_bytes == 1u && model->output_row_bytes == ECGSEG_DELINEATOR_CLASSES &&
                       model->block != 0u && model->block == model->block_answers && model->granule != 0u;
    const bool quantisation = model->input_scale > SMALLEST_SCALE && model->input_zero_point >= INT8_MIN &&
                              model->input_zero_point <= INT8_MAX && model->faint_margin >= 0;
    /* What filter and network hold comes at once at the end. */
    const uint32_t at_end = model->end_answers + model->block_answers + ROWS;
    return model->engine_version == ECGSEG_ENGINE_VERSION && shape && quantisation &&
           at_end <= ECGSEG_DELINEATOR_ANSWERS;
}

/* Filter, normalisation and network as at the start. */
static ecgseg_delineator_status_t restart(ecgseg_delineator_t *d)
{
    /* A sample waits in the ring until events know its class. */
    _Static_assert(ECGSEG_DELINEATOR_ANSWERS + ROWS <= ECGSEG_FRAME_LENGTH, "the ring holds what waits");
    ecgseg_preprocess_reset(&d->preprocess);
    ecgseg_running_reset(&d->running);
    d->has_signal = false;
    d->samples = 0;
    d->next_sample = 0;
    d->next_label = 0;
    d->label_count = 0;
    d->rows = 0;
    d->group_rows = 0;
    return d->model->init(d->stream) == ECGSEG_STREAM_OK ? ECGSEG_DELINEATOR_OK : ECGSEG_DELINEATOR_MODEL_FAILED;
}

ecgseg_delineator_status_t ecgseg_delineator_init(ecgseg_delineator_t *d, const ecgseg_stream_model_t *model,
                                                  void *stream, void *arena, int8_t *scores, uint8_t options)
{
    if (d == NULL) {
        return ECGSEG_DELINEATOR_BAD_ARGUMENT;
    }
    (void)memset(d, 0, sizeof *d);
    if (model == NULL || stream == NULL || arena == NULL || scores == NULL || !fits(model)) {
        return ECGSEG_DELINEATOR_BAD_ARGUMENT;
    }
    d->model = model;
    d->stream = stream;
    d->arena = arena;
    d->scores = scores;
    ecgseg_preprocess_init(&d->preprocess, model->input_scale, model->input_zero_point);
    ecgseg_running_init(&d->running, model->input_scale, model->input_zero_point);
    ecgseg_events_init(&d->events, 0, options);
    const ecgseg_delineator_status_t status = restart(d);
    d->is_open = status == ECGSEG_DELINEATOR_OK;
    return status;
}

ecgseg_delineator_status_t ecgseg_delineator_start_at(ecgseg_delineator_t *d, uint64_t first_tick)
{
    if (d == NULL || !d->is_open || d->raw_samples != 0u) {
        return ECGSEG_DELINEATOR_BAD_ARGUMENT;
    }
    d->origin = first_tick;
    ecgseg_events_init(&d->events, first_tick, d->events.options);
    return ECGSEG_DELINEATOR_OK;
}

ecgseg_delineator_status_t ecgseg_delineator_tap(ecgseg_delineator_t *d, ecgseg_class_tap_t tap, void *context)
{
    if (d == NULL) {
        return ECGSEG_DELINEATOR_BAD_ARGUMENT;
    }
    d->tap = tap;
    d->tap_context = context;
    return ECGSEG_DELINEATOR_OK;
}

/* ---- From classes to events ---- */

/* Gives events the oldest sample with its class; false without room. */
static bool give_sample(ecgseg_delineator_t *d)
{
    const bool has_contact = (d->preprocess.flags[d->next_sample] & ECGSEG_SAMPLE_LEAD_OFF) == 0u;
    const int16_t sample = has_contact ? d->preprocess.ring[d->next_sample] : (int16_t)ECGSEG_LEAD_OFF_SAMPLE;
    const uint8_t label = has_contact ? d->labels[d->next_label] : (uint8_t)ECGSEG_NONE;
    if (!ecgseg_events_push(&d->events, label, sample)) {
        return false;
    }
    if (d->tap != NULL) {
        d->tap(d->tap_context, label == ECGSEG_FAINT_P ? (uint8_t)ECGSEG_NONE : label);
    }
    d->next_label++;
    d->next_sample = (uint16_t)(d->next_sample + 1u == ECGSEG_FRAME_LENGTH ? 0u : d->next_sample + 1u);
    return true;
}

/* Ticks of so many raw samples, rounded. */
static uint64_t ticks_of(uint64_t raw_samples)
{
    return (raw_samples * TICK_RATE + ECGSEG_INPUT_RATE / 2u) / ECGSEG_INPUT_RATE;
}

/* Tells a loss or the end, when the signal in front of it is through; false without room. */
static bool leave(ecgseg_delineator_t *d)
{
    if (d->leaving == ENDS) {
        if (!ecgseg_events_end(&d->events)) {
            return false;
        }
        d->is_open = false;
    } else {
        if (!ecgseg_events_lose(&d->events, d->leaving, ticks_of(d->lost), d->origin + ticks_of(d->raw_samples))) {
            return false;
        }
        d->is_open = restart(d) == ECGSEG_DELINEATOR_OK;
    }
    d->leaving = GOES_ON;
    return true;
}

/* Gives events what waits for them; false when they have no room. */
static bool pump(ecgseg_delineator_t *d)
{
    while (d->next_label < d->label_count) {
        if (!give_sample(d)) {
            return false;
        }
    }
    d->next_label = 0;
    d->label_count = 0;
    return d->leaving == GOES_ON || leave(d);
}

bool ecgseg_delineator_next(ecgseg_delineator_t *d, ecgseg_event_t *event)
{
    if (d == NULL || event == NULL || d->model == NULL) {
        return false;
    }
    bool found = ecgseg_events_next(&d->events, event);
    bool done = found;
    while (!done) {
        done = pump(d);
        found = ecgseg_events_next(&d->events, event);
        done = done || found;
    }
    return found;
}

/* ---- From raw samples to classes ---- */

/* The class of the largest score, of equal ones the first, or ECGSEG_FAINT_P. Two and two are compared, for the best of
 * each pair stays in a register. */
static inline uint8_t label_of(const int8_t scores[ECGSEG_DELINEATOR_CLASSES], int32_t margin)
{
    const bool second = scores[ECGSEG_P] > scores[ECGSEG_NONE];
    const bool fourth = scores[ECGSEG_T] > scores[ECGSEG_QRS];
    const int32_t low = second ? scores[ECGSEG_P] : scores[ECGSEG_NONE];
    const int32_t high = fourth ? scores[ECGSEG_T] : scores[ECGSEG_QRS];
    uint8_t label = (uint8_t)(high > low ? ECGSEG_QRS + fourth : second);
    if (label == ECGSEG_NONE && scores[ECGSEG_NONE] - scores[ECGSEG_P] <= margin) {
        label = ECGSEG_FAINT_P;
    }
    return label;
}

/* Labels of the first `count` answers; those of padding behind the last sample are nobody's. */
static void take_answers(ecgseg_delineator_t *d, uint32_t count)
{
    _Static_assert(ECGSEG_DELINEATOR_CLASSES == 4, "the largest of four");
    const uint32_t taken = count < d->samples ? count : d->samples;
    uint8_t *const labels = &d->labels[d->label_count];
    /* Where NONE is the largest nothing lies above it. */
    const int32_t margin = d->model->faint_margin != 0 ? d->model->faint_margin : -1;
    for (uint32_t n = 0; n < taken; n++) {
        labels[n] = label_of(&d->scores[n * ECGSEG_DELINEATOR_CLASSES], margin);
    }
    d->label_count = (uint8_t)(d->label_count + taken);
    d->samples = (uint16_t)(d->samples - taken);
}

static ecgseg_delineator_status_t push_rows(ecgseg_delineator_t *d, const int8_t *rows, uint32_t count)
{
    uint32_t answers = 0;
    if (d->model->push(d->stream, d->arena, rows, count, d->scores, ECGSEG_DELINEATOR_ANSWERS, &answers) !=
        ECGSEG_STREAM_OK) {
        return ECGSEG_DELINEATOR_MODEL_FAILED;
    }
    d->rows += count < d->model->least - d->rows ? count : d->model->least - d->rows;
    d->group_rows = (d->group_rows + count) % d->model->granule;
    take_answers(d, answers);
    return ECGSEG_DELINEATOR_OK;
}

/* Takes as many raw samples as make a few at 100 Hz, and gives those to the network. */
static ecgseg_delineator_status_t take_some(ecgseg_delineator_t *d, const int16_t *samples, size_t count, size_t *taken)
{
    const size_t most = ecgseg_preprocess_until(&d->preprocess, ROWS_ASKED_FOR);
    const size_t wanted = count < most ? count : most;
    uint32_t at = d->preprocess.ring_next;
    bool frame_ready = true; /* a stream has no frames: where one would be complete, it goes on */
    *taken = 0;
    while (frame_ready) {
        *taken += ecgseg_preprocess_push(&d->preprocess, samples + *taken, wanted - *taken, &frame_ready);
    }
    int8_t rows[ROWS];
    uint32_t made = 0;
    for (; at != d->preprocess.ring_next; at = at + 1u == ECGSEG_FRAME_LENGTH ? 0u : at + 1u) {
        const bool has_contact = (d->preprocess.flags[at] & ECGSEG_SAMPLE_LEAD_OFF) == 0u;
        rows[made] = ecgseg_running_push(&d->running, d->preprocess.ring[at], has_contact);
        made++;
    }
    d->samples = (uint16_t)(d->samples + made);
    return made == 0u ? ECGSEG_DELINEATOR_OK : push_rows(d, rows, made);
}

ecgseg_delineator_status_t ecgseg_delineator_push(ecgseg_delineator_t *d, const int16_t *samples, size_t count,
                                                  size_t *taken)
{
    if (taken == NULL) {
        return ECGSEG_DELINEATOR_BAD_ARGUMENT;
    }
    *taken = 0;
    if (d == NULL || (samples == NULL && count > 0u)) {
        return ECGSEG_DELINEATOR_BAD_ARGUMENT;
    }
    ecgseg_delineator_status_t status = ECGSEG_DELINEATOR_OK;
    bool has_room = d->is_open && pump(d);
    if (!d->is_open) {
        status = ECGSEG_DELINEATOR_ENDED;
    }
    while (status == ECGSEG_DELINEATOR_OK && has_room && *taken < count) {
        size_t some = 0;
        status = take_some(d, samples + *taken, count - *taken, &some);
        *taken += some;
        d->raw_samples += some;
        d->last_raw = samples[*taken - 1u];
        d->has_signal = true;
        has_room = pump(d);
    }
    return status;
}

/* ---- Losses and the end ---- */

/* The last raw sample again, until it is through the filter. */
static ecgseg_delineator_status_t flush_filter(ecgseg_delineator_t *d)
{
    ecgseg_delineator_status_t status = ECGSEG_DELINEATOR_OK;
#if ECGSEG_DELAY > 0
    int16_t last[ECGSEG_DELAY];
    for (uint32_t n = 0; n < ECGSEG_DELAY; n++) {
        last[n] = d->last_raw;
    }
    size_t done = 0;
    while (status == ECGSEG_DELINEATOR_OK && done < ECGSEG_DELAY) {
        size_t some = 0;
        status = take_some(d, last + done, ECGSEG_DELAY - done, &some);
        done += some;
    }
#else
    (void)d;
#endif
    return status;
}

/* Finishes what is in filter and network, as at the end of a record. The network exists for records of some lengths
 * only: there may be need of padding behind the last sample. */
static ecgseg_delineator_status_t finish(ecgseg_delineator_t *d)
{
    if (!d->has_signal) {
        return ECGSEG_DELINEATOR_OK;
    }
    const int8_t nothing = (int8_t)d->model->input_zero_point;
    ecgseg_delineator_status_t status = flush_filter(d);
    while (status == ECGSEG_DELINEATOR_OK && (d->rows < d->model->least || d->group_rows != 0u)) {
        status = push_rows(d, &nothing, 1);
    }
    uint32_t answers = 0;
    if (status == ECGSEG_DELINEATOR_OK &&
        d->model->end(d->stream, d->arena, d->scores, ECGSEG_DELINEATOR_ANSWERS, &answers) != ECGSEG_STREAM_OK) {
        status = ECGSEG_DELINEATOR_MODEL_FAILED;
    }
    take_answers(d, answers);
    return status;
}

/* Finishes the signal so far; what `leaving` says follows. */
static ecgseg_delineator_status_t finish_before(ecgseg_delineator_t *d, uint8_t leaving, uint64_t lost)
{
    if (d == NULL) {
        return ECGSEG_DELINEATOR_BAD_ARGUMENT;
    }
    if (d->is_open && !pump(d)) {
        return ECGSEG_DELINEATOR_FETCH;
    }
    if (!d->is_open) {
        return ECGSEG_DELINEATOR_ENDED;
    }
    const ecgseg_delineator_status_t status = finish(d);
    d->leaving = leaving;
    d->lost = lost;
    d->raw_samples += lost;
    (void)pump(d); /* the rest goes when events are fetched */
    return status;
}

ecgseg_delineator_status_t ecgseg_delineator_gap(ecgseg_delineator_t *d, uint64_t samples)
{
    return finish_before(d, ECGSEG_EVENT_GAP, samples);
}

ecgseg_delineator_status_t ecgseg_delineator_overrun(ecgseg_delineator_t *d, uint64_t samples)
{
    return finish_before(d, ECGSEG_EVENT_OVERRUN, samples);
}

ecgseg_delineator_status_t ecgseg_delineator_end(ecgseg_delineator_t *d)
{
    return finish_before(d, ENDS, 0);
}
