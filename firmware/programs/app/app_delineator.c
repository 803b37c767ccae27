#include "app_delineator.h"

#include <stdbool.h>
#include <stddef.h>

#include "app_measure.h"
#include "app_model.h"
#include "app_results.h"
#include "ecgseg_delineator.h"
#include "ecgseg_messages.h"
#include "ecgseg_stream_model.h"

/* Results that wait; both numbers divide 2^32. */
#define EVENT_ROOM 16u
#define CLASS_ROOM 512u
/* Raw samples that go in at once, and classes that may come of them, of what waits in front of the events included. */
#define AT_ONCE ((size_t)ECGSEG_BLOCK_SAMPLES)
#define CLASSES_AT_ONCE (ECGSEG_DELINEATOR_ANSWERS + 32u)

_Static_assert(sizeof(ecgseg_event_t) == (size_t)ECGSEG_LINK_EVENT_BYTES, "events are sent as they lie in memory");
_Static_assert(CLASSES_AT_ONCE < CLASS_ROOM, "classes always get room when the host has read them");
_Static_assert((ECGSEG_LINK_REQUEST_HEADER_BYTES + ECGSEG_LINK_FEED_SMALLEST) % sizeof(int16_t) == 0,
               "samples are used where they lie in the frame, which is aligned to words");

static struct {
    ecgseg_delineator_t delineator;
    ecgseg_stream_t stream;
    ecgseg_stream_arena_t arena;
    int8_t scores[ECGSEG_DELINEATOR_SCORE_BYTES];
    uint8_t event_ring[EVENT_ROOM * sizeof(ecgseg_event_t)];
    uint8_t class_ring[CLASS_ROOM];
    app_results_t events;
    app_results_t classes;
    ecgseg_engine_status_t status; /* of the network */
    bool is_open;                  /* samples are taken */
    bool is_through;               /* it has ended, and nothing comes any more */
} app;

app_stream_info_t app_stream_info(void)
{
    return (app_stream_info_t){
        .input_rate = ECGSEG_INPUT_RATE,
        .factor = ECGSEG_FACTOR,
        .hop = 0, /* there are no frames */
        .delay = ECGSEG_DELAY,
        .flat_uv = ECGSEG_FLAT_UV,
    };
}

static void keep_class(void *context, uint8_t label)
{
    (void)context;
    app_results_add(&app.classes, &label);
}

static bool begin(uint8_t options)
{
    app.events = (app_results_t){.ring = app.event_ring, .room = EVENT_ROOM, .bytes = sizeof(ecgseg_event_t)};
    app.classes = (app_results_t){.ring = app.class_ring, .room = CLASS_ROOM, .bytes = 1u};
    app.is_through = false;
    const uint8_t after = (options & (uint8_t)ECGSEG_START_BAZETT) != 0u ? (uint8_t)ECGSEG_EVENTS_BAZETT : 0u;
    ecgseg_delineator_status_t status =
        ecgseg_delineator_init(&app.delineator, &ecgseg_stream_model, &app.stream, &app.arena, app.scores, after);
    if (status == ECGSEG_DELINEATOR_OK && (options & (uint8_t)ECGSEG_START_CLASSES) != 0u) {
        status = ecgseg_delineator_tap(&app.delineator, keep_class, NULL);
    }
    return status == ECGSEG_DELINEATOR_OK;
}

app_engine_t app_stream_start(void)
{
    app.is_open = false;
    app.status = begin(0) ? ECGSEG_ENGINE_OK : ECGSEG_ENGINE_BACKEND_FAILED;
    return (app_engine_t){.status = app.status};
}

void app_model_init(app_engine_t engine)
{
    app.status = engine.status;
}

ecgseg_engine_status_t app_model_status(void)
{
    return app.status;
}

/* Whatever the delineator does next, its classes have room. */
static bool classes_have_room(void)
{
    return app_results_free(&app.classes) >= CLASSES_AT_ONCE;
}

