/* Shows what C makes of ecgseg_link_messages.def.
 *
 * "numbers": one line of name and number for every constant, enum value, bit, command, limit and record.
 * "answers": one line of name and payload in hexadecimal for every answer. The fields of all answers are filled with 1,
 * 2, 3, ... as they come; text 7 is "t7", the elements of an array are 7, 8, 9, ...
 * "requests": reads a line of name and payload in hexadecimal and writes one of name and the fields' values, for each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ecgseg_messages.h"

static void show(const char *prefix, const char *name, long number)
{
    if (printf("%s%s %ld\n", prefix, name, number) < 0) {
        abort();
    }
}

static void show_numbers(void)
{
#define ECGSEG_LINK_CONSTANT(NAME, number, meaning) show("", #NAME, ECGSEG_LINK_##NAME);
#define ECGSEG_LINK_ENUM(name, purpose, values) values
#define VALUE(PREFIX, NAME, number, meaning) show(#PREFIX "_", #NAME, (long)ECGSEG_##PREFIX##_##NAME);
#define ECGSEG_LINK_FLAGS(name, purpose, bits) bits
#define BIT(PREFIX, NAME, number, meaning) show(#PREFIX "_", #NAME, (long)ECGSEG_##PREFIX##_##NAME);
#define ECGSEG_LINK_RECORD(NAME, purpose, fields) show("", #NAME "_BYTES", ECGSEG_LINK_##NAME##_BYTES);
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) \
    show("COMMAND_", #NAME, (long)ECGSEG_COMMAND_##NAME);                 \
    show(#NAME, "_SMALLEST", ECGSEG_LINK_##NAME##_SMALLEST);              \
    show(#NAME, "_LARGEST", ECGSEG_LINK_##NAME##_LARGEST);
#include "ecgseg_link_messages.def"
#define ECGSEG_LINK_ERROR(number, name, meaning, remedy) show("ERROR_", #name, (long)ECGSEG_ERROR_##name);
#include "ecgseg_link_errors.def"
}

static void show_hex(const char *name, const ecgseg_writer_t *payload)
{
    (void)printf("%s ", name);
    for (size_t i = 0; i < payload->length; i++) {
        (void)printf("%02x", payload->data[i]);
    }
    (void)printf("\n");
    if (payload->failed) {
        abort();
    }
}

/* The numbers that fields are filled with, as text and as the elements of an array. */
static char texts[256][5];
static uint8_t bytes_from[512];
static uint32_t words_from[512];

#define FROM_u8(at) (&bytes_from[at])
#define FROM_u32(at) (&words_from[at])
#define VALUE_u8(at) ((uint8_t)(at))
#define VALUE_u16(at) ((uint16_t)(at))
#define VALUE_u32(at) ((uint32_t)(at))
#define VALUE_u64(at) ((uint64_t)(at))
#define VALUE_i32(at) ((int32_t)(at))
#define VALUE_f32(at) ((float)(at))
#define VALUE_text(at) (texts[at])

static void show_answers(void)
{
    unsigned at = 0;
    uint8_t room[ECGSEG_LINK_PAYLOAD_MAX];
    for (unsigned i = 0; i < 512u; i++) {
        (void)snprintf(texts[i % 256u], sizeof texts[0], "t%u", i % 256u);
        bytes_from[i] = (uint8_t)i;
        words_from[i] = i;
    }
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer) \
    {                                                                     \
        ecgseg_##name##_answer_t values = {0};                            \
        ecgseg_writer_t writer = ecgseg_writer(room, sizeof room);        \
        answer ecgseg_put_##name##_answer(&writer, &values);              \
        show_hex(#NAME, &writer);                                         \
    }
#define FIELD(name, kind, meaning) values.name = VALUE_##kind(++at);
#define ARRAY(name, kind, count, meaning) values.name = FROM_##kind(++at);
#define CHOICE(name, choices) values.name = VALUE_u8(++at);
#define BITS(name, flags) values.name = VALUE_u8(++at);
#define REST(name, kind, meaning)
#define NOTHING
#include "ecgseg_link_messages.def"
}

static size_t from_hex(const char *text, uint8_t *bytes, size_t capacity)
{
    size_t length = 0;
    while (length < capacity && strlen(text) >= 2u * (length + 1u)) {
        const char digits[3] = {text[2u * length], text[2u * length + 1u], '\0'};
        bytes[length++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return length;
}

static void show_request(const char *command, ecgseg_reader_t *reader)
{
    (void)printf("%s", command);
#define ECGSEG_LINK_COMMAND(number, NAME, name, purpose, request, answer)             \
    if (strcmp(command, #NAME) == 0) {                                                \
        const ecgseg_##name##_request_t values = ecgseg_get_##name##_request(reader); \
        (void)values;                                                                 \
        request                                                                       \
    }
#define FIELD(name, kind, meaning) (void)printf(" %" PRIu64, (uint64_t)values.name);
#define CHOICE(name, choices) (void)printf(" %" PRIu64, (uint64_t)values.name);
#define BITS(name, flags) (void)printf(" %" PRIu64, (uint64_t)values.name);
#define REST(name, kind, meaning)
#define NOTHING
#include "ecgseg_link_messages.def"
    (void)printf(" %zu\n", reader->left);
    if (reader->failed) {
        abort();
    }
}

static void show_requests(void)
{
    char command[32];
    char text[2 * ECGSEG_LINK_PAYLOAD_MAX + 2];
    uint8_t payload[ECGSEG_LINK_PAYLOAD_MAX];
    while (scanf("%31s %2049s", command, text) == 2) {
        ecgseg_reader_t reader = ecgseg_reader(payload, from_hex(text, payload, sizeof payload));
        show_request(command, &reader);
    }
}

int main(int count, char **arguments)
{
    const char *what = count == 2 ? arguments[1] : "";
    if (strcmp(what, "numbers") == 0) {
        show_numbers();
    } else if (strcmp(what, "answers") == 0) {
        show_answers();
    } else if (strcmp(what, "requests") == 0) {
        show_requests();
    } else {
        return EXIT_FAILURE;
    }
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
