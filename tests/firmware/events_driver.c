/* Test program: obeys commands on standard input with two streams of events, and writes every event, each behind the
 * number of its stream.
 *
 * A command is a letter, the number of a stream, one byte of options and eight of a value. 'i' begins it (options,
 * first tick), 'p' pushes so many
 * samples, which follow as classes and then as samples, and fetches events only when there is no room, 'f' fetches all
 * events, 'g' and 'o' lose so many ticks, 'e' ends it. What is refused for want of room is tried again after fetching.
 * 's' writes the size of the state. 'w' winds on: so many samples have gone by in which nothing happened.
 */
#include <stdio.h>

#include "ecgseg_events.h"

#define STREAMS 2u
#define MOST 65536u

typedef struct {
    uint8_t letter, stream;
    uint8_t options;
    uint64_t value;
} command_t;

static ecgseg_events_t streams[STREAMS];

static bool put(const void *data, size_t size)
{
    return fwrite(data, 1, size, stdout) == size;
}

static bool fetch(uint8_t number)
{
    ecgseg_event_t event;
    bool good = true;
    while (ecgseg_events_next(&streams[number], &event)) {
        good = good && put(&number, 1) && put(&event, sizeof event);
    }
    return good;
}

static bool push(uint8_t number, size_t count)
{
    static uint8_t labels[MOST];
    static int16_t samples[MOST];
    if (count > MOST || fread(labels, 1, count, stdin) != count || fread(samples, 2, count, stdin) != count) {
        return false;
    }
    for (size_t n = 0; n < count; n++) {
        if (!ecgseg_events_push(&streams[number], labels[n], samples[n]) &&
            !(fetch(number) && ecgseg_events_push(&streams[number], labels[n], samples[n]))) {
            return false;
        }
    }
    return true;
}

static bool lose(uint8_t number, uint8_t kind, uint64_t ticks)
{
    ecgseg_events_t *const stream = &streams[number];
    return ecgseg_events_lose(stream, kind, ticks, stream->tick + ticks) ||
           (fetch(number) && ecgseg_events_lose(stream, kind, ticks, stream->tick + ticks));
}

static bool obey(const command_t *command)
{
    ecgseg_events_t *const stream = &streams[command->stream];
    const uint32_t size = sizeof *stream;
    switch (command->letter) {
    case 'i':
        ecgseg_events_init(stream, command->value, command->options);
        return true;
    case 'p':
        return push(command->stream, (size_t)command->value);
    case 'f':
        return fetch(command->stream);
    case 'g':
        return lose(command->stream, ECGSEG_EVENT_GAP, command->value);
    case 'o':
        return lose(command->stream, ECGSEG_EVENT_OVERRUN, command->value);
    case 'e':
        return (ecgseg_events_end(stream) || (fetch(command->stream) && ecgseg_events_end(stream))) &&
               fetch(command->stream);
    case 'w':
        stream->now += (uint32_t)command->value;
        stream->tick += command->value * ECGSEG_TICKS_A_SAMPLE;
        return true;
    case 's':
        return put(&size, sizeof size);
    default:
        return false;
    }
}

int main(void)
{
    command_t command;
    size_t got = 0;
    while ((got = fread(&command.letter, 1, 1, stdin)) == 1) {
        if (fread(&command.stream, 1, 1, stdin) != 1 || fread(&command.options, 1, 1, stdin) != 1 ||
            fread(&command.value, 8, 1, stdin) != 1 || command.stream >= STREAMS || !obey(&command)) {
            return 1;
        }
    }
    return 0;
}