/* Takes events from the delineator as long as they have room; true when it has none left. */
static bool fetch(void)
{
    while (app_results_free(&app.events) > 0u && classes_have_room()) {
        ecgseg_event_t event;
        if (!ecgseg_delineator_next(&app.delineator, &event)) {
            return true;
        }
        app_results_add(&app.events, (const uint8_t *)&event);
    }
    return false;
}

/* The host has made room. */
static void refill(void)
{
    const bool is_empty = fetch();
    app.is_through = app.is_through || (is_empty && !app.is_open);
}

static uint8_t flags(void)
{
    return app.is_through ? (uint8_t)ECGSEG_STREAM_ENDED : 0u;
}

static uint32_t position(void)
{
    return (uint32_t)app.delineator.raw_samples;
}

ecgseg_link_error_t app_delineator_start(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint8_t options = ecgseg_get_start_request(request).options;
    if ((options & ~(unsigned)(ECGSEG_START_CLASSES | ECGSEG_START_BAZETT)) != 0u) {
        return ECGSEG_ERROR_BAD_ARGUMENT;
    }
    app.is_open = begin(options);
    if (!app.is_open) {
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
    const ecgseg_start_answer_t values = {
        .look_ahead = ECGSEG_STREAM_LAG,
        .block = ECGSEG_STREAM_BLOCK,
        .state_bytes = ECGSEG_STREAM_STATE_BYTES,
        .memory_bytes = sizeof app,
        .event_bytes = sizeof(ecgseg_event_t),
        .event_room = EVENT_ROOM,
        .class_room = CLASS_ROOM,
    };
    ecgseg_put_start_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

/* What a request that continues the stream has to meet. */
static ecgseg_link_error_t check(uint32_t first_index, ecgseg_writer_t *answer)
{
    if (!app.is_open) {
        return ECGSEG_ERROR_NOT_STREAMING;
    }
    if (first_index != position()) {
        ecgseg_put_u32(answer, position());
        return ECGSEG_ERROR_WRONG_INDEX;
    }
    return ECGSEG_ERROR_OK;
}

/* Gives samples to the delineator as long as there is room for results; *left: how many it did not take. */
static ecgseg_link_error_t feed(const int16_t *samples, size_t *left)
{
    bool has_room = true;
    while (has_room && *left > 0u) {
        size_t taken = 0;
        (void)fetch();
        if (classes_have_room()) {
            const size_t some = *left < AT_ONCE ? *left : AT_ONCE;
            if (ecgseg_delineator_push(&app.delineator, samples, some, &taken) != ECGSEG_DELINEATOR_OK) {
                return ECGSEG_ERROR_ENGINE_FAILED;
            }
        }
        has_room = taken > 0u;
        samples += taken;
        *left -= taken;
    }
    (void)fetch();
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_delineator_feed(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_feed_request_t wanted = ecgseg_get_feed_request(request);
    if (request->left % sizeof(int16_t) != 0u) {
        return ECGSEG_ERROR_BAD_LENGTH;
    }
    ecgseg_link_error_t error = check(wanted.first_index, answer);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    if (!app_results_acknowledge(&app.events, wanted.events_read) ||
        !app_results_acknowledge(&app.classes, wanted.classes_read)) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    size_t left = request->left / sizeof(int16_t);
    const int16_t *const samples = ecgseg_get_i16s(request, left);
    if (samples == NULL) {
        return ECGSEG_ERROR_BAD_LENGTH;
    }
    const uint32_t start = app_begin(BOARD_STATE_INFERENCE);
    error = feed(samples, &left);
    const uint32_t ticks = app_end(start);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    const ecgseg_feed_answer_t values = {
        .samples_seen = position(),
        .events_made = app.events.made,
        .classes_made = app.classes.made,
        .ticks = ticks,
        .flags = left > 0u ? (uint8_t)ECGSEG_STREAM_FULL : 0u,
    };
    ecgseg_put_feed_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_delineator_events(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_events_request_t wanted = ecgseg_get_events_request(request);
    if (!app_results_acknowledge(&app.events, wanted.first)) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    refill();
    const size_t room = (size_t)ECGSEG_LINK_PAYLOAD_MAX - ECGSEG_LINK_EVENTS_ANSWER_HEAD;
    const uint32_t count = app_results_count(&app.events, wanted.most, room);
    const ecgseg_events_answer_t values = {
        .made = app.events.made,
        .crc = app_results_crc(&app.events, count),
        .flags = flags(),
    };
    ecgseg_put_events_answer(answer, &values);
    app_results_put(&app.events, count, answer);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_delineator_classes(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_classes_request_t wanted = ecgseg_get_classes_request(request);
    if (!app_results_acknowledge(&app.classes, wanted.first)) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    refill();
    const size_t room = (size_t)ECGSEG_LINK_PAYLOAD_MAX - ECGSEG_LINK_CLASSES_ANSWER_HEAD;
    const uint32_t count = app_results_count(&app.classes, wanted.most, room);
    const ecgseg_classes_answer_t values = {
        .made = app.classes.made,
        .crc = app_results_crc(&app.classes, count),
        .flags = flags(),
    };
    ecgseg_put_classes_answer(answer, &values);
    app_results_put(&app.classes, count, answer);
    return ECGSEG_ERROR_OK;
}

/* Whether what is in filter and network may be finished: events and classes have room for what comes first. */
static bool may_finish(void)
{
    return fetch() && classes_have_room();
}

static ecgseg_link_error_t error_of(ecgseg_delineator_status_t status)
{
    switch (status) {
    case ECGSEG_DELINEATOR_OK:
        return ECGSEG_ERROR_OK;
    case ECGSEG_DELINEATOR_FETCH:
        return ECGSEG_ERROR_RESULTS_WAIT;
    case ECGSEG_DELINEATOR_ENDED:
        return ECGSEG_ERROR_NOT_STREAMING;
    case ECGSEG_DELINEATOR_BAD_ARGUMENT:
    case ECGSEG_DELINEATOR_MODEL_FAILED:
    default:
        return ECGSEG_ERROR_ENGINE_FAILED;
    }
}

ecgseg_link_error_t app_delineator_gap(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_gap_request_t wanted = ecgseg_get_gap_request(request);
    if (wanted.samples == 0u || wanted.cause > (uint8_t)ECGSEG_LOSS_OVERRUN) {
        return ECGSEG_ERROR_BAD_ARGUMENT;
    }
    ecgseg_link_error_t error = check(wanted.first_index, answer);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    if (!may_finish()) {
        return ECGSEG_ERROR_RESULTS_WAIT;
    }
    error =
        error_of(wanted.cause == (uint8_t)ECGSEG_LOSS_GAP ? ecgseg_delineator_gap(&app.delineator, wanted.samples)
                                                          : ecgseg_delineator_overrun(&app.delineator, wanted.samples));
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    (void)fetch();
    const ecgseg_gap_answer_t values = {
        .samples_seen = position(),
        .events_made = app.events.made,
        .classes_made = app.classes.made,
    };
    ecgseg_put_gap_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

ecgseg_link_error_t app_delineator_finish(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    ecgseg_link_error_t error = check(ecgseg_get_finish_request(request).first_index, answer);
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    if (!may_finish()) {
        return ECGSEG_ERROR_RESULTS_WAIT;
    }
    error = error_of(ecgseg_delineator_end(&app.delineator));
    if (error != ECGSEG_ERROR_OK) {
        return error;
    }
    app.is_open = false;
    refill();
    const ecgseg_finish_answer_t values = {.events_made = app.events.made, .classes_made = app.classes.made};
    ecgseg_put_finish_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}
