/* Results of equal length that wait until the host has acknowledged them, in a ring of the caller's. Reading them again
 * gives the same bytes, and nothing is written over what waits. */
#ifndef APP_RESULTS_H
#define APP_RESULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "ecgseg_bytes.h"

typedef struct {
    uint8_t *ring;         /* [room * bytes] */
    uint32_t room;         /* results; divides 2^32 */
    uint32_t bytes;        /* of a result */
    uint32_t made;         /* since the start, modulo 2^32 */
    uint32_t acknowledged; /* of those that were made */
    uint32_t crc;          /* of all that are acknowledged */
} app_results_t;

/* Results that can be added before the host acknowledges some. */
uint32_t app_results_free(const app_results_t *results);

/* Adds a result; there must be room. */
void app_results_add(app_results_t *results, const uint8_t *result);

/* Forgets the results before `first`; false when that one is not among those that wait, nor the next one to come. */
bool app_results_acknowledge(app_results_t *results, uint32_t first);

/* How many of the oldest results may be put: as many as wait, are wanted, and fit into so many bytes. */
uint32_t app_results_count(const app_results_t *results, uint32_t most, size_t room);

/* CRC of all results since the start up to the last of the oldest `count`. */
uint32_t app_results_crc(const app_results_t *results, uint32_t count);

/* Writes the oldest `count`. */
void app_results_put(const app_results_t *results, uint32_t count, ecgseg_writer_t *answer);

#endif
