/* A node as one worker sees it: its address and the connections kept to it.
 *
 * Connections are taken most recently used first and kept for a while when they come back, so
 * that requests reuse them. Everything here belongs to the worker's loop thread; nothing is
 * shared between workers but the statistics, which this worker alone writes. */
#ifndef FL_CLIENT_ORIGIN_H
#define FL_CLIENT_ORIGIN_H

#include "base/list.h"
#include "loop/loop.h"
#include "net/addr.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fl_origin_options {
	uint64_t keepalive_ms; /* an idle connection is closed after so long */
	unsigned keepalive;    /* idle connections kept at most */
};

struct fl_origin {
	struct fl_loop *loop;
	struct fl_addr addr;
	struct fl_origin_options options;
	_Atomic uint64_t
		*connections; /* open ones, counted for others to read; `owner` has it */
	void *owner;
	void (*release)(void *owner);
	unsigned refs;
	unsigned idle_count;
	struct fl_link idle; /* most recently used first */
	struct fl_timer sweep;
	bool retired;
};

struct fl_conn {
	struct fl_link link;
	struct fl_origin *origin;
	struct fl_stream *stream;
	uint64_t idle_since; /* ms */
	bool reused;         /* carried a request before this one */
};

/* One reference, the caller's. `connections` is part of something that `owner` keeps alive; with
 * the last reference to the origin, which the last connection may hold, `release` is called on it.
 * NULL without memory, and then `release` is not called. */
struct fl_origin *fl_origin_new(struct fl_loop *loop, const struct fl_addr *addr,
	const struct fl_origin_options *options, _Atomic uint64_t *connections, void *owner,
	void (*release)(void *owner));
struct fl_origin *fl_origin_ref(struct fl_origin *o);
void fl_origin_unref(struct fl_origin *o);

/* The node is gone or its address changed: closes idle connections, keeps no more. */
void fl_origin_retire(struct fl_origin *o);

/* An idle connection that is fit to be used, or NULL. Its cookie is set to `cookie`. */
struct fl_conn *fl_origin_take(struct fl_origin *o, void *cookie);

/* A new connection; on_connect as in fl_stream_connect. NULL when it failed at once, *error
 * then holds a negative errno. */
struct fl_conn *fl_origin_connect(struct fl_origin *o, void *cookie,
	void (*on_connect)(void *cookie, int result), int *error);

/* Gives a connection back for reuse: its answer was read to the end and it may live on. */
void fl_conn_keep(struct fl_conn *c);

/* Ends a connection. on_closed (may be NULL) runs with `cookie` once the loop uses neither the
 * descriptor nor bytes that were being sent. */
void fl_conn_close(
	struct fl_conn *c, bool reset, void *cookie, void (*on_closed)(void *cookie));

#endif
