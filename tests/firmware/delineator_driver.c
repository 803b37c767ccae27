/* Test program: obeys commands on standard input with two delineators and two networks, and writes every class and
 * every event in the order in which they come, each behind the number of its delineator and a letter.
 *
 * A command is a letter, the number of a delineator, one byte of options and eight of a value. 'i' begins a stream
 * (network's number in the upper half of the options, first tick), 'p' pushes so many raw samples, which follow, and
 * fetches events only when it must, 'f' fetches all events there are, 'n' one, 'g' and 'o' lose so many raw samples,
 * 'e' ends the stream and fetches all. 's' writes the sizes of delineator, stream and arena.
 */
#include <stdio.h>

#include "ecgseg_delineator.h"
#include "one_stream_model.h"
#include "two_stream_model.h"

#define SLOTS 2u
#define MOST 65536u

typedef struct {
    uint8_t letter, slot, options;
    uint64_t value;
} command_t;

static ecgseg_delineator_t delineators[SLOTS];
static union {
    one_stream_t one;
    two_stream_t two;
} streams[SLOTS];
static union {
    one_stream_arena_t one;
    two_stream_arena_t two;
} arena; /* of whoever is at work */
static int8_t scores[ECGSEG_DELINEATOR_SCORE_BYTES];
static uint8_t slots[SLOTS] = {0, 1};
static bool writes = true;

static void put(uint8_t slot, char letter, const void *data, size_t size)
{
    writes = writes && fwrite(&slot, 1, 1, stdout) == 1 && fwrite(&letter, 1, 1, stdout) == 1 &&
             fwrite(data, 1, size, stdout) == size;
}

static void take_class(void *context, uint8_t label)
{
    const uint8_t *slot = context;
    put(*slot, 'c', &label, 1);
}

static bool begin(uint8_t slot, uint8_t options, uint64_t first_tick)
{
    const ecgseg_stream_model_t *model = options / 16u == 0u ? &one_stream_model : &two_stream_model;
    ecgseg_delineator_t *const d = &delineators[slot];
    return ecgseg_delineator_init(d, model, &streams[slot], &arena, scores, options % 16u) == ECGSEG_DELINEATOR_OK &&
           ecgseg_delineator_start_at(d, first_tick) == ECGSEG_DELINEATOR_OK &&
           ecgseg_delineator_tap(d, take_class, &slots[slot]) == ECGSEG_DELINEATOR_OK;
}

static bool fetch(uint8_t slot, uint32_t most)
{
    ecgseg_event_t event;
    for (uint32_t n = 0; n < most && ecgseg_delineator_next(&delineators[slot], &event); n++) {
        put(slot, 'e', &event, sizeof event);
    }
    return true;
}

static bool push(uint8_t slot, size_t count)
{
    static int16_t samples[MOST];
    if (count > MOST || fread(samples, 2, count, stdin) != count) {
        return false;
    }
    for (size_t done = 0; done < count;) {
        size_t taken = 0;
        if (ecgseg_delineator_push(&delineators[slot], samples + done, count - done, &taken) != ECGSEG_DELINEATOR_OK) {
            return false;
        }
        done += taken;
        if (done < count && !fetch(slot, 1)) {
            return false;
        }
    }
    return true;
}

static bool leave(uint8_t slot, uint8_t letter, uint64_t samples)
{
    ecgseg_delineator_status_t status = ECGSEG_DELINEATOR_FETCH;
    while (status == ECGSEG_DELINEATOR_FETCH) {
        status = letter == 'g'   ? ecgseg_delineator_gap(&delineators[slot], samples)
                 : letter == 'o' ? ecgseg_delineator_overrun(&delineators[slot], samples)
                                 : ecgseg_delineator_end(&delineators[slot]);
        if (status == ECGSEG_DELINEATOR_FETCH && !fetch(slot, 1)) {
            return false;
        }
    }
    return status == ECGSEG_DELINEATOR_OK;
}

static bool obey(const command_t *command)
{
    const uint32_t sizes[] = {sizeof delineators[0], sizeof streams[0], sizeof arena};
    switch (command->letter) {
    case 'i':
        return begin(command->slot, command->options, command->value);
    case 'p':
        return push(command->slot, (size_t)command->value);
    case 'f':
        return fetch(command->slot, UINT32_MAX);
    case 'n':
        return fetch(command->slot, 1);
    case 'g':
    case 'o':
        return leave(command->slot, command->letter, command->value);
    case 'e':
        return leave(command->slot, command->letter, 0) && fetch(command->slot, UINT32_MAX);
    case 's':
        put(command->slot, 's', sizes, sizeof sizes);
        return true;
    default:
        return false;
    }
}

int main(void)
{
    command_t command;
    while (fread(&command.letter, 1, 1, stdin) == 1) {
        if (fread(&command.slot, 1, 1, stdin) != 1 || fread(&command.options, 1, 1, stdin) != 1 ||
            fread(&command.value, 8, 1, stdin) != 1 || command.slot >= SLOTS || !obey(&command) || !writes) {
            return 1;
        }
    }
    return 0;
}
