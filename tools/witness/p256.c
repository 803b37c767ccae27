/* Keys, a signature, its check and a shared secret on the curve P-256. */
#include "witness.h"

#include <string.h>

#include "p256-cortex-m4.h"

typedef struct {
    uint32_t x[8], y[8], secret[8];
} pair_t;

static const uint32_t secrets[2][8] = {
    {0x12345678u, 0x9abcdef0u, 0x0f1e2d3cu, 0x4b5a6978u, 0x8796a5b4u, 0xc3d2e1f0u, 0x55aa55aau, 0x13579bdfu},
    {0xfedcba98u, 0x76543210u, 0xdeadbeefu, 0x01020304u, 0x0a0b0c0du, 0x99887766u, 0x11223344u, 0x2468ace0u}};
static const uint32_t nonce[8] = {0x31415926u, 0x53589793u, 0x23846264u, 0x33832795u,
                                  0x02884197u, 0x16939937u, 0x51058209u, 0x74944592u};

static pair_t mine, other;
static uint8_t hash[32], secret[2][32];
static uint32_t r[8], s[8];

static bool make(pair_t *pair, const uint32_t *chosen)
{
    (void)memcpy(pair->secret, chosen, sizeof pair->secret);
    const uint32_t start = witness_now();
    const bool good = p256_keygen(pair->x, pair->y, pair->secret);
    const uint32_t end = witness_now();
    if (pair == &mine) {
        witness_tell(end - start);
    }
    return good;
}

static bool sign_and_verify(void)
{
    for (uint32_t i = 0; i < sizeof hash; i++) {
        hash[i] = (uint8_t)(37u * i + 11u);
    }
    uint32_t start = witness_now();
    const bool is_signed = p256_sign(r, s, hash, sizeof hash, mine.secret, nonce);
    uint32_t end = witness_now();
    witness_tell(end - start);
    start = witness_now();
    const bool holds = p256_verify(mine.x, mine.y, hash, sizeof hash, r, s);
    end = witness_now();
    witness_tell(end - start);
    return is_signed && holds;
}

static bool agree(void)
{
    const uint32_t start = witness_now();
    const bool here = p256_ecdh_calc_shared_secret(secret[0], mine.secret, other.x, other.y);
    const uint32_t end = witness_now();
    witness_tell(end - start);
    const bool there = p256_ecdh_calc_shared_secret(secret[1], other.secret, mine.x, mine.y);
    return here && there && memcmp(secret[0], secret[1], sizeof secret[0]) == 0;
}

static bool decompress(void)
{
    uint8_t octets[33];
    uint32_t x[8], y[8];
    p256_point_to_octet_string_compressed(octets, mine.x, mine.y);
    const uint32_t start = witness_now();
    const bool good = p256_octet_string_to_point(x, y, octets, sizeof octets);
    const uint32_t end = witness_now();
    witness_tell(end - start);
    return good && memcmp(x, mine.x, sizeof x) == 0 && memcmp(y, mine.y, sizeof y) == 0;
}

bool witness_run(void)
{
    return make(&mine, secrets[0]) && make(&other, secrets[1]) && sign_and_verify() && agree() && decompress();
}
