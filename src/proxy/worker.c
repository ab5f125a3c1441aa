#include "proxy/worker.h"

#include "base/assert.h"
#include "proxy/exchange.h"
#include "proxy/session.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- listeners ---- */

static void on_accept(void *cookie, int fd, const struct sockaddr *peer, socklen_t len)
{
	struct fl_wlistener *l = cookie;
	struct fl_worker *w = l->worker;
	size_t most = (size_t)w->conf->client.connections / fl_proxy_options(w->proxy)->workers;

	if (fd < 0)
		return;
	if (w->session_count >= (most ? most : 1)) {
		(void)close(fd);
		return;
	}
	fl_session_open(w, l, fd, peer, len);
}

static struct fl_wlistener *listener_find(
	struct fl_worker *w, const char *name, const char *bind)
{
	fl_list_each (it, &w->listeners) {
		struct fl_wlistener *l = fl_container_of(it, struct fl_wlistener, link);
		if (strcmp(l->name, name) == 0 && strcmp(l->bind, bind) == 0)
			return l;
	}
	return NULL;
}

void fl_wlistener_unref(struct fl_wlistener *l)
{
	if (--l->refs)
		return;
	free(l->name);
	free(l->bind);
	free(l);
}

/* Accepts no more; sessions that came by it keep it until they end. */
static void listener_close(struct fl_wlistener *l)
{
	fl_listener_close(l->listener);
	fl_list_remove(&l->link);
	l->index = -1;
	fl_wlistener_unref(l);
}

static void listener_add(struct fl_worker *w, const struct fl_proxy_listener *conf, int index)
{
	struct fl_wlistener *l = calloc(1, sizeof(*l));
	int fd = conf->fds[w->index];

	if (!l) {
		(void)close(fd);
		return;
	}
	l->refs = 1;
	l->worker = w;
	l->index = index;
	l->name = strdup(conf->name);
	l->bind = strdup(conf->bind);
	fl_list_push_back(&w->listeners, &l->link);
	if (!l->name || !l->bind) {
		(void)close(fd);
		listener_close(l);
	} else if (fl_listener_new(&l->listener, w->loop, fd, on_accept, l)) {
		listener_close(l);
	}
}

/* A draining worker accepts nothing, also by what is new. */
static void refuse_listeners(struct fl_worker *w, const struct fl_proxy_conf *conf)
{
	for (size_t i = 0; i < conf->listener_count; i++)
		if (conf->listeners[i].fds)
			(void)close(conf->listeners[i].fds[w->index]);
}

static void close_listeners(struct fl_worker *w)
{
	fl_list_each_safe (it, &w->listeners)
		listener_close(fl_container_of(it, struct fl_wlistener, link));
}

/* Connections that came by a listener that is gone live on, by the routes for every listener. */
static void configure_listeners(struct fl_worker *w, const struct fl_proxy_conf *conf)
{
	fl_list_each (it, &w->listeners)
		fl_container_of(it, struct fl_wlistener, link)->index = -1;
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct fl_proxy_listener *want = &conf->listeners[i];
		struct fl_wlistener *l = listener_find(w, want->name, want->bind);
		if (l)
			l->index = (int)i;
		else if (want->fds)
			listener_add(w, want, (int)i);
	}
	fl_list_each_safe (it, &w->listeners) {
		struct fl_wlistener *l = fl_container_of(it, struct fl_wlistener, link);
		if (l->index < 0)
			listener_close(l);
	}
}

/* ---- pools ---- */

static struct fl_wpool *take_pool(struct fl_worker *w, struct fl_pool *pool)
{
	for (size_t i = 0; w->conf && i < w->conf->pool_count; i++) {
		struct fl_wpool *p = w->pools[i];
		if (p && p->pool == pool) {
			w->pools[i] = NULL;
			return p;
		}
	}
	return fl_wpool_new(w, pool);
}

