#include "ecgseg_link.h"

#include <string.h>

#define FULL_RUN 0xFFu /* code of a run that stands for no zero */
#define RUN_MAX 254u   /* its bytes */

/* The CRC of one byte is linear in its bits, so eight numbers make the table. */
#define CRC_BIT(byte, bit, crc) (((byte) >> (bit) & 1u) * (crc))
#define ENTRY(byte)                                                                                     \
    (CRC_BIT(byte, 0u, 0x77073096u) ^ CRC_BIT(byte, 1u, 0xEE0E612Cu) ^ CRC_BIT(byte, 2u, 0x076DC419u) ^ \
     CRC_BIT(byte, 3u, 0x0EDB8832u) ^ CRC_BIT(byte, 4u, 0x1DB71064u) ^ CRC_BIT(byte, 5u, 0x3B6E20C8u) ^ \
     CRC_BIT(byte, 6u, 0x76DC4190u) ^ CRC_BIT(byte, 7u, 0xEDB88320u))
#define FOUR(byte) ENTRY(byte), ENTRY((byte) + 1u), ENTRY((byte) + 2u), ENTRY((byte) + 3u)
#define SIXTEEN(byte) FOUR(byte), FOUR((byte) + 4u), FOUR((byte) + 8u), FOUR((byte) + 12u)
#define SIXTY_FOUR(byte) SIXTEEN(byte), SIXTEEN((byte) + 16u), SIXTEEN((byte) + 32u), SIXTEEN((byte) + 48u)
static const uint32_t crc_of_byte[256] = {SIXTY_FOUR(0u), SIXTY_FOUR(64u), SIXTY_FOUR(128u), SIXTY_FOUR(192u)};

/* One load where the core takes words at any address. */
static inline uint32_t read_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static inline uint32_t shift_byte_out(uint32_t crc)
{
    return (crc >> 8) ^ crc_of_byte[crc & 0xFFu];
}

uint32_t ecgseg_crc32(uint32_t crc, const uint8_t *data, size_t length)
{
    crc = ~crc;
    while (length >= 4u) {
        crc ^= read_word(data);
        crc = shift_byte_out(shift_byte_out(shift_byte_out(shift_byte_out(crc))));
        data += 4;
        length -= 4u;
    }
    while (length > 0u) {
        crc = shift_byte_out(crc ^ *data);
        data++;
        length--;
    }
    return ~crc;
}

static inline bool has_zero_byte(uint32_t word)
{
    return ((word - 0x01010101u) & ~word & 0x80808080u) != 0u;
}

/* Copies bytes up to a zero, which stays behind, at most `length`. Returns how many. */
static size_t copy_to_zero(uint8_t *destination, const uint8_t *source, size_t length)
{
    size_t count = 0;
    while (length - count >= sizeof(uint32_t)) {
        uint32_t word;
        (void)memcpy(&word, &source[count], sizeof word);
        if (has_zero_byte(word)) {
            break;
        }
        (void)memcpy(&destination[count], &word, sizeof word);
        count += sizeof word;
    }
    while (count < length && source[count] != 0u) {
        destination[count] = source[count];
        count++;
    }
    return count;
}

/* Copies bytes downwards, to where they may overlap: every word is read before its place is written. */
static void move_down(uint8_t *destination, const uint8_t *source, size_t length)
{
    while (length >= sizeof(uint32_t)) {
        uint32_t word;
        (void)memcpy(&word, source, sizeof word);
        (void)memcpy(destination, &word, sizeof word);
        source += sizeof word;
        destination += sizeof word;
        length -= sizeof word;
    }
    while (length > 0u) {
        *destination = *source;
        source++;
        destination++;
        length--;
    }
}

void ecgseg_link_decoder_reset(ecgseg_link_decoder_t *decoder)
{
    decoder->length = 0;
    decoder->first_code = 0;
    decoder->oversized = false;
    decoder->complete = false;
}

