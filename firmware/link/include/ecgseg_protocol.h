/* Numbers of the link protocol (docs/protocol.md), all from ecgseg_link_messages.def and ecgseg_link_errors.def. */
#ifndef ECGSEG_PROTOCOL_H
#define ECGSEG_PROTOCOL_H

/* ECGSEG_LINK_PROTOCOL_VERSION, ECGSEG_LINK_PAYLOAD_MAX, ... */
enum {
#define ECGSEG_LINK_CONSTANT(NAME, number, meaning) ECGSEG_LINK_##NAME = (number),
#include "ecgseg_link_messages.def"
};

/* ecgseg_read_kind_t: ECGSEG_READ_INPUT, ...; ecgseg_bench_kind_t; ecgseg_time_base_t */
#define ECGSEG_LINK_ENUM(name, purpose, values) typedef enum { values } ecgseg_##name##_t;
#define VALUE(PREFIX, NAME, number, meaning) ECGSEG_##PREFIX##_##NAME = (number),
#include "ecgseg_link_messages.def"

/* ecgseg_push_flags_t: ECGSEG_PUSH_FRAME_READY */
#define ECGSEG_LINK_FLAGS(name, purpose, bits) typedef enum { bits } ecgseg_##name##_t;
#define BIT(PREFIX, NAME, number, meaning) ECGSEG_##PREFIX##_##NAME = 1 << (number),
#include "ecgseg_link_messages.def"

/* ECGSEG_COMMAND_HELLO, ... */
typedef enum {
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) ECGSEG_COMMAND_##NAME = (number),
#include "ecgseg_link_messages.def"
    ECGSEG_COMMAND_END
} ecgseg_link_command_t;

/* ECGSEG_ERROR_OK, ... */
typedef enum {
#define ECGSEG_LINK_ERROR(number, name, meaning, remedy) ECGSEG_ERROR_##name = (number),
#include "ecgseg_link_errors.def"
#undef ECGSEG_LINK_ERROR
    ECGSEG_ERROR_COUNT
} ecgseg_link_error_t;

/* Bytes of one value of a kind; a text has at least its length. */
#define ECGSEG_LINK_BYTES_u8 1
#define ECGSEG_LINK_BYTES_u16 2
#define ECGSEG_LINK_BYTES_i16 2
#define ECGSEG_LINK_BYTES_u32 4
#define ECGSEG_LINK_BYTES_i32 4
#define ECGSEG_LINK_BYTES_f32 4
#define ECGSEG_LINK_BYTES_u64 8
#define ECGSEG_LINK_BYTES_text 1

/* ECGSEG_LINK_REQUEST_HEADER_BYTES, ECGSEG_LINK_ANSWER_HEADER_BYTES, ECGSEG_LINK_SEGMENT_BYTES */
enum {
#define ECGSEG_LINK_RECORD(NAME, purpose, fields) ECGSEG_LINK_##NAME##_BYTES = 0 fields,
#define FIELD(name, kind, meaning) +ECGSEG_LINK_BYTES_##kind
#include "ecgseg_link_messages.def"
};

/* Payload of a request: ECGSEG_LINK_HELLO_SMALLEST, ECGSEG_LINK_HELLO_LARGEST, ... A rest is at least one unit
 * and as many as the payload has room for. */
enum {
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) ECGSEG_LINK_##NAME##_SMALLEST = 0 request,
#define FIELD(name, kind, meaning) +ECGSEG_LINK_BYTES_##kind
#define ARRAY(name, kind, count, meaning) +(count) * ECGSEG_LINK_BYTES_##kind
#define CHOICE(name, choices) +ECGSEG_LINK_BYTES_u8
#define BITS(name, flags) +ECGSEG_LINK_BYTES_u8
#define REST(name, kind, meaning) +ECGSEG_LINK_BYTES_##kind
#define NOTHING
#include "ecgseg_link_messages.def"

#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) \
    ECGSEG_LINK_##NAME##_LARGEST = ((0 request) < ECGSEG_LINK_PAYLOAD_MAX ? (0 request) : ECGSEG_LINK_PAYLOAD_MAX),
#define FIELD(name, kind, meaning) +ECGSEG_LINK_BYTES_##kind
#define ARRAY(name, kind, count, meaning) +(count) * ECGSEG_LINK_BYTES_##kind
#define CHOICE(name, choices) +ECGSEG_LINK_BYTES_u8
#define BITS(name, flags) +ECGSEG_LINK_BYTES_u8
#define REST(name, kind, meaning) +ECGSEG_LINK_PAYLOAD_MAX
#define NOTHING
#include "ecgseg_link_messages.def"
};

/* What stands in front of the rest of an answer: ECGSEG_LINK_READ_ANSWER_HEAD, ... A text counts as an empty one. */
enum {
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) ECGSEG_LINK_##NAME##_ANSWER_HEAD = 0 answer,
#define FIELD(name, kind, meaning) +ECGSEG_LINK_BYTES_##kind
#define ARRAY(name, kind, count, meaning) +(count) * ECGSEG_LINK_BYTES_##kind
#define CHOICE(name, choices) +ECGSEG_LINK_BYTES_u8
#define BITS(name, flags) +ECGSEG_LINK_BYTES_u8
#define REST(name, kind, meaning) +0
#define NOTHING
#include "ecgseg_link_messages.def"
};

#define ECGSEG_LINK_BODY_MAX (ECGSEG_LINK_ANSWER_HEADER_BYTES + ECGSEG_LINK_PAYLOAD_MAX + ECGSEG_LINK_CRC_BYTES)
/* COBS adds one byte for each started run of 254; a delimiter on either side. */
#define ECGSEG_LINK_ENCODED_MAX (ECGSEG_LINK_BODY_MAX + ECGSEG_LINK_BODY_MAX / 254 + 1 + 2)

#endif
