/* Key expansion and one block of AES-128: the example of FIPS 197, appendix C.1. */
#include "witness.h"

#include <string.h>

void AES_128_keyschedule(const uint8_t *key, uint8_t *round_keys);
void AES_128_encrypt(const uint8_t *round_keys, const uint8_t *in, uint8_t *out);

static const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const uint8_t cipher[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30,
                                   0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};

bool witness_run(void)
{
    static uint8_t __attribute__((aligned(4))) round_keys[11 * 16], in[16], out[16];
    for (uint32_t i = 0; i < sizeof in; i++) {
        in[i] = (uint8_t)(0x11u * i);
    }
    (void)memcpy(round_keys, key, sizeof key);
    uint32_t start = witness_now();
    AES_128_keyschedule(key, round_keys + sizeof key);
    uint32_t end = witness_now();
    witness_tell(end - start);
    start = witness_now();
    AES_128_encrypt(round_keys, in, out);
    end = witness_now();
    witness_tell(end - start);
    return memcmp(out, cipher, sizeof cipher) == 0;
}
