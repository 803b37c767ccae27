/* What docs/architecture.md says of memory, section 11; for a Cortex-M4 at 500 Hz. */
#include "ecgseg_delineator.h"

_Static_assert(sizeof(ecgseg_events_t) == 816, "events");
_Static_assert(sizeof(ecgseg_delineator_t) == 2568, "a delineator without its network");
_Static_assert(ECGSEG_DELINEATOR_SCORE_BYTES == 512, "scores");
