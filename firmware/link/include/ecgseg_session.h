/* Sessions: one answer per request, repeated requests get the same answer again (docs/protocol.md, section 3). */
#ifndef ECGSEG_SESSION_H
#define ECGSEG_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_bytes.h"
#include "ecgseg_link.h"

/* Sessions that are remembered, so that an old HELLO cannot open one of them again. */
#define ECGSEG_SESSION_IDS 16u

typedef struct {
    uint32_t frames;  /* frames with a good CRC */
    uint32_t answers; /* answers sent, repeated ones included */
    uint32_t repeats; /* answers sent again for a repeated request */
    uint32_t bad_crc;
    uint32_t bad_cobs;
    uint32_t oversized;
    uint32_t too_short;
    uint32_t bad_version;
    uint32_t stale;
} ecgseg_link_counters_t;

/* Carries out one request of an open session and writes the answer's payload. Its error number goes into the answer. */
typedef ecgseg_link_error_t (*ecgseg_request_handler_t)(uint8_t command, ecgseg_reader_t *request,
                                                        ecgseg_writer_t *answer);
/* Sends bytes; false when they could not be sent. */
typedef bool (*ecgseg_send_t)(const uint8_t *data, size_t length);

typedef struct {
    ecgseg_request_handler_t handle;
    ecgseg_send_t send;
    ecgseg_link_decoder_t decoder;
    ecgseg_link_counters_t counters;
    uint32_t id[ECGSEG_SESSION_IDS]; /* of the newest sessions, chosen by the host in HELLO; a ring */
    uint32_t newest_id;              /* the open session's */
    uint32_t ids;                    /* how many there are; 0: no session is open */
    uint16_t newest_sequence;
    uint32_t newest_crc; /* of the newest request, tells a repetition from another request */
    uint8_t body[ECGSEG_LINK_BODY_MAX];
    uint8_t encoded[ECGSEG_LINK_ENCODED_MAX]; /* the newest answer, kept for a repeated request */
    size_t encoded_length;
} ecgseg_session_t;

void ecgseg_session_init(ecgseg_session_t *session, ecgseg_request_handler_t handle, ecgseg_send_t send);

/* Takes bytes off the wire up to the end of a frame, or all of them when none ends, and answers a request that ended.
 * Returns how many it took, at least one of one or more; *answered: that was a good request. */
size_t ecgseg_session_receive(ecgseg_session_t *session, const uint8_t *bytes, size_t length, bool *answered);

#endif
