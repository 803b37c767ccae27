#include "bringup_text.h"

#include <string.h>

#include "board.h"

#define LONGEST_SECONDS 60u

void put_text(const char *text)
{
    (void)board_port_write((const uint8_t *)text, strlen(text));
}

void put_hex(const char *name, uint32_t value)
{
    static const char digits[] = "0123456789abcdef";
    char text[12] = "0x";
    for (uint32_t i = 0; i < 8u; i++) {
        text[2u + i] = digits[(value >> (28u - 4u * i)) & 15u];
    }
    text[10] = '\n';
    text[11] = '\0';
    put_text(name);
    put_text("=");
    put_text(text);
}

void put_decimal(const char *name, uint32_t value)
{
    char text[12];
    uint32_t at = sizeof text - 1u;
    text[at] = '\0';
    text[--at] = '\n';
    do {
        text[--at] = (char)('0' + value % 10u);
        value /= 10u;
    } while (value != 0u);
    put_text(name);
    put_text("=");
    put_text(&text[at]);
}

/* The number behind the first `mark` of a command, 0 without one. */
static uint32_t number_behind(const char *line, char mark)
{
    uint32_t value = 0;
    while (*line != '\0' && *line != mark) {
        line++;
    }
    while (*line != '\0' && *++line >= '0' && *line <= '9') {
        value = value * 10u + (uint32_t)(*line - '0');
    }
    return value;
}

uint32_t argument(const char *line)
{
    return number_behind(line, ' ');
}

void end_answer(const char *line)
{
    put_decimal(".", number_behind(line, '#'));
}

uint32_t limited_seconds(const char *line)
{
    const uint32_t seconds = argument(line);
    return seconds > LONGEST_SECONDS ? LONGEST_SECONDS : seconds;
}
