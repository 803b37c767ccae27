/* The same for QEMU: inputs are linked in, results leave through semihosting (Arm "Semihosting for AArch32 and
 * AArch64": SYS_OPEN 0x01, SYS_WRITE 0x05, SYS_EXIT 0x18), which costs no time limit and no protocol. */
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_engine.h"
#include "ecgseg_model.h"
#include "test_inputs.h"

void board_uart_rx_handler(void);
int main(void);

static uint32_t semihost(uint32_t operation, const void *argument)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(uint32_t reason)
{
    semihost(0x18, (const void *)reason);
}

static void put(uint32_t handle, const int8_t *bytes, uint32_t count)
{
    const uint32_t arguments[3] = {handle, (uint32_t)bytes, count};
    if (semihost(0x05, arguments) != 0) {
        leave(0x20023); /* run-time error */
    }
}

void board_uart_rx_handler(void)
{
}

int main(void)
{
    static const char console[] = ":tt";
    static int8_t output[ECGSEG_MODEL_OUTPUT_BYTES];
    static int8_t result[ECGSEG_MODEL_LARGEST_LAYER_BYTES];
    const uint32_t open[3] = {(uint32_t)console, 5 /* wb: standard output */, 3};
    const uint32_t handle = semihost(0x01, open);
    if (ecgseg_model_init() != ECGSEG_ENGINE_OK) {
        leave(0x20023);
    }
    for (uint32_t i = 0; i < test_input_count; i++) {
        const int8_t *input = test_inputs + i * ECGSEG_MODEL_INPUT_BYTES;
        if (ecgseg_model_run(input, output) != ECGSEG_ENGINE_OK) {
            leave(0x20023);
        }
        put(handle, output, ECGSEG_MODEL_OUTPUT_BYTES);
        for (uint16_t layer = 0; layer < ecgseg_model_info.layer_count; layer++) {
            const uint32_t bytes = ecgseg_model_info.layers[layer].bytes;
            if (ecgseg_model_run_to_layer(input, layer, 0, result, bytes) != ECGSEG_ENGINE_OK) {
                leave(0x20023);
            }
            put(handle, result, bytes);
        }
    }
    leave(0x20026); /* application exit */
    return 0;
}
