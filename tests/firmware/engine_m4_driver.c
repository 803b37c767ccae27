/* The same for QEMU: inputs are linked in. */
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_engine.h"
#include "ecgseg_model.h"
#include "semihosting.h"
#include "test_inputs.h"

void board_uart_rx_handler(void);
int main(void);

void board_uart_rx_handler(void)
{
}

int main(void)
{
    static int8_t output[ECGSEG_MODEL_OUTPUT_BYTES];
    static int8_t result[ECGSEG_MODEL_LARGEST_LAYER_BYTES];
    const uint32_t handle = open_output();
    if (ecgseg_model_init() != ECGSEG_ENGINE_OK) {
        leave(SEMIHOSTING_BAD);
    }
    for (uint32_t i = 0; i < test_input_count; i++) {
        const int8_t *input = test_inputs + i * ECGSEG_MODEL_INPUT_BYTES;
        if (ecgseg_model_run(input, output) != ECGSEG_ENGINE_OK) {
            leave(SEMIHOSTING_BAD);
        }
        put(handle, output, ECGSEG_MODEL_OUTPUT_BYTES);
        for (uint16_t layer = 0; layer < ecgseg_model_info.layer_count; layer++) {
            const uint32_t bytes = ecgseg_model_info.layers[layer].bytes;
            if (ecgseg_model_run_to_layer(input, layer, 0, result, bytes) != ECGSEG_ENGINE_OK) {
                leave(SEMIHOSTING_BAD);
            }
            put(handle, result, bytes);
        }
    }
    leave(SEMIHOSTING_GOOD);
    return 0;
}
