/* Changes an input record by record, so that lengths stay right: the content of one, or their order and number. */
#include <string.h>

#include "fuzz.h"

#define CONTENT_MAX 0xFFFFu

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

typedef struct {
    size_t start; /* of its header */
    size_t end;
} span_t;

/* Where the records are; how many. */
static unsigned find_records(const uint8_t *data, size_t size, span_t spans[FUZZ_RECORDS_MAX])
{
    const uint8_t *next = data;
    size_t left = size;
    unsigned count = 0;
    fuzz_record_t record;
    while (count < FUZZ_RECORDS_MAX && fuzz_next(&next, &left, &record)) {
        spans[count].start = (size_t)(record.content - data) - FUZZ_HEADER_BYTES;
        spans[count].end = spans[count].start + FUZZ_HEADER_BYTES + record.length;
        count++;
    }
    return count;
}

/* Makes the gap between `from` and `to` as long as `length`; the input's new size. */
static size_t replace(uint8_t *data, size_t size, span_t gap, size_t length)
{
    memmove(data + gap.start + length, data + gap.end, size - gap.end);
    return size - (gap.end - gap.start) + length;
}

static void write_header(uint8_t *header, uint8_t kind, size_t length)
{
    header[0] = kind;
    header[1] = (uint8_t)(length & 0xFFu);
    header[2] = (uint8_t)(length >> 8);
}

static size_t change_content(uint8_t *data, size_t size, size_t max_size, span_t span)
{
    static uint8_t content[CONTENT_MAX];
    const size_t old = span.end - span.start - FUZZ_HEADER_BYTES;
    const size_t room = max_size - (size - old);
    if (room == 0) {
        return size; /* libFuzzer's own mutator makes a byte even where it may not */
    }
    memcpy(content, data + span.start + FUZZ_HEADER_BYTES, old);
    const size_t length = LLVMFuzzerMutate(content, old, room < CONTENT_MAX ? room : CONTENT_MAX);
    const span_t gap = {span.start + FUZZ_HEADER_BYTES, span.end};
    size = replace(data, size, gap, length);
    memcpy(data + gap.start, content, length);
    write_header(data + span.start, data[span.start], length);
    return size;
}

/* A copy of one record in front of another. */
static size_t copy_record(uint8_t *data, size_t size, size_t max_size, span_t span, span_t before)
{
    static uint8_t copy[FUZZ_HEADER_BYTES + CONTENT_MAX];
    const size_t length = span.end - span.start;
    if (length > max_size - size) {
        return size;
    }
    memcpy(copy, data + span.start, length);
    const span_t gap = {before.start, before.start};
    size = replace(data, size, gap, length);
    memcpy(data + gap.start, copy, length);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    span_t spans[FUZZ_RECORDS_MAX];
    const unsigned count = find_records(data, size, spans);
    if (count == 0 || seed % 16u == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const span_t span = spans[(seed >> 4) % count];
    const span_t other = spans[(seed >> 12) % count];
    switch (seed % 16u) {
    case 1:
        return count > 1u ? replace(data, size, span, 0) : size;
    case 2:
    case 3:
        return copy_record(data, size, max_size, span, other);
    case 4:
        data[span.start] = (uint8_t)((seed >> 20) % (unsigned)FUZZ_KINDS);
        return size;
    default:
        return change_content(data, size, max_size, span);
    }
}
