/* Active health checks of one pool, on the control loop.
 *
 * Every node that is built (enabled or draining) is probed on a connection of its own:
 * `rise` successes in a row bring it up, `fall` failures in a row take it down; the outcome goes
 * to the pool. First probes are spread over the interval by the node's name, so that neither a
 * start nor a reload makes all of them at once, and at most 256 run at a time, others wait.
 *
 * A node that live traffic ejected is probed at once and comes back after `rise` successes (or
 * goes down after `fall` failures); without active checks it comes back after eject_ms.
 *
 * Control thread only. */
#ifndef FL_HEALTH_HEALTH_H
#define FL_HEALTH_HEALTH_H

#include "health/options.h"
#include "loop/loop.h"
#include "net/addr.h"
#include "pool/pool.h"

struct fl_health;

struct fl_health_hooks {
	void *cookie;
	/* Where a member is reached now; negative while it is not known (which counts as a
	 * failed probe). NULL: member->address is parsed as a literal address. */
	int (*address)(void *cookie, const struct fl_member *member, struct fl_addr *out);
	/* After each change that the checks made, for the log. Ejections are reported by who
	 * ejects. NULL is fine. May call any function of this header but fl_health_free. */
	void (*on_change)(void *cookie, const char *pool, const char *node,
		enum fl_health_state from, enum fl_health_state to, const char *why);
};

/* Begins to check the nodes of `pool` (a reference is kept). `conf` is copied; NULL is as kind
 * NONE. 0, or FL_ENOMEM. */
int fl_health_new(struct fl_health **out, struct fl_loop *loop, struct fl_pool *pool,
	const struct fl_health_conf *conf, uint64_t eject_ms,
	const struct fl_health_hooks *hooks);

/* To be called after every view that the pool published (also from a subscriber, and for the
 * views that the checks themselves caused). The work is done on a later turn, once for any
 * number of calls: checks of nodes that are gone end, new ones begin, those of nodes that stay
 * keep their counts unless the address changed. O(n log n). */
void fl_health_sync(struct fl_health *h);

/* Another configuration: what is the same goes on as it was; what differs begins anew, states
 * being kept. Without active checks, nodes that were down come up. `eject_ms` counts from the
 * next ejection on. 0, or FL_ENOMEM and nothing has changed. */
int fl_health_reconfigure(
	struct fl_health *h, const struct fl_health_conf *conf, uint64_t eject_ms);

/* Ends every check; the pool keeps the states. Sockets are closed by the loop a little later.
 * NULL is fine. */
void fl_health_free(struct fl_health *h);

#endif
