/* Between the fuzzer's bytes and the application: how they are read, and the board that they come in through.
 *
 * An input is a list of records: kind (modulo FUZZ_KINDS), length of the content in two bytes, lowest first, content.
 * So any bytes are an input, and what the fuzzer changes inside a request reaches the handler, because the frame around
 * it is made here. host/ecgseg/fuzz/records.py writes the same. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FUZZ_HEADER_BYTES 3u
#define FUZZ_RECORDS_MAX 64u

typedef enum {
    FUZZ_RAW = 0,     /* bytes as they come off the wire */
    FUZZ_REQUEST = 1, /* command, step of the sequence number, payload: sent as a good frame */
    FUZZ_SAMPLES = 2, /* count in two bytes, seed: a PUSH of made-up samples where the stream expects them */
    FUZZ_AGAIN = 3,   /* the frame before this once more; place in two bytes, and bits to change there */
    FUZZ_KINDS = 4
} fuzz_kind_t;

typedef struct {
    fuzz_kind_t kind;
    const uint8_t *content;
    size_t length;
} fuzz_record_t;

/* Takes the first record off; false at the end. A length beyond the end ends there. */
bool fuzz_next(const uint8_t **data, size_t *size, fuzz_record_t *record);

/* The bytes that the port gives from now on; they stay where they are. */
void fuzz_port_fill(const uint8_t *bytes, size_t length);
bool fuzz_port_is_empty(void);

/* The sample that the stream expects next, as the last answer told. */
uint32_t fuzz_samples_seen(void);

#endif
