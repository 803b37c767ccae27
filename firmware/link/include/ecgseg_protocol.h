/* Numbers of the link protocol, version 1 (docs/protocol.md). */
#ifndef ECGSEG_PROTOCOL_H
#define ECGSEG_PROTOCOL_H

#define ECGSEG_LINK_VERSION 1u
#define ECGSEG_LINK_PAYLOAD_MAX 1024u
#define ECGSEG_LINK_ANSWER_BIT 0x80u /* set in the command byte of an answer */

/* Request: version, command, sequence (2), payload, CRC-32 (4). Answer: the same with an error number (2) after the sequence. */
#define ECGSEG_LINK_REQUEST_HEADER 4u
#define ECGSEG_LINK_ANSWER_HEADER 6u
#define ECGSEG_LINK_CRC_BYTES 4u
#define ECGSEG_LINK_BODY_MAX (ECGSEG_LINK_ANSWER_HEADER + ECGSEG_LINK_PAYLOAD_MAX + ECGSEG_LINK_CRC_BYTES)
/* COBS adds one byte for each started run of 254; a delimiter on either side. */
#define ECGSEG_LINK_ENCODED_MAX (ECGSEG_LINK_BODY_MAX + ECGSEG_LINK_BODY_MAX / 254u + 1u + 2u)

typedef enum {
#define ECGSEG_LINK_ERROR(number, name, meaning, remedy) ECGSEG_ERROR_##name = (number),
#include "ecgseg_link_errors.def"
#undef ECGSEG_LINK_ERROR
    ECGSEG_ERROR_COUNT
} ecgseg_link_error_t;

typedef enum {
#define ECGSEG_LINK_COMMAND(number, name, smallest, largest) ECGSEG_COMMAND_##name = (number),
#include "ecgseg_link_commands.def"
#undef ECGSEG_LINK_COMMAND
    ECGSEG_COMMAND_END
} ecgseg_link_command_t;

typedef enum {
    ECGSEG_READ_INPUT = 0,
    ECGSEG_READ_SCORES = 1,
    ECGSEG_READ_MASK = 2,
    ECGSEG_READ_SEGMENTS = 3,
    ECGSEG_READ_TRACE = 4
} ecgseg_read_kind_t;

typedef enum { ECGSEG_BENCH_PREPROCESS = 0, ECGSEG_BENCH_INFERENCE = 1, ECGSEG_BENCH_LAYERS = 2 } ecgseg_bench_kind_t;

#define ECGSEG_PUSH_FRAME_READY 1u
#define ECGSEG_SEGMENT_BYTES 5u /* class, onset (2), offset (2) */

#endif
