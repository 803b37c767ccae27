#include "app.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app_model.h"
#include "app_stream.h"
#include "board.h"
#include "ecgseg_messages.h"
#include "ecgseg_session.h"
#ifdef ECGSEG_LINK_STREAM
#include "app_delineator.h"
#else
#include "app_bench.h"
#endif

/* A new baud rate has to prove itself with a good frame within this time. */
#define BAUD_TRIAL_SECONDS 2u

/* Boards know nothing of the link: here their numbers meet those that a host knows. */
_Static_assert((int)BOARD_TIME_INSTRUCTIONS == (int)ECGSEG_TIME_BASE_INSTRUCTIONS, "a time base has two numbers");
_Static_assert((int)BOARD_TIME_CYCLES == (int)ECGSEG_TIME_BASE_CYCLES, "a time base has two numbers");
_Static_assert((int)BOARD_TIME_TICKS == (int)ECGSEG_TIME_BASE_TICKS, "a time base has two numbers");

typedef ecgseg_link_error_t (*ecgseg_command_t)(ecgseg_reader_t *request, ecgseg_writer_t *answer);

typedef enum { BAUD_SETTLED = 0, BAUD_REQUESTED = 1, BAUD_ON_TRIAL = 2 } baud_state_t;

static ecgseg_session_t session;

typedef struct {
    board_fault_t fault;
    baud_state_t baud_state;
    uint32_t baud; /* proven */
    uint32_t wanted_baud;
    uint32_t trial_start;
    bool restart_requested;
} app_t;

static app_t app;

