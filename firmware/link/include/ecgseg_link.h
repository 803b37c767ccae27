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

/* Collects a frame as it comes and decodes it where it lies, so what is behind the header may be used there: it is
 * aligned to words. */
typedef struct {
    _Alignas(uint32_t) uint8_t body[ECGSEG_LINK_BODY_MAX + ECGSEG_LINK_BODY_MAX / 254]; /* with the code bytes */
    size_t length;
    uint32_t crc;       /* of the last good frame */
    uint8_t first_code; /* code of the first run; 0: no byte has come since the delimiter */
    bool oversized;
    bool complete; /* the next byte opens a new frame */
} ecgseg_link_decoder_t;

/* CRC-32 of IEEE 802.3 (reflected polynomial 0xEDB88320, start and final value inverted). Pass 0 as `crc` to begin. */
uint32_t ecgseg_crc32(uint32_t crc, const uint8_t *data, size_t length);

void ecgseg_link_decoder_reset(ecgseg_link_decoder_t *decoder);

/* Takes bytes off the wire up to the end of a frame, or all of them when none ends; *taken says how many. Empty frames
 * (repeated delimiters) are nothing. What is in the body stays until the next call. */
ecgseg_link_event_t ecgseg_link_decode(ecgseg_link_decoder_t *decoder, const uint8_t *bytes, size_t length,
                                       size_t *taken);

/* Appends the CRC to `body` (which needs 4 bytes of room behind `length`) and writes delimiter, COBS, delimiter.
 * Returns the bytes written, 0 when `capacity` is too small. */
size_t ecgseg_link_encode(uint8_t *body, size_t length, uint8_t *destination, size_t capacity);

#endif
