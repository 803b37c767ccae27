/* Counts the instructions of inference and preprocessing on QEMU's mps2-an386, to the instruction.
 *
 * Under `-icount shift=0` an instruction takes one virtual nanosecond and the CMSDK timer ticks every 40 of them.
 * Writing the timer's value starts a tick at that very instruction. A part is run 40 times, the r-th time after r
 * single instructions: the ticks t_r = floor((x + r) / 40) add up to x exactly (Hermite's identity), x being the
 * instructions from the write to the read. What the measurement itself costs is measured the same way and taken off.
 *
 * Results leave as lines `<name> <number>` through semihosting (Arm, "Semihosting for AArch32 and AArch64").
 * With PROFILE_LAYERS the generated code calls profile_layer_done() after each layer, or each part of a streamed one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "ecgseg_engine.h"
#include "ecgseg_model.h"
#include "profile.h"
#include "startup.h"

#if defined(PROFILE_PREPROCESS)
#include "ecgseg_preprocess.h"
#endif

#define TIMER0_CTRL (*(volatile uint32_t *)0x40000000u)
#define TIMER0_VALUE (*(volatile uint32_t *)0x40000004u)
#define TIMER0_RELOAD (*(volatile uint32_t *)0x40000008u)
#define PHASES 40u
#define SYS_WRITE0 0x04u
#define SYS_EXIT 0x18u
#define APPLICATION_EXIT 0x20026u

/* Instructions up to the mark behind a layer since the mark before, and how many such marks there were: a streamed
 * layer has one for each of its parts. */
static struct {
    uint32_t sum, count;
} marks[ECGSEG_MODEL_LAYER_COUNT];
static uint32_t last_mark;
static int8_t input[ECGSEG_MODEL_INPUT_BYTES];
static int8_t output[ECGSEG_MODEL_OUTPUT_BYTES];

int main(void);

static void semihost(uint32_t operation, const void *argument)
{
    __asm volatile("mov r0, %0\n\tmov r1, %1\n\tbkpt 0xab" : : "r"(operation), "r"(argument) : "r0", "r1", "memory");
}

static void print(const char *name, uint32_t number)
{
    char digits[12];
    char *next = digits + sizeof digits;
    *--next = '\0';
    *--next = '\n';
    do {
        *--next = (char)('0' + number % 10u);
        number /= 10u;
    } while (number != 0);
    semihost(SYS_WRITE0, name);
    semihost(SYS_WRITE0, " ");
    semihost(SYS_WRITE0, next);
}

void board_uart_rx_handler(void)
{
}

__attribute__((noinline)) void profile_layer_done(uint32_t layer)
{
    const uint32_t now = ~TIMER0_VALUE;
    marks[layer].sum += now - last_mark;
    marks[layer].count++;
    last_mark = now;
}

/* Starts a tick, then lets `phase` instructions pass: a jump into a row of 40 NOPs. The reload to all ones keeps the
 * timer from ending. */
static __attribute__((noinline)) void start(uint32_t phase)
{
    __asm volatile("str %[ones], [%[timer], #4]\n"
                   "adr r3, 1f\n"
                   "sub r3, r3, %[phase], lsl #1\n"
                   "orr r3, r3, #1\n"
                   "bx r3\n"
                   ".balign 4\n"
                   ".rept 40\n"
                   "nop\n"
                   ".endr\n"
                   "1:\n"
                   :
                   : [ones] "r"(0xFFFFFFFFu), [timer] "r"(0x40000000u), [phase] "r"(phase)
                   : "r3", "memory");
}

static __attribute__((noinline)) uint32_t stop(void)
{
    return ~TIMER0_VALUE;
}

static void run_nothing(void)
{
}

static void run_model(void)
{
    (void)ecgseg_model_run(input, output);
}

#if defined(PROFILE_PREPROCESS)
#define RAW_SAMPLES (ECGSEG_FRAME_LENGTH * ECGSEG_FACTOR / ECGSEG_PHASES)
static ecgseg_preprocess_t preprocess;
static int16_t raw[RAW_SAMPLES];
static uint8_t valid[ECGSEG_FRAME_LENGTH];

/* One frame of raw samples in the middle of a stream, in one piece. */
static void run_preprocess(void)
{
    size_t taken = 0;
    while (taken < RAW_SAMPLES) {
        bool ready = false;
        taken += ecgseg_preprocess_push(&preprocess, raw + taken, RAW_SAMPLES - taken, &ready);
        if (ready) {
            (void)ecgseg_preprocess_frame(&preprocess, input, valid);
        }
    }
}
#endif

/* Instructions from start() to stop() with one call of `part` between them. */
static uint32_t count(void (*volatile part)(void))
{
    uint32_t sum = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        start(phase);
        part();
        sum += stop();
    }
    return sum;
}

/* What goes through the preprocessor or, without it, into the model. */
static void prepare_input(void)
{
#if defined(PROFILE_PREPROCESS)
    /* A triangle of 1 mV with a step: nothing in the preprocessor depends on the values of good samples but the
     * normalisation's rounding. */
    for (uint32_t i = 0; i < RAW_SAMPLES; i++) {
        const int32_t ramp = (int32_t)(i % 200u) * 10;
        raw[i] = (int16_t)(ramp < 1000 ? ramp : 2000 - ramp);
    }
    ecgseg_preprocess_init(&preprocess, ECGSEG_MODEL_INPUT_SCALE, ECGSEG_MODEL_INPUT_ZERO_POINT);
    run_preprocess();
#else
    for (uint32_t i = 0; i < sizeof input; i++) {
        input[i] = (int8_t)(i * 37u);
    }
#endif
}

#if defined(PROFILE_LAYERS)
static void print_layers(void)
{
    /* What the way to the first mark and what a mark costs, with nothing in between. */
    uint32_t first = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        last_mark = 0;
        start(phase);
        profile_layer_done(0);
        first += last_mark;
        profile_layer_done(0);
    }
    print("first", first);
    print("mark", marks[0].sum - first);
    marks[0].sum = 0;
    marks[0].count = 0;
    for (uint32_t phase = 0; phase < PHASES; phase++) {
        last_mark = 0;
        start(phase);
        run_model();
    }
    for (uint32_t layer = 0; layer < ECGSEG_MODEL_LAYER_COUNT; layer++) {
        print("layer", marks[layer].sum);
        print("parts", marks[layer].count / PHASES);
    }
}
#endif

int main(void)
{
    TIMER0_CTRL = 0;
    TIMER0_RELOAD = 0xFFFFFFFFu;
    TIMER0_VALUE = 0xFFFFFFFFu;
    TIMER0_CTRL = 1;
    const uint32_t nothing = count(run_nothing);
    prepare_input();
#if defined(PROFILE_PREPROCESS)
    print("preprocess", count(run_preprocess) - nothing);
#endif
    if (ecgseg_model_init() != ECGSEG_ENGINE_OK) {
        print("failed", 1);
    }
#if defined(PROFILE_LAYERS)
    (void)nothing;
    print_layers();
#else
    print("inference", count(run_model) - nothing);
    print("stack", board_stack_high_water());
#endif
    semihost(SYS_EXIT, (const void *)APPLICATION_EXIT);
    return 0;
}