static bool configure_pools(struct fl_worker *w, struct fl_proxy_conf *conf)
{
	struct fl_wpool **pools = calloc(conf->pool_count + 1, sizeof(struct fl_wpool *));

	if (!pools)
		return false;
	for (size_t i = 0; i < conf->pool_count; i++) {
		pools[i] = take_pool(w, conf->pools[i].pool);
		/* A few hundred bytes a pool: without them there is no going on. */
		FL_ASSERT(pools[i]);
		fl_wpool_configure(pools[i], conf, &conf->pools[i].forward);
	}
	for (size_t i = 0; w->conf && i < w->conf->pool_count; i++)
		if (w->pools[i])
			fl_wpool_retire(w->pools[i]);
	free(w->pools);
	w->pools = pools;
	return true;
}

void fl_worker_configure(struct fl_worker *w, struct fl_proxy_conf *conf)
{
	FL_ASSERT(configure_pools(w, conf));
	if (w->draining)
		refuse_listeners(w, conf);
	else
		configure_listeners(w, conf);
	if (w->conf)
		fl_proxy_conf_unref(w->conf);
	w->conf = conf;
	w->limits = (struct fl_http1_limits){
		.line = conf->client.line,
		.head = conf->client.head,
		.headers = (size_t)conf->client.headers,
	};
}

/* ---- draining ---- */

static void end_if_drained(struct fl_worker *w)
{
	if (!w->draining || w->session_count || w->ended)
		return;
	w->ended = true;
	fl_timer_cancel(&w->drain);
	fl_proxy_worker_drained(w->proxy);
}

void fl_worker_session_ended(struct fl_worker *w)
{
	end_if_drained(w);
}

static void close_sessions(struct fl_worker *w, bool reset)
{
	fl_list_each_safe (it, &w->sessions)
		fl_session_close(fl_container_of(it, struct fl_session, link), reset);
}

static void drain_over(void *cookie)
{
	close_sessions(cookie, true);
}

void fl_worker_drain(struct fl_worker *w)
{
	w->draining = true;
	close_listeners(w);
	fl_list_each_safe (it, &w->sessions)
		fl_session_drain(fl_container_of(it, struct fl_session, link));
	fl_timer_set(w->loop, &w->drain, w->conf->client.drain_ms);
	end_if_drained(w);
}

/* ---- the access log ---- */

static void flush(void *cookie)
{
	struct fl_worker *w = cookie;

	fl_access_flush(w->access);
	fl_timer_set(w->loop, &w->flush, 1000);
}

/* ---- life ---- */

int fl_worker_init(struct fl_worker *w, struct fl_proxy *proxy, unsigned index)
{
	struct fl_loop_options options = {.backend = fl_proxy_options(proxy)->backend};

	*w = (struct fl_worker){.index = index, .proxy = proxy};
	fl_list_init(&w->listeners);
	fl_list_init(&w->sessions);
	fl_list_init(&w->spare);
	fl_timer_init(&w->drain, drain_over, w);
	fl_timer_init(&w->flush, flush, w);
	/* Seeds differ between workers and processes; nothing depends on their being secret. */
	w->random = (uint64_t)getpid() << 32 | index;
	w->counters = fl_proxy_counters(proxy, index);
	int bad = fl_loop_new(&w->loop, &options);
	const char *path = fl_proxy_options(proxy)->access;
	if (bad || !path)
		return bad;
	bad = fl_access_new(&w->access, path, fl_proxy_options(proxy)->access_json);
	if (bad) {
		fl_loop_free(w->loop);
		return bad;
	}
	fl_timer_set(w->loop, &w->flush, 1000);
	return 0;
}

/* Stops for good: every session is closed and the loop runs until it has let go of them. */
void fl_worker_stop(struct fl_worker *w)
{
	w->draining = true;
	w->ended = true;
	close_listeners(w);
	close_sessions(w, true);
	w->stopping = true;
	fl_loop_stop(w->loop);
}

void fl_worker_fini(struct fl_worker *w)
{
	for (size_t i = 0; w->conf && i < w->conf->pool_count; i++)
		fl_wpool_retire(w->pools[i]);
	free(w->pools);
	w->pools = NULL;
	fl_exchange_free_spare(w);
	fl_timer_cancel(&w->drain);
	fl_timer_cancel(&w->flush);
	/* Runs what is still owed to closed streams. */
	fl_loop_free(w->loop);
	w->loop = NULL;
	FL_ASSERT(w->session_count == 0);
	fl_access_free(w->access);
	if (w->conf)
		fl_proxy_conf_unref(w->conf);
	w->conf = NULL;
}
