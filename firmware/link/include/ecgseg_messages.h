/* What requests ask and answers tell, as structures, and their way from and to the wire: all of it made from
 * ecgseg_link_messages.def, so that no handler knows an order or a width. A rest has no member: it stays in the reader,
 * or follows in the writer. */
#ifndef ECGSEG_MESSAGES_H
#define ECGSEG_MESSAGES_H

#include "ecgseg_bytes.h"
#include "ecgseg_protocol.h"

#define ECGSEG_LINK_TYPE_u8 uint8_t
#define ECGSEG_LINK_TYPE_u16 uint16_t
#define ECGSEG_LINK_TYPE_u32 uint32_t
#define ECGSEG_LINK_TYPE_u64 uint64_t
#define ECGSEG_LINK_TYPE_i32 int32_t
#define ECGSEG_LINK_TYPE_f32 float
#define ECGSEG_LINK_TYPE_text const char *

/* ecgseg_read_request_t, ecgseg_read_answer_t, ... A structure of C cannot be empty. */
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) \
    typedef struct {                                                      \
        request                                                           \
    } ecgseg_##name##_request_t;                                          \
    typedef struct {                                                      \
        answer                                                            \
    } ecgseg_##name##_answer_t;
#define FIELD(name, kind, meaning) ECGSEG_LINK_TYPE_##kind name;
#define ARRAY(name, kind, count, meaning) const ECGSEG_LINK_TYPE_##kind *name;
#define CHOICE(name, choices) uint8_t name;
#define BITS(name, flags) uint8_t name;
#define REST(name, kind, meaning) uint8_t no_member;
#define NOTHING uint8_t no_member;
#include "ecgseg_link_messages.def"

/* ecgseg_get_read_request(reader), ... The session has checked the payload's limits, so what is read is there. */
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer)                        \
    static inline ecgseg_##name##_request_t ecgseg_get_##name##_request(ecgseg_reader_t *reader) \
    {                                                                                            \
        ecgseg_##name##_request_t values = {0};                                                  \
        (void)reader;                                                                            \
        request return values;                                                                   \
    }
#define FIELD(name, kind, meaning) values.name = ecgseg_get_##kind(reader);
#define CHOICE(name, choices) values.name = ecgseg_get_u8(reader);
#define BITS(name, flags) values.name = ecgseg_get_u8(reader);
#define REST(name, kind, meaning)
#define NOTHING
#include "ecgseg_link_messages.def"

/* ecgseg_put_frame_answer(writer, &values), ... */
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer)                                          \
    static inline void ecgseg_put_##name##_answer(ecgseg_writer_t *writer, const ecgseg_##name##_answer_t *values) \
    {                                                                                                              \
        (void)writer;                                                                                              \
        (void)values;                                                                                              \
        answer                                                                                                     \
    }
#define FIELD(name, kind, meaning) ecgseg_put_##kind(writer, values->name);
#define ARRAY(name, kind, count, meaning)           \
    for (size_t i = 0; i < (count); i++) {          \
        ecgseg_put_##kind(writer, values->name[i]); \
    }
#define CHOICE(name, choices) ecgseg_put_u8(writer, values->name);
#define BITS(name, flags) ecgseg_put_u8(writer, values->name);
#define REST(name, kind, meaning)
#define NOTHING
#include "ecgseg_link_messages.def"

#endif
