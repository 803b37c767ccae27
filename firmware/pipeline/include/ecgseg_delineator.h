/* From raw samples to events: decimator, running normalisation, streaming network, classes, beats. What a product
 * links.
 *
 *     static ecgseg_delineator_t delineator;
 *     static ecgseg_stream_t stream;                          // of the rendered network
 *     static struct {
 *         ecgseg_stream_arena_t arena;
 *         int8_t scores[ECGSEG_DELINEATOR_SCORE_BYTES];
 *     } scratch;
 *     ...
 *     status = ecgseg_delineator_init(&delineator, &ecgseg_stream_model, &stream, &scratch.arena, scratch.scores, 0);
 *     ...
 *     while (status == ECGSEG_DELINEATOR_OK && count > 0) {   // whenever there are samples
 *         status = ecgseg_delineator_push(&delineator, samples, count, &taken);
 *         samples += taken;
 *         count -= taken;
 *         while (ecgseg_delineator_next(&delineator, &event)) { ... }
 *     }
 *
 * Raw samples are int16 microvolts at ECGSEG_INPUT_RATE, ECGSEG_LEAD_OFF_SAMPLE without contact. Everything is the
 * caller's memory: as many delineators as there is room for work side by side, of one network or of several; arena and
 * scores are needed only during a call and may be shared. Equal to the byte to host/ecgseg/pipeline/delineator.py, for
 * any chunks and whenever events are fetched. When an event comes at the latest: docs/architecture.md, section 11.
 */
#ifndef ECGSEG_DELINEATOR_H
#define ECGSEG_DELINEATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_events.h"
#include "ecgseg_preprocess.h"
#include "ecgseg_record.h"
#include "ecgseg_running.h"

typedef enum {
    ECGSEG_DELINEATOR_OK = 0,
    ECGSEG_DELINEATOR_BAD_ARGUMENT = 1, /* null pointer, or a network that is none for this delineator */
    ECGSEG_DELINEATOR_FETCH = 2,        /* there is no room: fetch events, then call again */
    ECGSEG_DELINEATOR_ENDED = 3,        /* the stream has ended, or was not begun */
    ECGSEG_DELINEATOR_MODEL_FAILED = 4  /* what the network said was not OK */
} ecgseg_delineator_status_t;

/* Classes: none, P, QRS, T. */
#define ECGSEG_DELINEATOR_CLASSES 4u
/* The most classes that wait for room among the events: at the end, all that the network looks ahead. */
#define ECGSEG_DELINEATOR_ANSWERS 128u
#define ECGSEG_DELINEATOR_SCORE_BYTES (ECGSEG_DELINEATOR_ANSWERS * ECGSEG_DELINEATOR_CLASSES)

/* Is given the class of every sample at 100 Hz, in order, just before events learn of it. */
typedef void (*ecgseg_class_tap_t)(void *context, uint8_t label);

typedef struct {
    const ecgseg_stream_model_t *model;
    void *stream;
    void *arena;
    int8_t *scores;
    ecgseg_class_tap_t tap; /* NULL: nobody wants classes */
    void *tap_context;
    uint64_t origin;      /* tick of the first raw sample */
    uint64_t raw_samples; /* since the start, those that were lost included */
    uint64_t lost;        /* raw samples, that are told when the signal in front of them is through */
    int16_t last_raw;
    uint16_t samples;     /* at 100 Hz, whose label is not known yet */
    uint16_t next_sample; /* where the oldest sample is whose label events do not know yet */
    uint8_t next_label, label_count;
    uint8_t leaving; /* kind of the loss that is told next, or that the stream ends */
    bool is_open, has_signal;
    uint32_t rows;                             /* that the network got, as far as it asks for a least number */
    uint32_t group_rows;                       /* that it got behind the last whole granule */
    uint8_t labels[ECGSEG_DELINEATOR_ANSWERS]; /* or ECGSEG_FAINT_P */
    ecgseg_preprocess_t preprocess;
    ecgseg_running_t running;
    ecgseg_events_t events;
} ecgseg_delineator_t;

/* Begins a stream at tick 0. `stream`: model->state_bytes, aligned as its type; `arena`: model->arena_bytes, likewise;
 * `scores`: ECGSEG_DELINEATOR_SCORE_BYTES; options: of ecgseg_events_init. BAD_ARGUMENT for a network that is not
 * of one int8 a sample to four scores a sample, or looks too far ahead. */
ecgseg_delineator_status_t ecgseg_delineator_init(ecgseg_delineator_t *delineator, const ecgseg_stream_model_t *model,
                                                  void *stream, void *arena, int8_t *scores, uint8_t options);

/* As init, but the first sample is at a tick of the caller's clock. Right after init only. */
ecgseg_delineator_status_t ecgseg_delineator_start_at(ecgseg_delineator_t *delineator, uint64_t first_tick);

/* Has every class given to a function, from now on. NULL: no longer. */
ecgseg_delineator_status_t ecgseg_delineator_tap(ecgseg_delineator_t *delineator, ecgseg_class_tap_t tap,
                                                 void *context);

/* Takes raw samples as long as there is room for events; *taken says how many. Fetch events, then push the rest. */
ecgseg_delineator_status_t ecgseg_delineator_push(ecgseg_delineator_t *delineator, const int16_t *samples, size_t count,
                                                  size_t *taken);

/* So many raw samples are missing here: they were lost on their way (gap), or came faster than they were taken
 * (overrun). What was seen before is finished and told, then the loss; the next sample starts anew, at the right time.
 * FETCH: events first, then again; nothing was done. */
ecgseg_delineator_status_t ecgseg_delineator_gap(ecgseg_delineator_t *delineator, uint64_t samples);
ecgseg_delineator_status_t ecgseg_delineator_overrun(ecgseg_delineator_t *delineator, uint64_t samples);

/* The stream ends: what is still in filter and network is finished, as if nothing came any more; then only events are
 * fetched. FETCH: events first, then again; nothing was done. */
ecgseg_delineator_status_t ecgseg_delineator_end(ecgseg_delineator_t *delineator);

/* Fetches the oldest event; false when there is none for now. */
bool ecgseg_delineator_next(ecgseg_delineator_t *delineator, ecgseg_event_t *event);

#endif
