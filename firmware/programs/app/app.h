/* The application: requests from the board's port to the preprocessor and the model, answers back. */
#ifndef APP_H
#define APP_H

/* Build id, compiled in by the build: hash over sources, flags and generated code. */
extern const char app_build_id[];

/* Starts session, stream and model; again starts them anew. The board has been started. */
void app_init(void);

/* Handles what the port has, or sleeps until there may be something. */
void app_step(void);

#endif