static ecgseg_link_error_t hello(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request; /* the session number; ecgseg_session.c has dealt with it */
    const board_info_t *const board = board_info();
    const ecgseg_model_info_t *const model = &ecgseg_model_info;
    const app_stream_info_t stream = app_stream_info();
    const ecgseg_hello_answer_t values = {
        .protocol_version = ECGSEG_LINK_PROTOCOL_VERSION,
        .engine_version = (uint16_t)model->engine_version,
        .engine_status = (uint8_t)app_model_status(),
        .payload_max = ECGSEG_LINK_PAYLOAD_MAX,
        .time_base = (uint8_t)board->time_base,
        .core_hz = board->core_hz,
        .tick_hz = board->tick_hz,
        .max_baud = board->max_baud,
        .input_bytes = model->input_bytes,
        .output_bytes = model->output_bytes,
        .frame_length = model->frame_length,
        .class_count = model->class_count,
        .input_scale = model->input_scale,
        .input_zero_point = model->input_zero_point,
        .output_scale = model->output_scale,
        .output_zero_point = model->output_zero_point,
        .arena_bytes = model->arena_bytes,
        .macs = model->macs,
        .layer_count = model->layer_count,
        .input_rate = stream.input_rate,
        .factor = stream.factor,
        .hop = stream.hop,
        .delay = stream.delay,
        .flat_uv = stream.flat_uv,
        .reset_cause = app.fault.reset_cause,
        .fault_valid = app.fault.fault_valid,
        .fault_type = app.fault.fault_type,
        .fault_registers = app.fault.registers,
        .fault_cfsr = app.fault.cfsr,
        .fault_hfsr = app.fault.hfsr,
        .fault_mmfar = app.fault.mmfar,
        .fault_bfar = app.fault.bfar,
        .model_sha256 = model->model_sha256,
        .board = board->name,
        .build_id = app_build_id,
        .model_name = model->model_name,
        .backend = model->backend,
    };
    ecgseg_put_hello_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

#ifndef ECGSEG_LINK_STREAM
static ecgseg_link_error_t read_result(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const ecgseg_read_request_t part = ecgseg_get_read_request(request);
    if (part.kind > ECGSEG_READ_TRACE) {
        return ECGSEG_ERROR_BAD_ARGUMENT;
    }
    if (part.length > ECGSEG_LINK_PAYLOAD_MAX) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    const ecgseg_read_kind_t kind = (ecgseg_read_kind_t)part.kind;
    if (kind == ECGSEG_READ_MASK || kind == ECGSEG_READ_SEGMENTS) {
        return app_stream_read(kind, part.offset, part.length, answer);
    }
    return app_model_read(kind, part.offset, part.length, answer);
}
#endif

static ecgseg_link_error_t stats(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    const ecgseg_link_counters_t *link = &session.counters;
    const board_port_errors_t port = board_port_errors();
    const ecgseg_stats_answer_t values = {
        .ticks = board_ticks(),
        .stack_high_water = board_stack_high_water(),
        .frames = link->frames,
        .answers = link->answers,
        .repeats = link->repeats,
        .bad_crc = link->bad_crc,
        .bad_cobs = link->bad_cobs,
        .oversized = link->oversized,
        .too_short = link->too_short,
        .bad_version = link->bad_version,
        .stale = link->stale,
        .rx_overruns = port.rx_overruns,
        .rx_framing_errors = port.rx_framing_errors,
        .rx_breaks = port.rx_breaks,
        .tx_timeouts = port.tx_timeouts,
    };
    ecgseg_put_stats_answer(answer, &values);
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t set_baud(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)answer;
    const uint32_t baud = ecgseg_get_set_baud_request(request).baud;
    if (baud < ECGSEG_LINK_LOWEST_BAUD || baud > board_info()->max_baud) {
        return ECGSEG_ERROR_NOT_SUPPORTED;
    }
    app.wanted_baud = baud;
    app.baud_state = BAUD_REQUESTED;
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t set_clock(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    if (!board_set_core_hz(ecgseg_get_set_clock_request(request).core_hz)) {
        return ECGSEG_ERROR_NOT_SUPPORTED;
    }
    const ecgseg_set_clock_answer_t now = {.core_hz = board_info()->core_hz, .tick_hz = board_info()->tick_hz};
    ecgseg_put_set_clock_answer(answer, &now);
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t restart(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    (void)answer;
    app.restart_requested = true;
    return ECGSEG_ERROR_OK;
}

/* An image has a stream or frames, and what it has not it does not know. */
#ifdef ECGSEG_LINK_STREAM
#define COMMANDS_OF_MODEL                                                                               \
    [ECGSEG_COMMAND_START] = app_delineator_start, [ECGSEG_COMMAND_FEED] = app_delineator_feed,         \
    [ECGSEG_COMMAND_EVENTS] = app_delineator_events, [ECGSEG_COMMAND_CLASSES] = app_delineator_classes, \
    [ECGSEG_COMMAND_GAP] = app_delineator_gap, [ECGSEG_COMMAND_FINISH] = app_delineator_finish
#else
#define COMMANDS_OF_MODEL                                                                      \
    [ECGSEG_COMMAND_RESET_STREAM] = app_stream_reset, [ECGSEG_COMMAND_PUSH] = app_stream_push, \
    [ECGSEG_COMMAND_FRAME] = app_stream_frame, [ECGSEG_COMMAND_READ] = read_result,            \
    [ECGSEG_COMMAND_WRITE] = app_model_write, [ECGSEG_COMMAND_INFER] = app_model_infer,        \
    [ECGSEG_COMMAND_TRACE] = app_model_trace, [ECGSEG_COMMAND_LAYER] = app_model_layer,        \
    [ECGSEG_COMMAND_BENCH] = app_bench
#endif

/* The session has checked the command and the payload's limits (ecgseg_link_messages.def). */
static ecgseg_link_error_t handle(uint8_t command, ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    static const ecgseg_command_t commands[ECGSEG_COMMAND_END] = {
        [ECGSEG_COMMAND_HELLO] = hello,         COMMANDS_OF_MODEL,
        [ECGSEG_COMMAND_STATS] = stats,         [ECGSEG_COMMAND_SET_BAUD] = set_baud,
        [ECGSEG_COMMAND_SET_CLOCK] = set_clock, [ECGSEG_COMMAND_RESTART] = restart,
    };
    if (command >= ECGSEG_COMMAND_END || commands[command] == NULL) {
        return ECGSEG_ERROR_UNKNOWN_COMMAND;
    }
    return commands[command](request, answer);
}

void app_init(void)
{
    app = (app_t){.fault = board_take_fault(), .baud = ECGSEG_LINK_DEFAULT_BAUD};
    app_model_init(app_stream_start());
    ecgseg_session_init(&session, handle, board_port_write);
}

static void change_baud(uint32_t baud, baud_state_t next)
{
    app.baud_state = board_port_set_baud(baud) ? next : BAUD_SETTLED;
    app.trial_start = board_ticks();
    ecgseg_link_decoder_reset(&session.decoder);
}

/* What a request asked for, to be done after its answer has gone out. */
static void do_deferred(void)
{
    if (app.restart_requested) {
        board_restart();
    }
    if (app.baud_state == BAUD_REQUESTED) {
        change_baud(app.wanted_baud, BAUD_ON_TRIAL);
    } else if (app.baud_state == BAUD_ON_TRIAL) {
        /* A good frame has come at the new rate. */
        app.baud = app.wanted_baud;
        app.baud_state = BAUD_SETTLED;
    }
}

static bool idle_allowed(void)
{
    if (app.baud_state != BAUD_ON_TRIAL) {
        return true;
    }
    if (board_ticks() - app.trial_start > BAUD_TRIAL_SECONDS * board_info()->tick_hz) {
        change_baud(app.baud, BAUD_SETTLED);
    }
    return false;
}

static void receive(const uint8_t *bytes, size_t count)
{
    board_set_state(BOARD_STATE_RECEIVE);
    size_t taken = 0;
    while (taken < count) {
        bool answered = false;
        taken += ecgseg_session_receive(&session, &bytes[taken], count - taken, &answered);
        if (answered) {
            do_deferred();
        }
    }
}

void app_step(void)
{
    uint8_t chunk[64];
    board_feed_watchdog();
    const size_t count = board_port_read(chunk, sizeof chunk);
    if (count > 0) {
        receive(chunk, count);
    }
    /* Idling ends at once when more came in meanwhile. */
    if (count < sizeof chunk && idle_allowed()) {
        board_set_state(BOARD_STATE_IDLE);
        board_idle();
    }
}
