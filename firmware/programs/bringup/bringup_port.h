/* The port at other rates, and bytes that come back. */
#ifndef BRINGUP_PORT_H
#define BRINGUP_PORT_H

/* A command has been obeyed: the port works at its rate. */
void note_command(void);

/* Whenever there is nothing to do. */
void end_baud_trial(void);

/* Commands. set_baud ends its answer itself. */
void set_baud(const char *line);
void echo(const char *line);

#endif
