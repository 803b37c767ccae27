/* BENCH: how long parts of the work take when they are repeated. */
#ifndef APP_BENCH_H
#define APP_BENCH_H

#include "ecgseg_bytes.h"
#include "ecgseg_protocol.h"

ecgseg_link_error_t app_bench(ecgseg_reader_t *request, ecgseg_writer_t *answer);

#endif
