/* Pads: VCOM, LEDs, and the three wires to a power monitor. */
#include "apollo4p.h"
#include "apollo4p_registers.h"

typedef struct {
    uint32_t pad;
    uint32_t config;
} pad_config_t;

static const pad_config_t pads[] = {
    {PAD_UART0_TX, PAD_UART0_TX_CONFIG}, /* [4.2] */
    {PAD_UART0_RX, PAD_UART0_RX_CONFIG}, {PAD_LED0, PAD_LED_CONFIG},
    {PAD_LED1, PAD_LED_CONFIG},          {PAD_LED2, PAD_LED_CONFIG},
    {PAD_STATE_BIT0, PAD_STATE_CONFIG}, /* [4.3] */
    {PAD_STATE_BIT1, PAD_STATE_CONFIG},  {PAD_GO, PAD_GO_CONFIG},
};

static const uint32_t leds[] = {PAD_LED0, PAD_LED1, PAD_LED2};

void a4p_pads_init(void)
{
    /* Levels before directions: no LED flashes, the monitor sees "idle" from the first moment. */
    GPIO_WTC(PAD_STATE_BIT0 / 32u) = 3u << (PAD_STATE_BIT0 % 32u);
    for (uint32_t led = 0; led < sizeof leds / sizeof leds[0]; led++) {
        a4p_set_led(led, false);
    }
    GPIO_PADKEY = GPIO_PADKEY_UNLOCK; /* [4.1] */
    for (size_t i = 0; i < sizeof pads / sizeof pads[0]; i++) {
        GPIO_PINCFG(pads[i].pad) = pads[i].config;
    }
    GPIO_PADKEY = GPIO_PADKEY_LOCK;
}

void a4p_set_state_pads(uint32_t code)
{
    /* One write for both bits: a monitor never sees a code in between. Only the main program writes this bank. */
    const uint32_t shift = PAD_STATE_BIT0 % 32u;
    GPIO_WT(PAD_STATE_BIT0 / 32u) = (GPIO_WT(PAD_STATE_BIT0 / 32u) & ~(3u << shift)) | ((code & 3u) << shift);
}

bool a4p_go_input(void)
{
    return ((GPIO_RD(PAD_GO / 32u) >> (PAD_GO % 32u)) & 1u) != 0u;
}

void a4p_set_led(uint32_t led, bool on)
{
    if (led >= sizeof leds / sizeof leds[0]) {
        return;
    }
    const uint32_t bit = 1u << (leds[led] % 32u);
    if (on) {
        GPIO_WTC(leds[led] / 32u) = bit; /* [4.2] active low */
    } else {
        GPIO_WTS(leds[led] / 32u) = bit;
    }
}
