/* The part of the simulator that runs for every block of instructions: counts time and finds the moment to stop.
 *
 * Unicorn calls these hooks before a translated block (and, with the memory model on, for each data access). Python
 * describes a block once (timing.py) and owns everything else. Time is counted in units of 1/192 MHz, so that core
 * clocks of 96 and 192 MHz and all timer clocks are whole numbers of units.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define MRAM_BYTES 0x200000u
#define TCM_BASE 0x10000000u
#define TCM_BYTES 0x60000u
#define CACHE_LINES 4096u
#define LINE_SHIFT 4u

enum { FLOW_THROUGH = 0, FLOW_DIRECT = 1, FLOW_INDIRECT = 2, FLOW_LOADED = 3 };

/* Filled by Python. bytes == 0: not described yet. */
typedef struct {
    uint16_t bytes;
    uint16_t cycles;       /* of the block when nothing at its end is taken */
    uint16_t instructions;
    uint8_t flow;          /* how its last instruction leaves it */
    uint8_t wide_start;    /* 1: opens with a 32-bit instruction that is not word aligned */
    uint16_t fp_blocked;   /* 1: holds FPU instructions and the FPU was off when it was described */
    uint16_t reserved;
} block_t;

typedef struct {
    uint64_t time;         /* units of 1/192 MHz */
    uint64_t cycles;       /* core clock cycles while not asleep */
    uint64_t deadline;     /* stop before the first block at or after this time */
    uint64_t instructions;
    uint64_t blocks;
    uint64_t taken[4];     /* taken branches by flow */
    uint64_t refill_cycles;
    uint64_t fetch_misses;
    uint64_t data_accesses; /* to the MRAM, with the memory model on */
    uint64_t data_misses;
    uint64_t unaligned;    /* extra cycles for unaligned accesses, with the memory model on */
    uint64_t divides;
    uint64_t divide_cycles;
    uint32_t units_per_cycle;
    uint32_t previous_end;
    uint32_t previous_flow;
    uint32_t watch_masks;  /* stop when an interrupt mask register differs from mask_snapshot */
    uint32_t mask_snapshot[3];
    uint32_t cache_enabled;
    uint32_t miss_cycles;
    uint32_t refill[4];    /* cycles to refill the pipeline by flow */
    uint32_t wide_refill;  /* more of them for a wide, unaligned target */
    uint32_t divide_by_zero_traps;
    uint32_t stopped_by;   /* 0 not, 1 deadline, 2 masks, 3 divide by zero, 4 block description */
    int32_t mask_registers[3];
    uint32_t last_block;
    void (*stop)(void *);
    int (*read_register)(void *, int, void *);
    int (*describe)(uint32_t, uint32_t, block_t *);
    uint32_t *tags;
    block_t *mram_blocks;
    block_t *tcm_blocks;
} state_t;

/* One UDIV or SDIV in the image. */
typedef struct {
    state_t *state;
    int32_t dividend_register;
    int32_t divisor_register;
    uint32_t is_signed;
} divide_t;

state_t *native_create(void);
void native_destroy(state_t *state);
void native_invalidate_cache(state_t *state);
void native_forget_blocks(state_t *state);
size_t native_state_bytes(void);
void native_block(void *engine, uint64_t address, uint32_t size, void *user);
void native_divide(void *engine, uint64_t address, uint32_t size, void *user);
void native_access(void *engine, int type, uint64_t address, int size, int64_t value, void *user);

size_t native_state_bytes(void)
{
    return sizeof(state_t);
}

state_t *native_create(void)
{
    state_t *state = calloc(1, sizeof *state);
    if (state == NULL) {
        return NULL;
    }
    state->tags = calloc(CACHE_LINES, sizeof *state->tags);
    state->mram_blocks = calloc(MRAM_BYTES / 2u, sizeof *state->mram_blocks);
    state->tcm_blocks = calloc(TCM_BYTES / 2u, sizeof *state->tcm_blocks);
    if (state->tags == NULL || state->mram_blocks == NULL || state->tcm_blocks == NULL) {
        native_destroy(state);
        return NULL;
    }
    return state;
}

void native_destroy(state_t *state)
{
    free(state->tags);
    free(state->mram_blocks);
    free(state->tcm_blocks);
    free(state);
}

void native_invalidate_cache(state_t *state)
{
    for (size_t i = 0; i < CACHE_LINES; i++) {
        state->tags[i] = 0;
    }
}

void native_forget_blocks(state_t *state)
{
    for (size_t i = 0; i < MRAM_BYTES / 2u; i++) {
        state->mram_blocks[i].bytes = 0;
    }
    for (size_t i = 0; i < TCM_BYTES / 2u; i++) {
        state->tcm_blocks[i].bytes = 0;
    }
}

static void spend(state_t *state, uint64_t cycles)
{
    state->cycles += cycles;
    state->time += cycles * state->units_per_cycle;
}

