/* Finds the smallest arena that the model runs in, with the very library and rendered operators of the firmware, and
 * writes "arena <bytes>\n" to the board's port; "arena 0" when no size will do.
 */
#include "ecgseg_tflm.h"

extern "C" {
#include "board.h"
#include "ecgseg_model.h"
}

extern EcgsegTflmModel ecgseg_tflm_model; /* rendered */

namespace
{

constexpr uint32_t kAnyBaud = 0; /* the boards that this is built for have none */
constexpr uint32_t kStep = 16;
constexpr uint32_t kLargest = 1u << 20;

alignas(kStep) uint8_t memory[kLargest];
int8_t input[ECGSEG_MODEL_INPUT_BYTES];
int8_t output[ECGSEG_MODEL_OUTPUT_BYTES];

bool runs_in(uint32_t bytes)
{
    return ecgseg_tflm_start(ecgseg_tflm_model, memory, bytes) == ECGSEG_ENGINE_OK &&
           ecgseg_tflm_run(ecgseg_tflm_model, input, output) == ECGSEG_ENGINE_OK;
}

void tell(uint32_t number)
{
    char text[] = "arena 0000000000\n";
    for (size_t at = sizeof text - 3; number != 0; at--) {
        text[at] = static_cast<char>('0' + number % 10u);
        number /= 10u;
    }
    (void)board_port_write(reinterpret_cast<const uint8_t *>(text), sizeof text - 1);
}

} // namespace

int main()
{
    uint32_t fits = 0;
    if (board_init(kAnyBaud) && runs_in(kLargest)) {
        /* Less than what a started model occupies is never enough; the library does not even check sizes that its own
         * bookkeeping does not fit into. */
        uint32_t fails = static_cast<uint32_t>(ecgseg_tflm_used(ecgseg_tflm_model) - 1u) / kStep * kStep;
        fits = kLargest;
        while (fits - fails > kStep) {
            const uint32_t middle = fails + (fits - fails) / (2u * kStep) * kStep;
            (runs_in(middle) ? fits : fails) = middle;
        }
    }
    tell(fits);
    for (;;) {
        board_idle();
    }
}
