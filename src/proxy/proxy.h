/* The HTTP reverse proxy: worker threads, each with its own loop, listeners and connections to
 * nodes. Everything here is called on the control thread. */
#ifndef FL_PROXY_PROXY_H
#define FL_PROXY_PROXY_H

#include "loop/loop.h"
#include "obs/counters.h"
#include "pool/pool.h"
#include "proxy/options.h"

#include <stdatomic.h>

#define FL_MAX_WORKERS 64

struct fl_routes;

struct fl_proxy_listener {
	const char *name;
	const char *bind;
	/* [workers]: a listening socket for each worker, which owns it from then on; NULL when the
	 * workers have sockets for this name and bind already. */
	int *fds;
};

struct fl_proxy_pool {
	struct fl_pool *pool;
	struct fl_forward_conf forward;
};

/* What the workers go by: immutable once given to them, shared, counted. */
struct fl_proxy_conf {
	atomic_uint refs;
	struct fl_client_conf client;
	struct fl_routes *routes;
	struct fl_proxy_listener *listeners;
	size_t listener_count;
	struct fl_proxy_pool *pools;
	size_t pool_count;
	void *owner; /* what strings are borrowed from; `release` ends it with the conf */
	void (*release)(void *owner);
};

/* Frees arrays, routes, pool references and the owner when the last reference ends. */
void fl_proxy_conf_unref(struct fl_proxy_conf *conf);

struct fl_proxy_options {
	unsigned workers; /* 1..FL_MAX_WORKERS */
	enum fl_loop_backend backend;
	struct fl_loop *control; /* the callbacks below run on it */
	void *cookie;
	/* Live traffic found the node refusing or resetting. The pool is referenced during the
	 * call; the name lives as long. */
	void (*on_failing)(
		void *cookie, struct fl_pool *pool, const char *node, const char *why);
	/* Every worker has ended after fl_proxy_drain. */
	void (*on_drained)(void *cookie);
	const char *access; /* access log: NULL: none; "-": standard output; else a path */
	bool access_json;
};

struct fl_proxy;

/* Starts the workers on `conf` (they take references of their own). On failure nothing runs. */
int fl_proxy_new(struct fl_proxy **out, const struct fl_proxy_options *options,
	struct fl_proxy_conf *conf, struct fl_error *err);

/* Hands the workers a new conf: requests under way go on as they began, connections stay open,
 * listeners that are not in it any more are closed. The workers take references of their own. */
void fl_proxy_reconfigure(struct fl_proxy *proxy, struct fl_proxy_conf *conf);

/* Opens the access log anew (it was renamed). */
void fl_proxy_reopen_logs(struct fl_proxy *proxy);

/* Accepts no more, lets requests under way finish for at most `client.drain_ms`, then on_drained.
 * A second call does nothing. */
void fl_proxy_drain(struct fl_proxy *proxy);

/* Ends at once whatever still runs, and waits for the threads; afterwards no callback comes. What
 * the workers still had to tell frees itself when the control loop runs. NULL is fine. */
void fl_proxy_free(struct fl_proxy *proxy);

/* A counter over all workers, and the client connections that are open now. Any thread. */
uint64_t fl_proxy_count(const struct fl_proxy *proxy, enum fl_counter id);
uint64_t fl_proxy_open(const struct fl_proxy *proxy);

#endif
