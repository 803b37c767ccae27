#include "app.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app_bench.h"
#include "app_model.h"
#include "app_stream.h"
#include "board.h"
#include "ecgseg_session.h"

/* A new baud rate has to prove itself with a good frame within this time. */
#define BAUD_TRIAL_SECONDS 2u

typedef ecgseg_link_error_t (*ecgseg_command_t)(ecgseg_reader_t *request, ecgseg_writer_t *answer);

typedef enum { BAUD_SETTLED = 0, BAUD_REQUESTED = 1, BAUD_ON_TRIAL = 2 } baud_state_t;

static ecgseg_session_t session;

static struct {
    board_fault_t fault;
    baud_state_t baud_state;
    uint32_t baud; /* proven */
    uint32_t wanted_baud;
    uint32_t trial_start;
    bool restart_requested;
} app;

static void put_fault(ecgseg_writer_t *answer, const board_fault_t *fault)
{
    ecgseg_put_u32(answer, fault->reset_cause);
    ecgseg_put_u32(answer, fault->fault_valid);
    ecgseg_put_u32(answer, fault->fault_type);
    for (size_t i = 0; i < sizeof fault->registers / sizeof fault->registers[0]; i++) {
        ecgseg_put_u32(answer, fault->registers[i]);
    }
    ecgseg_put_u32(answer, fault->cfsr);
    ecgseg_put_u32(answer, fault->hfsr);
    ecgseg_put_u32(answer, fault->mmfar);
    ecgseg_put_u32(answer, fault->bfar);
}

static void put_board(ecgseg_writer_t *answer, const board_info_t *board)
{
    ecgseg_put_u8(answer, (uint8_t)board->time_base);
    ecgseg_put_u32(answer, board->core_hz);
    ecgseg_put_u32(answer, board->tick_hz);
    ecgseg_put_u32(answer, board->max_baud);
}

static void put_model(ecgseg_writer_t *answer, const ecgseg_model_info_t *model)
{
    ecgseg_put_u32(answer, model->input_bytes);
    ecgseg_put_u32(answer, model->output_bytes);
    ecgseg_put_u16(answer, model->frame_length);
    ecgseg_put_u16(answer, model->class_count);
    ecgseg_put_f32(answer, model->input_scale);
    ecgseg_put_u32(answer, (uint32_t)model->input_zero_point);
    ecgseg_put_f32(answer, model->output_scale);
    ecgseg_put_u32(answer, (uint32_t)model->output_zero_point);
    ecgseg_put_u32(answer, model->arena_bytes);
    ecgseg_put_u32(answer, model->macs);
    ecgseg_put_u16(answer, model->layer_count);
}

static void put_stream(ecgseg_writer_t *answer, app_stream_info_t stream)
{
    ecgseg_put_u16(answer, stream.input_rate);
    ecgseg_put_u16(answer, stream.factor);
    ecgseg_put_u16(answer, stream.hop);
    ecgseg_put_u16(answer, stream.delay);
    ecgseg_put_u16(answer, stream.flat_uv);
}

