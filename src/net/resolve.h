/* Host names to addresses, off the loops: one thread of its own with c-ares asks, the answer
 * comes as a callback on the asking loop.
 *
 * The system's resolver configuration, search domains and /etc/hosts (or the file that the
 * environment variable CARES_HOSTS names) are honoured and looked at anew about once a minute;
 * "localhost" and the names under it are 127.0.0.1 and ::1, without asking. */
#ifndef FL_NET_RESOLVE_H
#define FL_NET_RESOLVE_H

#include "loop/loop.h"
#include "net/addr.h"

#define FL_RESOLVED_MAX 16

/* In a fixed order (IPv4 before IPv6, then by address), so that the same set of addresses gives
 * the same list however the name server turns it round. Of more than FL_RESOLVED_MAX these are
 * the first. */
struct fl_resolved {
	struct fl_addr addr[FL_RESOLVED_MAX];
	size_t count; /* at least 1 */
	unsigned ttl; /* seconds until it is worth asking again: 1..3600 */
};

struct fl_resolver_options {
	const char *servers;  /* "10.0.0.1,10.0.0.2:53"; NULL: the system's */
	unsigned timeout_ms;  /* of the first try with one server; 0: 2000 */
	unsigned tries;       /* 0: 2 */
	unsigned deadline_ms; /* after which one that was asked has failed, in any case; 0:
				 10000 */
};

struct fl_resolver;
struct fl_query;

/* Starts the thread. FL_ENOMEM, FL_ELIMIT (no thread, no descriptor); FL_EINVAL: servers.
 * `options` may be NULL. */
int fl_resolver_new(struct fl_resolver **out, const struct fl_resolver_options *options);

/* Stops the thread and waits for it, a few milliseconds. Questions that were neither answered
 * nor cancelled fail: their callbacks still come, so their loops must exist. NULL is fine.
 * Nobody may be inside fl_resolver_ask. */
void fl_resolver_free(struct fl_resolver *resolver);

/* Asks for the addresses of `host` (copied), each with `port`. On the loop's thread; never
 * blocks. `done` is called later on that thread, once: with a result that is valid during the
 * call, or with NULL and a text that says why not. 64 questions are with the name servers at a time,
 * the others wait for their turn. *out (may be NULL) is for fl_query_cancel and
 * is gone once `done` was called. FL_EINVAL: no host name; FL_ELIMIT: 4096 questions are open;
 * FL_ENOMEM. */
int fl_resolver_ask(struct fl_query **out, struct fl_resolver *resolver, struct fl_loop *loop,
	const char *host, uint16_t port, void *cookie,
	void (*done)(void *cookie, const struct fl_resolved *result, const char *error));

/* `done` does not come any more. On the loop's thread. NULL is fine. When the answer is on its
 * way already the query is freed by a task of that loop, else by the resolver; fl_resolver_free
 * and then one turn of the loop leave nothing behind. */
void fl_query_cancel(struct fl_query *query);

#endif
