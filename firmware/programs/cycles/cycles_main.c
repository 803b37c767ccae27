/* Holds the model and what runs it. The simulator's core calls both functions itself, with inputs of its own, and
 * counts their cycles. */
#include "board.h"
#include "ecgseg_engine.h"
#include "ecgseg_model.h"

int main(void);

int main(void)
{
    static int8_t input[ECGSEG_MODEL_INPUT_BYTES];
    static int8_t output[ECGSEG_MODEL_OUTPUT_BYTES];
    if (ecgseg_model_init() == ECGSEG_ENGINE_OK) {
        (void)ecgseg_model_run(input, output);
    }
    for (;;) {
        board_idle();
    }
}
