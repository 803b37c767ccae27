#include "ecgseg_session.h"

typedef struct {
    uint8_t command;
    uint16_t smallest;
    uint16_t largest;
} command_limits_t;

static const command_limits_t command_limits[] = {
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) \
    {(number), ECGSEG_LINK_##NAME##_SMALLEST, ECGSEG_LINK_##NAME##_LARGEST},
#include "ecgseg_link_messages.def"
};

void ecgseg_session_init(ecgseg_session_t *session, ecgseg_request_handler_t handle, ecgseg_send_t send)
{
    *session = (ecgseg_session_t){.handle = handle, .send = send};
    ecgseg_link_decoder_reset(&session->decoder);
}

static void count_damage(ecgseg_link_counters_t *counters, ecgseg_link_event_t event)
{
    switch (event) {
    case ECGSEG_LINK_BAD_COBS:
        counters->bad_cobs++;
        break;
    case ECGSEG_LINK_OVERSIZED:
        counters->oversized++;
        break;
    case ECGSEG_LINK_TOO_SHORT:
        counters->too_short++;
        break;
    case ECGSEG_LINK_BAD_CRC:
        counters->bad_crc++;
        break;
    case ECGSEG_LINK_NOTHING:
    case ECGSEG_LINK_FRAME:
    default:
        break;
    }
}

/* An answer that must not replace the kept one: it belongs to no request of the session's order. */
static void refuse(ecgseg_session_t *session, ecgseg_link_error_t error)
{
    uint8_t body[ECGSEG_LINK_ANSWER_HEADER_BYTES + ECGSEG_LINK_CRC_BYTES];
    uint8_t encoded[sizeof body + 3u];
    ecgseg_writer_t writer = ecgseg_writer(body, ECGSEG_LINK_ANSWER_HEADER_BYTES);
    ecgseg_put_u8(&writer, (uint8_t)ECGSEG_LINK_PROTOCOL_VERSION);
    ecgseg_put_u8(&writer, (uint8_t)(session->decoder.body[1] | ECGSEG_LINK_ANSWER_BIT));
    ecgseg_put_bytes(&writer, &session->decoder.body[2], 2);
    ecgseg_put_u16(&writer, (uint16_t)error);
    const size_t length = ecgseg_link_encode(body, writer.length, encoded, sizeof encoded);
    if (session->send(encoded, length)) {
        session->counters.answers++;
    }
}

static ecgseg_link_error_t carry_out(ecgseg_session_t *session, uint8_t command, ecgseg_reader_t *request,
                                     ecgseg_writer_t *answer)
{
    for (size_t i = 0; i < sizeof command_limits / sizeof command_limits[0]; i++) {
        const command_limits_t *limits = &command_limits[i];
        if (limits->command != command) {
            continue;
        }
        if (request->left < limits->smallest || request->left > limits->largest) {
            return ECGSEG_ERROR_BAD_LENGTH;
        }
        return session->handle(command, request, answer);
    }
    return ECGSEG_ERROR_UNKNOWN_COMMAND;
}

static void execute(ecgseg_session_t *session, uint8_t command, uint16_t sequence, ecgseg_reader_t *request)
{
    ecgseg_writer_t answer =
        ecgseg_writer(&session->body[ECGSEG_LINK_ANSWER_HEADER_BYTES], (size_t)ECGSEG_LINK_PAYLOAD_MAX);
    const ecgseg_link_error_t error = carry_out(session, command, request, &answer);

    ecgseg_writer_t header = ecgseg_writer(session->body, ECGSEG_LINK_ANSWER_HEADER_BYTES);
    ecgseg_put_u8(&header, (uint8_t)ECGSEG_LINK_PROTOCOL_VERSION);
    ecgseg_put_u8(&header, (uint8_t)(command | ECGSEG_LINK_ANSWER_BIT));
    ecgseg_put_u16(&header, sequence);
    ecgseg_put_u16(&header, (uint16_t)error);
    session->encoded_length = ecgseg_link_encode(session->body, ECGSEG_LINK_ANSWER_HEADER_BYTES + answer.length,
                                                 session->encoded, sizeof session->encoded);
}