static ecgseg_link_error_t hello(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request; /* the session number; ecgseg_session.c has dealt with it */
    ecgseg_put_u8(answer, (uint8_t)ECGSEG_LINK_PROTOCOL_VERSION);
    ecgseg_put_u16(answer, (uint16_t)ecgseg_model_info.engine_version);
    ecgseg_put_u8(answer, (uint8_t)app_model_status());
    ecgseg_put_u16(answer, (uint16_t)ECGSEG_LINK_PAYLOAD_MAX);
    put_board(answer, board_info());
    put_model(answer, &ecgseg_model_info);
    put_stream(answer, app_stream_info());
    put_fault(answer, &app.fault);
    ecgseg_put_bytes(answer, ecgseg_model_info.model_sha256, sizeof ecgseg_model_info.model_sha256);
    ecgseg_put_text(answer, board_info()->name);
    ecgseg_put_text(answer, app_build_id);
    ecgseg_put_text(answer, ecgseg_model_info.model_name);
    ecgseg_put_text(answer, ecgseg_model_info.backend);
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t read_result(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    const uint8_t kind = ecgseg_get_u8(request);
    const uint32_t offset = ecgseg_get_u32(request);
    const uint16_t length = ecgseg_get_u16(request);
    if (kind > ECGSEG_READ_TRACE) {
        return ECGSEG_ERROR_BAD_ARGUMENT;
    }
    if (length > ECGSEG_LINK_PAYLOAD_MAX) {
        return ECGSEG_ERROR_OUT_OF_RANGE;
    }
    if (kind == ECGSEG_READ_MASK || kind == ECGSEG_READ_SEGMENTS) {
        return app_stream_read((ecgseg_read_kind_t)kind, offset, length, answer);
    }
    return app_model_read((ecgseg_read_kind_t)kind, offset, length, answer);
}

static ecgseg_link_error_t stats(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    const ecgseg_link_counters_t *link = &session.counters;
    const board_port_errors_t port = board_port_errors();
    const uint32_t values[] = {
        board_ticks(), board_stack_high_water(), link->frames,           link->answers,   link->repeats,
        link->bad_crc, link->bad_cobs,           link->oversized,        link->too_short, link->bad_version,
        link->stale,   port.rx_overruns,         port.rx_framing_errors, port.rx_breaks,  port.tx_timeouts,
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        ecgseg_put_u32(answer, values[i]);
    }
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t set_baud(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)answer;
    const uint32_t baud = ecgseg_get_u32(request);
    if (baud < ECGSEG_LINK_LOWEST_BAUD || baud > board_info()->max_baud) {
        return ECGSEG_ERROR_NOT_SUPPORTED;
    }
    app.wanted_baud = baud;
    app.baud_state = BAUD_REQUESTED;
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t set_clock(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    if (!board_set_core_hz(ecgseg_get_u32(request))) {
        return ECGSEG_ERROR_NOT_SUPPORTED;
    }
    ecgseg_put_u32(answer, board_info()->core_hz);
    ecgseg_put_u32(answer, board_info()->tick_hz);
    return ECGSEG_ERROR_OK;
}

static ecgseg_link_error_t restart(ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    (void)request;
    (void)answer;
    app.restart_requested = true;
    return ECGSEG_ERROR_OK;
}

/* The session has checked the command and the payload's limits (ecgseg_link_messages.def). */
static ecgseg_link_error_t handle(uint8_t command, ecgseg_reader_t *request, ecgseg_writer_t *answer)
{
    static const ecgseg_command_t commands[ECGSEG_COMMAND_END] = {
        [ECGSEG_COMMAND_HELLO] = hello,           [ECGSEG_COMMAND_RESET_STREAM] = app_stream_reset,
        [ECGSEG_COMMAND_PUSH] = app_stream_push,  [ECGSEG_COMMAND_FRAME] = app_stream_frame,
        [ECGSEG_COMMAND_READ] = read_result,      [ECGSEG_COMMAND_WRITE] = app_model_write,
        [ECGSEG_COMMAND_INFER] = app_model_infer, [ECGSEG_COMMAND_TRACE] = app_model_trace,
        [ECGSEG_COMMAND_LAYER] = app_model_layer, [ECGSEG_COMMAND_STATS] = stats,
        [ECGSEG_COMMAND_BENCH] = app_bench,       [ECGSEG_COMMAND_SET_BAUD] = set_baud,
        [ECGSEG_COMMAND_SET_CLOCK] = set_clock,   [ECGSEG_COMMAND_RESTART] = restart,
    };
    if (command >= ECGSEG_COMMAND_END || commands[command] == NULL) {
        return ECGSEG_ERROR_UNKNOWN_COMMAND;
    }
    return commands[command](request, answer);
}

void app_init(void)
{
    app.fault = board_take_fault();
    app.baud = ECGSEG_LINK_DEFAULT_BAUD;
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

void app_step(void)
{
    uint8_t chunk[64];
    board_feed_watchdog();
    const size_t count = board_port_read(chunk, sizeof chunk);
    if (count == 0) {
        if (idle_allowed()) {
            board_set_state(BOARD_STATE_IDLE);
            board_idle();
        }
        return;
    }
    board_set_state(BOARD_STATE_RECEIVE);
    for (size_t i = 0; i < count; i++) {
        if (ecgseg_session_receive(&session, chunk[i])) {
            do_deferred();
        }
    }
}
