/* What a part of the work costs, and which part it is: ticks, and the board's state while it lasts. */
#ifndef APP_MEASURE_H
#define APP_MEASURE_H

#include <stdint.h>

#include "board.h"

/* Opens a part; what it returns is given to app_end. */
static inline uint32_t app_begin(board_state_t state)
{
    board_set_state(state);
    return board_ticks();
}

/* Closes the part; its ticks. */
static inline uint32_t app_end(uint32_t start)
{
    const uint32_t ticks = board_ticks() - start;
    board_set_state(BOARD_STATE_RECEIVE);
    return ticks;
}

#endif
