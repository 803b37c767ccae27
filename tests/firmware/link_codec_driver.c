/* Runs the link's decoder and session over whatever comes on standard input.
 *
 * Output: all answers as they go on the wire, then on standard error one line of counters. The handler returns the
 * payload it got, reversed, so that an answer to another request or an old payload shows.
 */
#include <stdio.h>

#include "ecgseg_session.h"

static ecgseg_session_t session;
static unsigned executed;

static ecgseg_link_error_t echo(uint8_t command, ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    executed++;
    const size_t length = request->left;
    const uint8_t *bytes = ecgseg_get_bytes(request, length);
    for (size_t i = 0; i < length; i++) {
        ecgseg_put_u8(answer, bytes[length - 1u - i]);
    }
    ecgseg_put_u8(answer, command);
    return answer->failed ? ECGSEG_ERROR_OUT_OF_RANGE : ECGSEG_ERROR_OK;
}

static bool send(const uint8_t *data, size_t length)
{
    return fwrite(data, 1, length, stdout) == length;
}

int main(void)
{
    ecgseg_session_init(&session, echo, send);
    for (int byte = getchar(); byte != EOF; byte = getchar()) {
        (void)ecgseg_session_receive(&session, (uint8_t)byte);
    }
    const ecgseg_link_counters_t *c = &session.counters;
    const int written =
        fprintf(stderr, "%u %u %u %u %u %u %u %u %u %u\n", executed, (unsigned)c->frames, (unsigned)c->answers,
                (unsigned)c->repeats, (unsigned)c->bad_crc, (unsigned)c->bad_cobs, (unsigned)c->oversized,
                (unsigned)c->too_short, (unsigned)c->bad_version, (unsigned)c->stale);
    return written > 0 && fflush(stdout) == 0 ? 0 : 1;
}
