/* Key expansion and 4096 bytes of AES in counter mode. Names of the functions, bytes of the key and of its round keys,
 * and where the expansion writes to are given with -D.
 */
#include "witness.h"

#include <string.h>

#define BLOCKS 256u

typedef struct {
    uint32_t counter[4]; /* and nonce: one implementation counts in the first word, another in the last */
    uint8_t round_keys[WITNESS_ROUND_KEY_BYTES];
} parameters_t;

void WITNESS_EXPAND(const uint8_t *key, uint8_t *round_keys);
void WITNESS_ENCRYPT(const parameters_t *parameters, const uint8_t *in, uint8_t *out, uint32_t bytes);

static uint8_t __attribute__((aligned(4))) plain[16u * BLOCKS], cipher[16u * BLOCKS], again[16u * BLOCKS];
static parameters_t parameters;

static uint32_t encrypt(const uint8_t *in, uint8_t *out)
{
    (void)memset(parameters.counter, 0, sizeof parameters.counter);
    const uint32_t start = witness_now();
    WITNESS_ENCRYPT(&parameters, in, out, 16u * BLOCKS);
    const uint32_t end = witness_now();
    return end - start;
}

static bool changed_everywhere(void)
{
    for (uint32_t block = 0; block < BLOCKS; block++) {
        if (memcmp(&plain[16u * block], &cipher[16u * block], 16) == 0) {
            return false;
        }
    }
    return true;
}

bool witness_run(void)
{
    static uint8_t __attribute__((aligned(4))) key[WITNESS_KEY_BYTES];
    for (uint32_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)i;
    }
    for (uint32_t i = 0; i < sizeof plain; i++) {
        plain[i] = (uint8_t)(i * 7u);
    }
    (void)memcpy(parameters.round_keys, key, sizeof key);
    const uint32_t start = witness_now();
    WITNESS_EXPAND(key, parameters.round_keys + WITNESS_EXPAND_AT);
    const uint32_t end = witness_now();
    witness_tell(end - start);
    witness_tell(encrypt(plain, cipher));
    (void)encrypt(cipher, again);
    return memcmp(plain, again, sizeof plain) == 0 && changed_everywhere();
}
