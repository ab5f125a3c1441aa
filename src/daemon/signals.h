/* Signals as messages: a small thread waits for them and tells the control loop, so that no
 * code runs in a signal handler. */
#ifndef FL_DAEMON_SIGNALS_H
#define FL_DAEMON_SIGNALS_H

#include "loop/loop.h"

struct fl_signals;

/* Blocks SIGHUP, SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 in the calling thread, and so in every
 * thread that it starts from now on, and ignores SIGPIPE; call it before other threads start.
 * on_signal runs on the loop's thread. 0 or a negative errno. */
int fl_signals_new(struct fl_signals **out, struct fl_loop *loop,
	void (*on_signal)(void *cookie, int signal), void *cookie);

/* No callback comes after this. NULL is fine. */
void fl_signals_free(struct fl_signals *signals);

#endif
