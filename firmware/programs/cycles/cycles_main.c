/* Runs the model on a few inputs and leaves in memory what it answered and what one inference took, for who can read
 * the memory of a simulated board. The inputs are made here, so that the host can make them too.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "ecgseg_engine.h"
#include "ecgseg_model.h"

#define RUNS 5u
#define BAUD 115200u
/* No value that memory holds by chance before the start, as 0 or a pattern would be. */
#define REPORT_DONE 0x4B454F44u
#define REPORT_FAILED 0x4C494146u
#define SEED 0x9E3779B9u

typedef struct {
    volatile uint32_t state;
    uint32_t cycles; /* of one inference whose code is in the cache */
    int8_t outputs[RUNS][ECGSEG_MODEL_OUTPUT_BYTES];
} report_t;

int main(void);
extern report_t cycles_report;

report_t cycles_report;
static int8_t input[ECGSEG_MODEL_INPUT_BYTES];
static int8_t *output;
static ecgseg_engine_status_t status;

/* Run 0 has the input of the program that counts instructions; the others are drawn by xorshift (Marsaglia 2003). */
static void make_input(uint32_t run)
{
    uint32_t state = SEED * run;
    for (uint32_t i = 0; i < sizeof input; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        input[i] = (int8_t)(run == 0 ? i * 37u : state >> 24);
    }
}

static void run_nothing(void)
{
}

static void run_model(void)
{
    status = ecgseg_model_run(input, output);
}

static uint32_t timed(void (*volatile part)(void))
{
    board_feed_watchdog();
    const uint32_t before = board_ticks();
    part();
    return board_ticks() - before;
}

static bool run_all(void)
{
    if (!board_init(BAUD) || board_info()->time_base != BOARD_TIME_CYCLES || ecgseg_model_init() != ECGSEG_ENGINE_OK) {
        return false;
    }
    bool good = true;
    /* The first one last: by then all code has run. */
    for (uint32_t run = RUNS; run > 0 && good; run--) {
        make_input(run - 1u);
        output = cycles_report.outputs[run - 1u];
        (void)timed(run_nothing);
        const uint32_t nothing = timed(run_nothing);
        cycles_report.cycles = timed(run_model) - nothing;
        good = status == ECGSEG_ENGINE_OK;
    }
    return good;
}

int main(void)
{
    cycles_report.state = run_all() ? REPORT_DONE : REPORT_FAILED;
    for (;;) {
        board_idle();
    }
}
