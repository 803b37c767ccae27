#include "ecgseg_link.h"

static const uint32_t crc_of_nibble[16] = {
    0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u, 0x4DB26158u, 0x5005713Cu,
    0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu, 0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
};

uint32_t ecgseg_crc32(uint32_t crc, const uint8_t *data, size_t length)
{
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ crc_of_nibble[crc & 15u];
        crc = (crc >> 4) ^ crc_of_nibble[crc & 15u];
    }
    return ~crc;
}

void ecgseg_link_decoder_reset(ecgseg_link_decoder_t *decoder)
{
    decoder->length = 0;
    decoder->run_left = 0;
    decoder->started = false;
    decoder->zero_after = false;
    decoder->oversized = false;
    decoder->complete = false;
}

static void store(ecgseg_link_decoder_t *decoder, uint8_t byte)
{
    if (decoder->length < ECGSEG_LINK_BODY_MAX) {
        decoder->body[decoder->length++] = byte;
    } else {
        decoder->oversized = true;
    }
}

static uint32_t read_crc(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static ecgseg_link_event_t finish(ecgseg_link_decoder_t *decoder)
{
    decoder->complete = true;
    if (!decoder->started) {
        return ECGSEG_LINK_NOTHING;
    }
    if (decoder->oversized) {
        return ECGSEG_LINK_OVERSIZED;
    }
    if (decoder->run_left != 0) {
        return ECGSEG_LINK_BAD_COBS;
    }
    if (decoder->length < ECGSEG_LINK_REQUEST_HEADER_BYTES + ECGSEG_LINK_CRC_BYTES) {
        return ECGSEG_LINK_TOO_SHORT;
    }
    decoder->length -= ECGSEG_LINK_CRC_BYTES;
    decoder->crc = ecgseg_crc32(0, decoder->body, decoder->length);
    return decoder->crc == read_crc(&decoder->body[decoder->length]) ? ECGSEG_LINK_FRAME : ECGSEG_LINK_BAD_CRC;
}

ecgseg_link_event_t ecgseg_link_decode(ecgseg_link_decoder_t *decoder, uint8_t byte)
{
    if (decoder->complete) {
        ecgseg_link_decoder_reset(decoder);
    }
    if (byte == 0) {
        return finish(decoder);
    }
    if (decoder->run_left != 0) {
        store(decoder, byte);
        decoder->run_left--;
        return ECGSEG_LINK_NOTHING;
    }
    /* A code byte: the zero that the previous run stands for is due now, because the frame goes on. */
    if (decoder->started && decoder->zero_after) {
        store(decoder, 0);
    }
    decoder->started = true;
    decoder->zero_after = byte != 0xFFu;
    decoder->run_left = (uint8_t)(byte - 1u);
    return ECGSEG_LINK_NOTHING;
}

size_t ecgseg_link_encode(uint8_t *body, size_t length, uint8_t *destination, size_t capacity)
{
    const uint32_t crc = ecgseg_crc32(0, body, length);
    for (size_t i = 0; i < ECGSEG_LINK_CRC_BYTES; i++) {
        body[length + i] = (uint8_t)(crc >> (8u * i));
    }
    length += ECGSEG_LINK_CRC_BYTES;
    if (capacity < length + length / 254u + 3u) {
        return 0;
    }
    size_t out = 0;
    destination[out++] = 0;
    size_t code_at = out++;
    uint8_t code = 1;
    for (size_t i = 0; i < length; i++) {
        if (body[i] != 0) {
            destination[out++] = body[i];
            code++;
        }
        /* A full run needs a new code only when something follows it. */
        if (body[i] == 0 || (code == 0xFFu && i + 1u < length)) {
            destination[code_at] = code;
            code_at = out++;
            code = 1;
        }
    }
    destination[code_at] = code;
    destination[out++] = 0;
    return out;
}
