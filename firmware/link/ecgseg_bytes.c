#include "ecgseg_bytes.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers of the link are read where they lie");

ecgseg_reader_t ecgseg_reader(const uint8_t *data, size_t length)
{
    return (ecgseg_reader_t){.next = data, .left = length, .failed = false};
}

const uint8_t *ecgseg_get_bytes(ecgseg_reader_t *reader, size_t length)
{
    if (reader->failed || length > reader->left) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *bytes = reader->next;
    reader->next += length;
    reader->left -= length;
    return bytes;
}

static uint32_t get(ecgseg_reader_t *reader, size_t length)
{
    const uint8_t *bytes = ecgseg_get_bytes(reader, length);
    uint32_t value = 0;
    for (size_t i = 0; bytes != NULL && i < length; i++) {
        value |= (uint32_t)bytes[i] << (8u * i);
    }
    return value;
}

uint8_t ecgseg_get_u8(ecgseg_reader_t *reader)
{
    return (uint8_t)get(reader, 1);
}

uint16_t ecgseg_get_u16(ecgseg_reader_t *reader)
{
    return (uint16_t)get(reader, 2);
}

uint32_t ecgseg_get_u32(ecgseg_reader_t *reader)
{
    return get(reader, 4);
}

const int16_t *ecgseg_get_i16s(ecgseg_reader_t *reader, size_t count)
{
    return (const int16_t *)(const void *)ecgseg_get_bytes(reader, count * sizeof(int16_t));
}

ecgseg_writer_t ecgseg_writer(uint8_t *data, size_t capacity)
{
    return (ecgseg_writer_t){.data = data, .length = 0, .capacity = capacity, .failed = false};
}

uint8_t *ecgseg_put_space(ecgseg_writer_t *writer, size_t length)
{
    if (writer->failed || length > writer->capacity - writer->length) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *const space = &writer->data[writer->length];
    writer->length += length;
    return space;
}

void ecgseg_put_bytes(ecgseg_writer_t *writer, const uint8_t *source, size_t length)
{
    uint8_t *const space = ecgseg_put_space(writer, length);
    if (space != NULL && length > 0) {
        (void)memcpy(space, source, length);
    }
}

static void put(ecgseg_writer_t *writer, uint32_t value, size_t length)
{
    uint8_t *const space = ecgseg_put_space(writer, length);
    for (size_t i = 0; space != NULL && i < length; i++) {
        space[i] = (uint8_t)(value >> (8u * i));
    }
}

void ecgseg_put_u8(ecgseg_writer_t *writer, uint8_t value)
{
    put(writer, value, 1);
}

void ecgseg_put_u16(ecgseg_writer_t *writer, uint16_t value)
{
    put(writer, value, 2);
}

void ecgseg_put_u32(ecgseg_writer_t *writer, uint32_t value)
{
    put(writer, value, 4);
}

void ecgseg_put_u64(ecgseg_writer_t *writer, uint64_t value)
{
    const uint32_t halves[] = {(uint32_t)value, (uint32_t)(value >> 32)};
    ecgseg_put_bytes(writer, (const uint8_t *)halves, sizeof halves);
}

void ecgseg_put_i32(ecgseg_writer_t *writer, int32_t value)
{
    ecgseg_put_u32(writer, (uint32_t)value);
}

void ecgseg_put_f32(ecgseg_writer_t *writer, float value)
{
    uint32_t bits;
    (void)memcpy(&bits, &value, sizeof bits);
    put(writer, bits, 4);
}

void ecgseg_put_text(ecgseg_writer_t *writer, const char *text)
{
    size_t length = strlen(text);
    if (length > 255u) {
        length = 255u;
    }
    ecgseg_put_u8(writer, (uint8_t)length);
    ecgseg_put_bytes(writer, (const uint8_t *)text, length);
}
