/* Runs the mix of instructions that tells whether the timing model has changed. */
#include "witness.h"

uint32_t witness_mix(void);

bool witness_run(void)
{
    witness_tell(witness_mix());
    return true;
}
