#include "app.h"
#include "board.h"
#include "ecgseg_protocol.h"

int main(void)
{
    while (!board_init(ECGSEG_LINK_DEFAULT_BAUD)) {
        /* The hardware is not what the image expects. Without a port nobody can be told; the board shows what it
         * can. */
        board_idle();
    }
    app_init();
    for (;;) {
        app_step();
    }
}
