/* Where the board goes on after a restart. */
#ifndef FUZZ_BOARD_H
#define FUZZ_BOARD_H

#include <setjmp.h>

extern jmp_buf fuzz_restart;

#endif
