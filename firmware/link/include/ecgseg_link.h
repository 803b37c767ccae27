/* Codec of the link: COBS framing with CRC-32 (docs/protocol.md, section 1). */
#ifndef ECGSEG_LINK_H
#define ECGSEG_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_protocol.h"

typedef enum {
    ECGSEG_LINK_NOTHING = 0,  /* no frame has ended */
    ECGSEG_LINK_FRAME = 1,    /* body, without its CRC, is in decoder->body[0 .. decoder->length - 1] */
    ECGSEG_LINK_BAD_COBS = 2, /* a frame ended in the middle of a run */
    ECGSEG_LINK_OVERSIZED = 3,
    ECGSEG_LINK_TOO_SHORT = 4,
    ECGSEG_LINK_BAD_CRC = 5
} ecgseg_link_event_t;

typedef struct {
    uint8_t body[ECGSEG_LINK_BODY_MAX];
    size_t length;
    uint32_t crc;     /* of the last good frame */
    uint8_t run_left; /* bytes until the next code byte */
    bool started;     /* a byte has come since the delimiter */
    bool zero_after;  /* the current run ends in a zero, unless the frame ends there */
    bool oversized;
    bool complete; /* the next byte opens a new frame */
} ecgseg_link_decoder_t;

/* CRC-32 of IEEE 802.3 (reflected polynomial 0xEDB88320, start and final value inverted). Pass 0 as `crc` to begin. */
uint32_t ecgseg_crc32(uint32_t crc, const uint8_t *data, size_t length);

void ecgseg_link_decoder_reset(ecgseg_link_decoder_t *decoder);

/* Takes one byte off the wire. Empty frames (repeated delimiters) are nothing. */
ecgseg_link_event_t ecgseg_link_decode(ecgseg_link_decoder_t *decoder, uint8_t byte);

/* Appends the CRC to `body` (which needs 4 bytes of room behind `length`) and writes delimiter, COBS, delimiter.
 * Returns the bytes written, 0 when `capacity` is too small. */
size_t ecgseg_link_encode(uint8_t *body, size_t length, uint8_t *destination, size_t capacity);

#endif