/* Decodes COBS where it lies; false when the last run is cut short. Behind a run stands the code of the next one, where
 * the zero belongs that the run stands for: bytes move only behind a full run, which stands for none. */
static bool decode_in_place(ecgseg_link_decoder_t *decoder)
{
    uint8_t *const body = decoder->body;
    const size_t length = decoder->length;
    size_t code = decoder->first_code;
    size_t from = code - 1u; /* behind a run */
    while (code != FULL_RUN && from < length) {
        code = body[from];
        body[from] = 0;
        from += code;
    }
    size_t to = from;
    while (from < length) {
        const bool is_full = code == FULL_RUN;
        code = body[from];
        from++;
        if (!is_full) {
            body[to] = 0;
            to++;
        }
        const size_t run = code - 1u;
        if (run > length - from) {
            return false;
        }
        move_down(&body[to], &body[from], run);
        from += run;
        to += run;
    }
    decoder->length = to;
    return from == length;
}

static ecgseg_link_event_t finish(ecgseg_link_decoder_t *decoder)
{
    decoder->complete = true;
    if (decoder->oversized) {
        return ECGSEG_LINK_OVERSIZED;
    }
    if (!decode_in_place(decoder)) {
        return ECGSEG_LINK_BAD_COBS;
    }
    if (decoder->length > ECGSEG_LINK_BODY_MAX) {
        return ECGSEG_LINK_OVERSIZED;
    }
    if (decoder->length < ECGSEG_LINK_REQUEST_HEADER_BYTES + ECGSEG_LINK_CRC_BYTES) {
        return ECGSEG_LINK_TOO_SHORT;
    }
    decoder->length -= ECGSEG_LINK_CRC_BYTES;
    decoder->crc = ecgseg_crc32(0, decoder->body, decoder->length);
    return decoder->crc == read_word(&decoder->body[decoder->length]) ? ECGSEG_LINK_FRAME : ECGSEG_LINK_BAD_CRC;
}

ecgseg_link_event_t ecgseg_link_decode(ecgseg_link_decoder_t *decoder, const uint8_t *bytes, size_t length,
                                       size_t *taken)
{
    size_t at = 0;
    if (decoder->complete) {
        ecgseg_link_decoder_reset(decoder);
    }
    while (decoder->first_code == 0u && at < length) {
        decoder->first_code = bytes[at];
        at++;
    }
    const size_t room = sizeof decoder->body - decoder->length;
    const size_t left = length - at;
    const size_t run = copy_to_zero(&decoder->body[decoder->length], &bytes[at], left < room ? left : room);
    decoder->length += run;
    at += run;
    while (at < length && bytes[at] != 0u) {
        decoder->oversized = true;
        at++;
    }
    if (at == length) {
        *taken = at;
        return ECGSEG_LINK_NOTHING;
    }
    *taken = at + 1u;
    return finish(decoder);
}

size_t ecgseg_link_encode(uint8_t *body, size_t length, uint8_t *destination, size_t capacity)
{
    const uint32_t crc = ecgseg_crc32(0, body, length);
    for (size_t i = 0; i < ECGSEG_LINK_CRC_BYTES; i++) {
        body[length + i] = (uint8_t)(crc >> (8u * i));
    }
    length += ECGSEG_LINK_CRC_BYTES;
    if (capacity < length + length / RUN_MAX + 3u) {
        return 0;
    }
    size_t from = 0;
    size_t to = 0;
    destination[to++] = 0;
    for (;;) {
        const size_t left = length - from;
        size_t run = 0;
        if (left > 0u && body[from] != 0u) {
            run = copy_to_zero(&destination[to + 1u], &body[from], left < RUN_MAX ? left : RUN_MAX);
        }
        destination[to] = (uint8_t)(run + 1u);
        to += run + 1u;
        from += run;
        if (from == length) {
            break;
        }
        if (run < RUN_MAX) {
            from++; /* the zero that the run stands for */
        }
    }
    destination[to++] = 0;
    return to;
}
