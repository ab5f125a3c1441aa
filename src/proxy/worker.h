/* Inside the proxy: what a worker has, shared by its sessions and exchanges. Private to proxy/.
 *
 * A worker is one thread with one loop. Nothing here is locked: what belongs to a worker is
 * touched by its thread alone, what is shared is immutable (conf, views) or a statistic that
 * this worker alone writes. */
#ifndef FL_PROXY_WORKER_H
#define FL_PROXY_WORKER_H

#include "base/list.h"
#include "client/origin.h"
#include "obs/access.h"
#include "obs/counters.h"
#include "proto/http1.h"
#include "proxy/proxy.h"
#include "proxy/report.h"
#include "snap/snap.h"

#include <pthread.h>

/* A node of a pool in one worker. */
struct fl_wnode {
	struct fl_member *member;
	struct fl_origin *origin; /* NULL: its address is not known (yet) */
	struct fl_node_stats *stats;
	unsigned refs;
	unsigned fails; /* in a row */
	uint64_t
		reported; /* epoch of the view in which its failing was told to the control thread */
};

/* A pool in one worker. */
struct fl_wpool {
	struct fl_worker *worker;
	struct fl_pool *pool;
	struct fl_proxy_conf *conf; /* what `forward` is part of */
	const struct fl_forward_conf *forward;
	struct fl_snap_reader reader;
	uint64_t epoch; /* of the view that `nodes` was made for */
	struct fl_wnode *
		*nodes; /* hash table by member id, a power of two, half full at most */
	size_t mask;
	unsigned refs;
};

struct fl_wlistener {
	struct fl_link link;
	struct fl_worker *worker;
	struct fl_listener *listener;
	char *name, *bind;
	int index;     /* in the conf; -1: gone from it */
	unsigned refs; /* the worker's, and one of each session that came by it */
};

struct fl_worker {
	unsigned index;
	struct fl_proxy *proxy;
	struct fl_loop *loop;
	pthread_t thread;
	struct fl_proxy_conf *conf;
	struct fl_wpool **pools; /* [conf->pool_count] */
	struct fl_link listeners;
	struct fl_link sessions;
	size_t session_count;
	struct fl_access *access;
	struct fl_timer flush;
	bool draining;
	bool ended;
	bool stopping;
	struct fl_timer drain;
	struct fl_counters *counters; /* this worker's block */
	_Atomic uint64_t open;        /* sessions, for others to read */
	uint64_t random;              /* state of a generator, for no_key: random */
	struct fl_http1_head head;    /* scratch: valid from a parse until the next callback */
	struct fl_link spare;         /* exchanges for reuse */
	unsigned spare_count;
	bool no_spare; /* the loop is about to go: keep none */
	struct fl_http1_limits limits;
	/* messages from the control thread, each its own task */
	atomic_bool reopening;
	struct fl_task drain_task, reopen_task, stop_task;
};

static inline void fl_stat_add(_Atomic uint64_t *stat, uint64_t n)
{
	/* One writer: a load and a store, no locked instruction. */
	atomic_store_explicit(stat, atomic_load_explicit(stat, memory_order_relaxed) + n,
		memory_order_relaxed);
}

/* ---- record.c ---- */

struct fl_exchange;
struct fl_session;

/* One record of an exchange in the access log and the counters; `error` says what went wrong, or
 * is NULL. Once an exchange. */
void fl_record_exchange(struct fl_exchange *ex, const char *error);

/* The same of an answer of our own without an exchange; `head` is NULL when it was malformed. */
void fl_record_own(
	struct fl_session *s, const struct fl_http1_head *head, int status, const char *error);

/* ---- proxy.c ---- */

struct fl_proxy_options *fl_proxy_options(struct fl_proxy *proxy);

/* The block of worker `index`. */
struct fl_counters *fl_proxy_counters(struct fl_proxy *proxy, unsigned index);

struct fl_reports *fl_proxy_reports(struct fl_proxy *proxy);

/* The last session of a draining worker has ended. The worker's thread. */
void fl_proxy_worker_drained(struct fl_proxy *proxy);

/* ---- worker.c ---- */

int fl_worker_init(struct fl_worker *w, struct fl_proxy *proxy, unsigned index);
void fl_worker_drain(struct fl_worker *w);
void fl_worker_stop(struct fl_worker *w);
void fl_worker_fini(struct fl_worker *w);

/* Applies worker->conf's successor, on the worker's thread. */
void fl_worker_configure(struct fl_worker *w, struct fl_proxy_conf *conf);

void fl_wlistener_unref(struct fl_wlistener *l);

/* A session ended; a draining worker may be done with that. */
void fl_worker_session_ended(struct fl_worker *w);

/* ---- wpool.c ---- */

struct fl_wpool *fl_wpool_new(struct fl_worker *w, struct fl_pool *pool);
void fl_wpool_configure(
	struct fl_wpool *p, struct fl_proxy_conf *conf, const struct fl_forward_conf *forward);
struct fl_wpool *fl_wpool_ref(struct fl_wpool *p);
void fl_wpool_unref(struct fl_wpool *p); /* NULL is fine */

/* The pool left the conf: idle connections are closed; requests under way go on. */
void fl_wpool_retire(struct fl_wpool *p);

/* The current view, with `nodes` made to fit it. Borrowed until the next call. */
const struct fl_view *fl_wpool_view(struct fl_wpool *p);

/* This worker's node for a member of the current view. */
struct fl_wnode *fl_wpool_node(struct fl_wpool *p, const struct fl_member *member);

void fl_wnode_ref(struct fl_wnode *n);
void fl_wnode_unref(struct fl_wnode *n); /* NULL is fine */

/* An attempt on the node failed in a way that speaks against the node: counts it, and tells the
 * control thread when they are too many in a row. */
void fl_wnode_failed(struct fl_wpool *p, struct fl_wnode *n, const char *why);

#endif
