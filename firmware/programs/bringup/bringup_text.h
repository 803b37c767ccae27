/* Lines of text: values out, numbers of a command in. */
#ifndef BRINGUP_TEXT_H
#define BRINGUP_TEXT_H

#include <stdint.h>

void put_text(const char *text);

/* One line name=value. */
void put_hex(const char *name, uint32_t value);
void put_decimal(const char *name, uint32_t value);

/* The number behind the command's word, 0 without one; as seconds it is limited. */
uint32_t argument(const char *line);
uint32_t limited_seconds(const char *line);

/* The line that ends an answer: a dot and the command's own number. */
void end_answer(const char *line);

#endif
