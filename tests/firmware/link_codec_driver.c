/* Runs the link's decoder and session over whatever comes on standard input, in pieces of as many bytes as the argument
 * says; each lies in memory of its own, so that a byte read beyond it is found.
 *
 * With "crc" as the argument it writes, a line each, the CRC of every part of up to 9 bytes of the input instead, by
 * its first byte and then by its length from 0.
 *
 * Output: all answers as they go on the wire, then on standard error one line of counters. The handler returns the
 * payload it got, reversed, so that an answer to another request or an old payload shows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool receive_all(size_t piece)
{
    size_t length = piece;
    while (length == piece) {
        uint8_t *const bytes = malloc(piece);
        if (bytes == NULL) {
            return false;
        }
        length = fread(bytes, 1, piece, stdin);
        uint8_t *const exact = realloc(bytes, length > 0 ? length : 1u);
        if (exact == NULL) {
            return false;
        }
        for (size_t at = 0; at < length;) {
            bool answered = false;
            const size_t taken = ecgseg_session_receive(&session, &exact[at], length - at, &answered);
            if (taken == 0 || taken > length - at) {
                return false;
            }
            at += taken;
        }
        free(exact);
    }
    return true;
}

#define CRC_INPUT_MAX 4096u
#define CRC_PART_MAX 9u

static bool show_crcs(void)
{
    static uint8_t bytes[CRC_INPUT_MAX];
    const size_t length = fread(bytes, 1, sizeof bytes, stdin);
    for (size_t at = 0; at < length; at++) {
        for (size_t part = 0; part <= CRC_PART_MAX && part <= length - at; part++) {
            if (printf("%08x\n", (unsigned)ecgseg_crc32(0, &bytes[at], part)) < 0) {
                return false;
            }
        }
    }
    return fflush(stdout) == 0;
}

int main(int count, char **arguments)
{
    if (count > 1 && strcmp(arguments[1], "crc") == 0) {
        return show_crcs() ? 0 : 2;
    }
    const size_t piece = count > 1 ? (size_t)strtoul(arguments[1], NULL, 10) : 1u;
    ecgseg_session_init(&session, echo, send);
    if (piece == 0 || !receive_all(piece)) {
        return 2;
    }
    const ecgseg_link_counters_t *c = &session.counters;
    const int written =
        fprintf(stderr, "%u %u %u %u %u %u %u %u %u %u\n", executed, (unsigned)c->frames, (unsigned)c->answers,
                (unsigned)c->repeats, (unsigned)c->bad_crc, (unsigned)c->bad_cobs, (unsigned)c->oversized,
                (unsigned)c->too_short, (unsigned)c->bad_version, (unsigned)c->stale);
    return written > 0 && fflush(stdout) == 0 ? 0 : 1;
}
