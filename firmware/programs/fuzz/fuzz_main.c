/* One input of the fuzzer: a session with a device that has just been switched on. */
#include <string.h>

#include "app.h"
#include "board.h"
#include "ecgseg_bytes.h"
#include "ecgseg_link.h"
#include "fuzz.h"
#include "fuzz_board.h"

#define SAMPLES_MAX 510u /* of one PUSH */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    uint8_t bytes[ECGSEG_LINK_ENCODED_MAX];
    size_t length;
    uint16_t sequence;
} wire;

bool fuzz_next(const uint8_t **data, size_t *size, fuzz_record_t *record)
{
    if (*size < FUZZ_HEADER_BYTES) {
        return false;
    }
    const uint8_t *const header = *data;
    const size_t told = (size_t)header[1] | (size_t)header[2] << 8;
    const size_t there = *size - FUZZ_HEADER_BYTES;
    record->kind = (fuzz_kind_t)(header[0] % (unsigned)FUZZ_KINDS);
    record->content = header + FUZZ_HEADER_BYTES;
    record->length = told < there ? told : there;
    *data += FUZZ_HEADER_BYTES + record->length;
    *size = there - record->length;
    return true;
}

/* A request with its header, as a good frame. */
static void frame(uint8_t command, uint8_t step, const uint8_t *payload, size_t length)
{
    uint8_t body[ECGSEG_LINK_BODY_MAX];
    const size_t fits = sizeof body - ECGSEG_LINK_CRC_BYTES - ECGSEG_LINK_REQUEST_HEADER_BYTES;
    wire.sequence = (uint16_t)(wire.sequence + step);
    ecgseg_writer_t writer = ecgseg_writer(body, sizeof body - ECGSEG_LINK_CRC_BYTES);
    ecgseg_put_u8(&writer, (uint8_t)ECGSEG_LINK_PROTOCOL_VERSION);
    ecgseg_put_u8(&writer, command);
    ecgseg_put_u16(&writer, wire.sequence);
    ecgseg_put_bytes(&writer, payload, length < fits ? length : fits);
    wire.length = ecgseg_link_encode(body, writer.length, wire.bytes, sizeof wire.bytes);
}

static void frame_samples(const fuzz_record_t *record)
{
    uint8_t payload[4u + 2u * SAMPLES_MAX];
    ecgseg_reader_t reader = ecgseg_reader(record->content, record->length);
    const uint32_t count = ecgseg_get_u16(&reader) % (SAMPLES_MAX + 1u);
    uint32_t noise = ecgseg_get_u8(&reader);
    ecgseg_writer_t writer = ecgseg_writer(payload, sizeof payload);
    ecgseg_put_u32(&writer, fuzz_samples_seen());
    for (uint32_t i = 0; i < count; i++) {
        /* The multiplier and the addend of Numerical Recipes; seed 0 is a flat line. */
        noise = noise == 0 ? 0 : noise * 1664525u + 1013904223u;
        ecgseg_put_u16(&writer, (uint16_t)(noise >> 16));
    }
    frame(ECGSEG_COMMAND_PUSH, 1, payload, writer.length);
}

/* What the port gives for a record. */
static void fill_port(const fuzz_record_t *record)
{
    ecgseg_reader_t reader = ecgseg_reader(record->content, record->length);
    switch (record->kind) {
    case FUZZ_REQUEST: {
        const uint8_t command = ecgseg_get_u8(&reader);
        const uint8_t step = ecgseg_get_u8(&reader);
        frame(command, step, reader.next, reader.left);
        break;
    }
    case FUZZ_SAMPLES:
        frame_samples(record);
        break;
    case FUZZ_AGAIN: {
        const size_t place = ecgseg_get_u16(&reader);
        const uint8_t change = ecgseg_get_u8(&reader);
        if (place < wire.length) {
            wire.bytes[place] ^= change;
        }
        break;
    }
    case FUZZ_RAW:
    case FUZZ_KINDS:
    default:
        fuzz_port_fill(record->content, record->length);
        return;
    }
    fuzz_port_fill(wire.bytes, wire.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Behind setjmp: a restart must find them as they were left. */
    static const uint8_t *next;
    static size_t left;
    static unsigned count;
    next = data;
    left = size;
    count = 0;
    memset(&wire, 0, sizeof wire);
    fuzz_port_fill(NULL, 0);
    if (!board_init(ECGSEG_LINK_DEFAULT_BAUD)) {
        return 0;
    }
    if (setjmp(fuzz_restart) != 0) {
        fuzz_port_fill(NULL, 0); /* what was in the port is lost */
    }
    app_init();
    fuzz_record_t record;
    while (count < FUZZ_RECORDS_MAX && fuzz_next(&next, &left, &record)) {
        count++;
        fill_port(&record);
        while (!fuzz_port_is_empty()) {
            app_step();
        }
        app_step(); /* with nothing there */
    }
    return 0;
}
