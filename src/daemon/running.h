/* The pools of a running process: each pool with its health checks and the addresses its node
 * names resolve to. One control thread. */
#ifndef FL_DAEMON_RUNNING_H
#define FL_DAEMON_RUNNING_H

#include "daemon/config.h"
#include "health/health.h"
#include "loop/loop.h"

struct fl_running;

/* `workers`: stats cells a node. NULL without memory. */
struct fl_running *fl_running_new(struct fl_loop *loop, unsigned workers);

/* Makes the running pools what `config` says; those of the same name stay the same objects.
 * `config` must stay until the next call or the end. 0, or a negative FL_E* with *err; the pools
 * before the one that failed have then been changed already (memory is the only reason left,
 * because the file was checked). */
int fl_running_apply(
	struct fl_running *running, const struct fl_config *config, struct fl_error *err);

size_t fl_running_count(const struct fl_running *running);
struct fl_pool *fl_running_pool(const struct fl_running *running, size_t i);

/* Live traffic found a node failing: it is ejected, unless it is the last. */
void fl_running_failing(
	struct fl_running *running, struct fl_pool *pool, const char *node, const char *why);

/* Stops probes and look-ups; what is still with the loop ends on later turns. */
void fl_running_stop(struct fl_running *running);
void fl_running_free(struct fl_running *running); /* after the loop; NULL is fine */

#endif
