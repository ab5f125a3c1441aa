/* `fairlead serve`: the whole process. Supervises the pools, their health, the workers and the
 * admin socket from one control thread; reloads on SIGHUP, drains on SIGTERM and SIGINT.
 *
 * A reload is a difference applied inside the running process: nodes that stay keep their slots,
 * health and connections, listeners that stay keep their sockets. A file with errors changes
 * nothing. */
#ifndef FL_DAEMON_SERVE_H
#define FL_DAEMON_SERVE_H

/* Serves by the configuration at `path` until a signal ends it. Returns the exit status:
 * 0 after a drain, 1 when it could not start, 2 when the file has errors (they are on stderr). */
int fl_serve(const char *path);

#endif
