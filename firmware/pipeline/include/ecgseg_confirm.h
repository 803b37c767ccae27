/* Whether beats are sure: those that wait confirm each other, and one of a confirmed rhythm is doubtful. Not for
 * callers of events.
 *
 * Equal to host/ecgseg/pipeline/confirmation.py.
 */
#ifndef ECGSEG_CONFIRM_H
#define ECGSEG_CONFIRM_H

#include "ecgseg_events.h"

/* The newest of the beats that are held are as those of a rhythm that is known, or have P waves, as far in front, or
 * have T waves and come regularly, or look alike and may be of one rhythm, or are as long; if they come slowly they
 * are steady too. */
bool ecgseg_confirm_held(const ecgseg_events_t *s);

/* True when the newest event is a beat that is not as high as those of the rhythm that is known, not at a regular
 * interval, that might be an artefact and has no P or no T wave; in noise one not as high or not at its interval. */
bool ecgseg_confirm_is_doubtful(const ecgseg_events_t *s, uint8_t sureness);

#endif
