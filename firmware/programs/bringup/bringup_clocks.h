/* Clocks against each other, and the crystal as an alarm clock. */
#ifndef BRINGUP_CLOCKS_H
#define BRINGUP_CLOCKS_H

#include <stdint.h>

#define CRYSTAL_HZ 32768u /* [5.1] of docs/apollo4p-facts.md */

/* Commands. */
void cycle_counter(const char *line);
void crystal(const char *line);
void set_clock(const char *line);

/* Between start and stop, with interrupts locked, nap() sleeps for so many ticks of the crystal. */
void alarm_start(void);
void alarm_stop(void);
void nap(uint32_t crystal_ticks);

#endif
