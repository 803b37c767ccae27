#include "app_results.h"

#include <string.h>

#include "ecgseg_link.h"

static uint8_t *place(const app_results_t *results, uint32_t number)
{
    return &results->ring[(number % results->room) * results->bytes];
}

uint32_t app_results_free(const app_results_t *results)
{
    return results->room - (results->made - results->acknowledged);
}

void app_results_add(app_results_t *results, const uint8_t *result)
{
    (void)memcpy(place(results, results->made), result, results->bytes);
    results->made++;
}

bool app_results_acknowledge(app_results_t *results, uint32_t first)
{
    const uint32_t known = first - results->acknowledged;
    if (known > results->made - results->acknowledged) {
        return false;
    }
    results->crc = app_results_crc(results, known);
    results->acknowledged = first;
    return true;
}

uint32_t app_results_count(const app_results_t *results, uint32_t most, size_t room)
{
    const uint32_t waiting = results->made - results->acknowledged;
    const uint32_t fitting = (uint32_t)room / results->bytes;
    const uint32_t wanted = most < waiting ? most : waiting;
    return wanted < fitting ? wanted : fitting;
}

uint32_t app_results_crc(const app_results_t *results, uint32_t count)
{
    uint32_t crc = results->crc;
    for (uint32_t n = 0; n < count; n++) {
        crc = ecgseg_crc32(crc, place(results, results->acknowledged + n), results->bytes);
    }
    return crc;
}

void app_results_put(const app_results_t *results, uint32_t count, ecgseg_writer_t *answer)
{
    for (uint32_t n = 0; n < count; n++) {
        ecgseg_put_bytes(answer, place(results, results->acknowledged + n), results->bytes);
    }
}
