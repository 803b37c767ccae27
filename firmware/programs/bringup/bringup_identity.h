/* What the part is, what the boot chain left, and what came through the last reset. */
#ifndef BRINGUP_IDENTITY_H
#define BRINGUP_IDENTITY_H

/* First of all: before anything else of this image runs. */
void note_entry(void);

/* Commands. The last one ends its answer itself and does not return. */
void identify(const char *line);
void main_pointer(const char *line);
void retain_and_reset(const char *line);

#endif
