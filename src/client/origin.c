#include "client/origin.h"

#include "base/assert.h"
#include "net/listen.h"

#include <errno.h>
#include <stdlib.h>

static void count(struct fl_origin *o, uint64_t change)
{
	uint64_t now = atomic_load_explicit(o->connections, memory_order_relaxed);

	/* This worker is the only writer, so load and store need not be one step. */
	atomic_store_explicit(o->connections, now + change, memory_order_relaxed);
}

static void drop_idle(struct fl_conn *c)
{
	fl_list_remove(&c->link);
	c->origin->idle_count--;
	fl_conn_close(c, false, NULL, NULL);
}

/* Closes what has been idle too long; the oldest stand at the back. */
static void sweep(void *cookie)
{
	struct fl_origin *o = cookie;
	uint64_t now = fl_loop_now(o->loop);

	while (!fl_list_empty(&o->idle)) {
		struct fl_conn *oldest = fl_container_of(o->idle.prev, struct fl_conn, link);
		uint64_t due = oldest->idle_since + o->options.keepalive_ms;
		if (due > now) {
			fl_timer_set(o->loop, &o->sweep, due - now);
			return;
		}
		drop_idle(oldest);
	}
}

struct fl_origin *fl_origin_new(struct fl_loop *loop, const struct fl_addr *addr,
	const struct fl_origin_options *options, _Atomic uint64_t *connections, void *owner,
	void (*release)(void *owner))
{
	struct fl_origin *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->loop = loop;
	o->addr = *addr;
	o->options = *options;
	o->connections = connections;
	o->owner = owner;
	o->release = release;
	o->refs = 1;
	fl_list_init(&o->idle);
	fl_timer_init(&o->sweep, sweep, o);
	return o;
}

struct fl_origin *fl_origin_ref(struct fl_origin *o)
{
	o->refs++;
	return o;
}

void fl_origin_unref(struct fl_origin *o)
{
	FL_ASSERT(o->refs > 0);
	if (--o->refs)
		return;
	FL_ASSERT(fl_list_empty(&o->idle));
	fl_timer_cancel(&o->sweep);
	o->release(o->owner);
	free(o);
}

void fl_origin_retire(struct fl_origin *o)
{
	/* Each idle connection holds a reference; the last one must not end under our feet. */
	fl_origin_ref(o);
	o->retired = true;
	while (!fl_list_empty(&o->idle))
		drop_idle(fl_container_of(o->idle.next, struct fl_conn, link));
	fl_timer_cancel(&o->sweep);
	fl_origin_unref(o);
}

/* A node must not speak on an idle connection: whatever comes ends it. */
static void on_idle_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct fl_conn *c = cookie;

	(void)buf;
	(void)result;
	drop_idle(c);
}

struct fl_conn *fl_origin_take(struct fl_origin *o, void *cookie)
{
	while (!fl_list_empty(&o->idle)) {
		struct fl_conn *c = fl_container_of(o->idle.next, struct fl_conn, link);
		if (fl_stream_stale(c->stream)) {
			drop_idle(c);
			continue;
		}
		fl_list_remove(&c->link);
		o->idle_count--;
		c->reused = true;
		fl_stream_set_cookie(c->stream, cookie);
		return c;
	}
	return NULL;
}

struct fl_conn *fl_origin_connect(struct fl_origin *o, void *cookie,
	void (*on_connect)(void *cookie, int result), int *error)
{
	struct fl_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		*error = -ENOMEM;
		return NULL;
	}
	fl_list_init(&c->link);
	*error = fl_stream_connect(&c->stream, o->loop, (const struct sockaddr *)&o->addr.ss,
		o->addr.len, cookie, on_connect);
	if (*error) {
		free(c);
		return NULL;
	}
	/* A body follows its head in a segment of its own, which must not wait for an answer. */
	fl_tcp_nodelay(fl_stream_fd(c->stream));
	c->origin = fl_origin_ref(o);
	count(o, 1);
	return c;
}

void fl_conn_keep(struct fl_conn *c)
{
	struct fl_origin *o = c->origin;

	if (o->retired || o->idle_count >= o->options.keepalive) {
		fl_conn_close(c, false, NULL, NULL);
		return;
	}
	c->idle_since = fl_loop_now(o->loop);
	fl_stream_set_cookie(c->stream, c);
	fl_list_push_front(&o->idle, &c->link);
	o->idle_count++;
	if (!fl_timer_is_set(&o->sweep))
		fl_timer_set(o->loop, &o->sweep, o->options.keepalive_ms);
	if (fl_stream_recv(c->stream, on_idle_recv))
		drop_idle(c);
}

void fl_conn_close(struct fl_conn *c, bool reset, void *cookie, void (*on_closed)(void *cookie))
{
	struct fl_origin *o = c->origin;

	fl_stream_set_cookie(c->stream, cookie);
	fl_stream_close(c->stream, reset, on_closed);
	count(o, (uint64_t)-1);
	free(c);
	fl_origin_unref(o);
}