static void halt(state_t *state, void *engine, uint32_t why)
{
    state->stopped_by = why;
    state->stop(engine);
}

/* One-way cache of 4096 lines of 16 bytes. A tag is the line number plus one, so that 0 is an empty line. Returns true for a
 * miss. */
static bool look_up(state_t *state, uint32_t address)
{
    const uint32_t line = address >> LINE_SHIFT;
    uint32_t *tag = &state->tags[line % CACHE_LINES];
    if (state->cache_enabled && *tag == line + 1u) {
        return false;
    }
    *tag = state->cache_enabled ? line + 1u : 0u;
    return true;
}

static bool masks_changed(const state_t *state, void *engine)
{
    for (int i = 0; i < 3; i++) {
        uint32_t value = 0;
        state->read_register(engine, state->mask_registers[i], &value);
        if (value != state->mask_snapshot[i]) {
            return true;
        }
    }
    return false;
}

static block_t *find(state_t *state, uint32_t address)
{
    if (address < MRAM_BYTES) {
        return &state->mram_blocks[address / 2u];
    }
    if (address - TCM_BASE < TCM_BYTES) {
        return &state->tcm_blocks[(address - TCM_BASE) / 2u];
    }
    return NULL;
}

void native_block(void *engine, uint64_t address64, uint32_t size, void *user)
{
    state_t *state = user;
    const uint32_t address = (uint32_t)address64;
    if (state->time >= state->deadline) {
        halt(state, engine, 1u);
        return;
    }
    if (state->watch_masks && masks_changed(state, engine)) {
        halt(state, engine, 2u);
        return;
    }
    state->last_block = address;
    block_t *block = find(state, address);
    if (block == NULL) {
        return; /* no such memory: the fetch itself is going to fail */
    }
    if (block->bytes != size || block->fp_blocked) {
        block->bytes = (uint16_t)size;
        if (state->describe(address, size, block) != 0) {
            block->bytes = 0;
            halt(state, engine, 4u);
            return;
        }
    }
    uint64_t cycles = block->cycles;
    if (state->previous_end != address && state->previous_flow != FLOW_THROUGH) {
        const uint32_t refill = state->refill[state->previous_flow] + (block->wide_start ? state->wide_refill : 0u);
        state->taken[state->previous_flow]++;
        state->refill_cycles += refill;
        cycles += refill;
    }
    if (address < MRAM_BYTES) {
        for (uint32_t line = address >> LINE_SHIFT; line <= (address + size - 1u) >> LINE_SHIFT; line++) {
            if (look_up(state, line << LINE_SHIFT)) {
                state->fetch_misses++;
                cycles += state->miss_cycles;
            }
        }
    }
    state->previous_end = address + size;
    state->previous_flow = block->flow;
    state->instructions += block->instructions;
    state->blocks++;
    spend(state, cycles);
}

/* UDIV and SDIV take 2 to 12 cycles, depending on the operands; 2 are in the block. Early termination as modelled: 2 when the
 * result is 0, else 4 and one for each four bits that the quotient can have. */
void native_divide(void *engine, uint64_t address, uint32_t size, void *user)
{
    const divide_t *site = user;
    state_t *state = site->state;
    (void)address;
    (void)size;
    uint32_t dividend = 0, divisor = 0;
    state->read_register(engine, site->dividend_register, &dividend);
    state->read_register(engine, site->divisor_register, &divisor);
    if (site->is_signed) {
        dividend = (int32_t)dividend < 0 ? 0u - dividend : dividend;
        divisor = (int32_t)divisor < 0 ? 0u - divisor : divisor;
    }
    uint64_t extra = 0;
    if (divisor == 0u) {
        if (state->divide_by_zero_traps) {
            halt(state, engine, 3u);
            return;
        }
    } else if (dividend >= divisor) {
        const uint32_t bits = (uint32_t)(__builtin_clz(divisor) - __builtin_clz(dividend)) + 1u;
        extra = 2u + (bits + 3u) / 4u;
    }
    state->divides++;
    state->divide_cycles += extra;
    spend(state, extra);
}

/* Data access with the memory model on: MRAM through the cache, and the extra cycles of unaligned accesses. */
void native_access(void *engine, int type, uint64_t address64, int size, int64_t value, void *user)
{
    state_t *state = user;
    const uint32_t address = (uint32_t)address64;
    (void)engine;
    (void)type;
    (void)value;
    uint64_t cycles = 0;
    if (size == 4 && (address & 3u) != 0u) {
        cycles = (address & 1u) != 0u ? 2u : 1u;
    } else if (size == 2 && (address & 1u) != 0u) {
        cycles = 1u;
    }
    state->unaligned += cycles;
    if (address < MRAM_BYTES) {
        state->data_accesses++;
        if (look_up(state, address)) {
            state->data_misses++;
            cycles += state->miss_cycles;
        }
    }
    if (cycles != 0u) {
        spend(state, cycles);
    }
}
