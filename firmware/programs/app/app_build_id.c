#include "app.h"

/* Given by the build, in a file of its own so that nothing else has to be compiled again when it changes. */
const char app_build_id[] = ECGSEG_BUILD_ID;
