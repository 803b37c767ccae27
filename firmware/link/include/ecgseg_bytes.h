/* Bounded little-endian reading and writing of payloads. A step beyond the end is remembered, never taken. */
#ifndef ECGSEG_BYTES_H
#define ECGSEG_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *next;
    size_t left;
    bool failed; /* something was read that was not there */
} ecgseg_reader_t;

typedef struct {
    uint8_t *data;
    size_t length;
    size_t capacity;
    bool failed; /* something did not fit */
} ecgseg_writer_t;

ecgseg_reader_t ecgseg_reader(const uint8_t *data, size_t length);
/* Pointer to the next `length` bytes, NULL when there are fewer. */
const uint8_t *ecgseg_get_bytes(ecgseg_reader_t *reader, size_t length);
uint8_t ecgseg_get_u8(ecgseg_reader_t *reader);
uint16_t ecgseg_get_u16(ecgseg_reader_t *reader);
uint32_t ecgseg_get_u32(ecgseg_reader_t *reader);
/* The next `count` numbers where they lie, NULL when there are fewer. The caller knows that they are aligned to 2. */
const int16_t *ecgseg_get_i16s(ecgseg_reader_t *reader, size_t count);

ecgseg_writer_t ecgseg_writer(uint8_t *data, size_t capacity);
/* Place for `length` bytes that the caller fills, NULL when they do not fit. */
uint8_t *ecgseg_put_space(ecgseg_writer_t *writer, size_t length);
void ecgseg_put_bytes(ecgseg_writer_t *writer, const uint8_t *source, size_t length);
void ecgseg_put_u8(ecgseg_writer_t *writer, uint8_t value);
void ecgseg_put_u16(ecgseg_writer_t *writer, uint16_t value);
void ecgseg_put_u32(ecgseg_writer_t *writer, uint32_t value);
void ecgseg_put_u64(ecgseg_writer_t *writer, uint64_t value);
void ecgseg_put_i32(ecgseg_writer_t *writer, int32_t value);
void ecgseg_put_f32(ecgseg_writer_t *writer, float value);
/* Length byte and text without its end mark; cut at 255 characters. */
void ecgseg_put_text(ecgseg_writer_t *writer, const char *text);

#endif
