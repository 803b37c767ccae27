/* Something for the eye and for a current meter: pads, LEDs, a busy core, a sleeping one. */
#ifndef BRINGUP_POWER_H
#define BRINGUP_POWER_H

/* Commands. */
void walk_pads(const char *line);
void busy(const char *line);
void sleep_lightly(const char *line);
void sleep_deeply(const char *line);

#endif
