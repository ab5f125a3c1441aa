/* One health probe: a connection, perhaps a request and its answer, a verdict. */
#ifndef FL_HEALTH_PROBE_H
#define FL_HEALTH_PROBE_H

#include "health/options.h"
#include "loop/loop.h"
#include "net/addr.h"

struct fl_probe;

/* Begins a probe by conf->kind (not NONE). `host` is for the Host field. `done` is called once,
 * on a later turn and within conf->timeout_ms, unless the probe is cancelled; `why` says in a
 * few words what went wrong or well, and lives as long as the call. Nothing of the arguments is
 * used after this call. 0 or a negative errno: then `done` is not called. */
int fl_probe_start(struct fl_probe **out, struct fl_loop *loop, const struct fl_addr *addr,
	const struct fl_health_conf *conf, const char *host,
	void (*done)(void *cookie, bool ok, const char *why), void *cookie);

/* No callback any more. Not after `done`. */
void fl_probe_cancel(struct fl_probe *probe);

#endif
