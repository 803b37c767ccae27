/* Running normalisation in QEMU: scale, zero point, samples and their validity are linked in. */
#include <stddef.h>
#include <stdint.h>

#include "ecgseg_running.h"
#include "semihosting.h"
#include "test_samples.h"

void board_uart_rx_handler(void);
int main(void);

void board_uart_rx_handler(void)
{
}

static ecgseg_running_t state;
static int8_t answers[TEST_SAMPLES];

int main(void)
{
    const uint32_t handle = open_output();
    ecgseg_running_init(&state, TEST_SCALE, TEST_ZERO_POINT);
    for (uint32_t n = 0; n < TEST_SAMPLES; n++) {
        answers[n] = ecgseg_running_push(&state, test_samples[n], test_valid[n] != 0);
    }
    put(handle, answers, sizeof answers);
    leave(SEMIHOSTING_GOOD);
}