static void send_kept_answer(ecgseg_session_t *session)
{
    if (session->send(session->encoded, session->encoded_length)) {
        session->counters.answers++;
    }
}

/* What becomes of a request: carried out, or its answer sent again, or refused with an error. */
typedef enum { CARRY_OUT, REPEAT, REFUSE } verdict_t;

/* What a request means for the order of sessions. */
typedef enum { CONTINUES, OPENS, REOPENS } start_t;

/* A HELLO with a new id opens a session and may use any sequence number. One with the id of a session that another has
 * followed was kept by the line: it must not lead back to there, or all requests of that session would be new again. */
static start_t judge_start(const ecgseg_session_t *session, uint8_t command, const ecgseg_reader_t *request,
                           uint32_t *id)
{
    if (command != ECGSEG_COMMAND_HELLO || request->left != sizeof *id) {
        return CONTINUES;
    }
    ecgseg_reader_t peek = *request;
    *id = ecgseg_get_u32(&peek);
    for (size_t age = 0; age < session->ids; age++) {
        if (session->id[(session->newest_id + ECGSEG_SESSION_IDS - age) % ECGSEG_SESSION_IDS] == *id) {
            return age == 0 ? CONTINUES : REOPENS;
        }
    }
    return OPENS;
}

static void open_session(ecgseg_session_t *session, uint32_t id)
{
    session->newest_id = (session->newest_id + 1u) % ECGSEG_SESSION_IDS;
    session->id[session->newest_id] = id;
    if (session->ids < ECGSEG_SESSION_IDS) {
        session->ids++;
    }
}

/* What opens a session is carried out; in an open one everything but a repetition must move forward. */
static verdict_t judge(ecgseg_session_t *session, start_t start, uint16_t sequence, ecgseg_link_error_t *error)
{
    if (start == OPENS) {
        return CARRY_OUT;
    }
    if (session->ids == 0) {
        *error = ECGSEG_ERROR_NO_SESSION;
        return REFUSE;
    }
    if (sequence == session->newest_sequence && session->decoder.crc == session->newest_crc) {
        session->counters.repeats++;
        return REPEAT;
    }
    const uint16_t ahead = (uint16_t)(sequence - session->newest_sequence);
    if (start == REOPENS || ahead == 0 || ahead >= 0x8000u) {
        session->counters.stale++;
        *error = ECGSEG_ERROR_STALE_SEQUENCE;
        return REFUSE;
    }
    return CARRY_OUT;
}

static void handle_request(ecgseg_session_t *session)
{
    const ecgseg_link_decoder_t *decoder = &session->decoder;
    ecgseg_reader_t request = ecgseg_reader(decoder->body, decoder->length);
    const uint8_t version = ecgseg_get_u8(&request);
    const uint8_t command = ecgseg_get_u8(&request);
    const uint16_t sequence = ecgseg_get_u16(&request);
    if (version != ECGSEG_LINK_PROTOCOL_VERSION) {
        session->counters.bad_version++;
        refuse(session, ECGSEG_ERROR_BAD_VERSION);
        return;
    }
    ecgseg_link_error_t error = ECGSEG_ERROR_OK;
    uint32_t id = 0;
    const start_t start = judge_start(session, command, &request, &id);
    const verdict_t verdict = judge(session, start, sequence, &error);
    if (verdict == REFUSE) {
        refuse(session, error);
        return;
    }
    if (verdict == CARRY_OUT) {
        if (start == OPENS) {
            open_session(session, id);
        }
        session->newest_sequence = sequence;
        session->newest_crc = decoder->crc;
        execute(session, command, sequence, &request);
    }
    send_kept_answer(session);
}

size_t ecgseg_session_receive(ecgseg_session_t *session, const uint8_t *bytes, size_t length, bool *answered)
{
    size_t taken = 0;
    const ecgseg_link_event_t event = ecgseg_link_decode(&session->decoder, bytes, length, &taken);
    *answered = event == ECGSEG_LINK_FRAME;
    if (*answered) {
        session->counters.frames++;
        handle_request(session);
    } else {
        count_damage(&session->counters, event);
    }
    return taken;
}
