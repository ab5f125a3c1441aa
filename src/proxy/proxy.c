#include "proxy/proxy.h"

#include "base/assert.h"
#include "base/error.h"
#include "obs/log.h"
#include "proxy/report.h"
#include "proxy/route.h"
#include "proxy/worker.h"

#include <stdlib.h>
#include <string.h>

struct fl_proxy {
	struct fl_proxy_options options;
	struct fl_worker *workers;
	struct fl_counters *counters; /* [options.workers] */
	struct fl_reports *reports;
	unsigned started;
	bool draining;
	atomic_uint undrained;
};

struct fl_proxy_options *fl_proxy_options(struct fl_proxy *proxy)
{
	return &proxy->options;
}

struct fl_counters *fl_proxy_counters(struct fl_proxy *proxy, unsigned index)
{
	return &proxy->counters[index];
}

struct fl_reports *fl_proxy_reports(struct fl_proxy *proxy)
{
	return proxy->reports;
}

/* ---- configuration ---- */

static struct fl_proxy_conf *conf_ref(struct fl_proxy_conf *conf)
{
	atomic_fetch_add_explicit(&conf->refs, 1, memory_order_relaxed);
	return conf;
}

void fl_proxy_conf_unref(struct fl_proxy_conf *conf)
{
	if (!conf || atomic_fetch_sub_explicit(&conf->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < conf->listener_count; i++)
		free(conf->listeners[i].fds);
	for (size_t i = 0; i < conf->pool_count; i++)
		fl_pool_unref(conf->pools[i].pool);
	free(conf->listeners);
	free(conf->pools);
	fl_routes_free(conf->routes);
	if (conf->release)
		conf->release(conf->owner);
	free(conf);
}

/* A message to one worker; frees itself. */
struct message {
	struct fl_task task;
	struct fl_worker *worker;
	struct fl_proxy_conf *conf;
};

static void configure(struct fl_task *task)
{
	struct message *m = fl_container_of(task, struct message, task);

	fl_worker_configure(m->worker, m->conf);
	free(m);
}

void fl_proxy_reconfigure(struct fl_proxy *proxy, struct fl_proxy_conf *conf)
{
	for (unsigned i = 0; i < proxy->started; i++) {
		struct message *m = malloc(sizeof(*m));
		FL_ASSERT(m);
		*m = (struct message){
			.task = {.run = configure},
			.worker = &proxy->workers[i],
			.conf = conf_ref(conf),
		};
		fl_loop_post(proxy->workers[i].loop, &m->task);
	}
}

/* ---- logs ---- */

static void reopen(struct fl_task *task)
{
	struct fl_worker *w = fl_container_of(task, struct fl_worker, reopen_task);

	atomic_store(&w->reopening, false);
	if (w->access && fl_access_reopen(w->access))
		fl_log(FL_LOG_ERROR,
			"the access log cannot be opened anew: the old one goes on");
}

void fl_proxy_reopen_logs(struct fl_proxy *proxy)
{
	for (unsigned i = 0; i < proxy->started; i++) {
		struct fl_worker *w = &proxy->workers[i];
		w->reopen_task.run = reopen;
		if (!atomic_exchange(&w->reopening, true))
			fl_loop_post(w->loop, &w->reopen_task);
	}
}

/* ---- draining ---- */

static void drain(struct fl_task *task)
{
	fl_worker_drain(fl_container_of(task, struct fl_worker, drain_task));
}

void fl_proxy_worker_drained(struct fl_proxy *proxy)
{
	if (atomic_fetch_sub_explicit(&proxy->undrained, 1, memory_order_acq_rel) == 1)
		fl_reports_drained(proxy->reports);
}

void fl_proxy_drain(struct fl_proxy *proxy)
{
	if (proxy->draining)
		return;
	proxy->draining = true;
	atomic_store_explicit(&proxy->undrained, proxy->started, memory_order_release);
	for (unsigned i = 0; i < proxy->started; i++) {
		proxy->workers[i].drain_task.run = drain;
		fl_loop_post(proxy->workers[i].loop, &proxy->workers[i].drain_task);
	}
}

/* ---- life ---- */

static void *worker_main(void *arg)
{
	struct fl_worker *w = arg;

	while (!w->stopping)
		FL_MUST(fl_loop_run(w->loop));
	return NULL;
}

static void stop(struct fl_task *task)
{
	fl_worker_stop(fl_container_of(task, struct fl_worker, stop_task));
}

void fl_proxy_free(struct fl_proxy *proxy)
{
	if (!proxy)
		return;
	FL_ASSERT(proxy->workers || !proxy->started);
	for (unsigned i = 0; i < proxy->started; i++) {
		proxy->workers[i].stop_task.run = stop;
		fl_loop_post(proxy->workers[i].loop, &proxy->workers[i].stop_task);
	}
	for (unsigned i = 0; i < proxy->started; i++)
		FL_MUST(pthread_join(proxy->workers[i].thread, NULL));
	/* Only now: a worker may be done with its loop while our post still wakes it. */
	for (unsigned i = 0; i < proxy->started; i++)
		fl_worker_fini(&proxy->workers[i]);
	fl_reports_close(proxy->reports);
	fl_counters_free(proxy->counters);
	free(proxy->workers);
	free(proxy);
}

static int start_worker(struct fl_proxy *proxy, struct fl_proxy_conf *conf)
{
	struct fl_worker *w = &proxy->workers[proxy->started];
	int bad = fl_worker_init(w, proxy, proxy->started);

	if (bad)
		return bad;
	/* Before the thread runs, this thread may act for it. */
	fl_worker_configure(w, conf_ref(conf));
	bad = -pthread_create(&w->thread, NULL, worker_main, w);
	if (bad) {
		fl_worker_stop(w);
		fl_worker_fini(w);
		return bad;
	}
	proxy->started++;
	return 0;
}

int fl_proxy_new(struct fl_proxy **out, const struct fl_proxy_options *options,
	struct fl_proxy_conf *conf, struct fl_error *err)
{
	struct fl_proxy *proxy = calloc(1, sizeof(*proxy));
	size_t bytes = options->workers * sizeof(struct fl_worker);

	FL_ASSERT(options->workers >= 1 && options->workers <= FL_MAX_WORKERS);
	if (!proxy)
		return fl_error_set(err, FL_ENOMEM, "no memory");
	proxy->options = *options;
	proxy->workers = aligned_alloc(_Alignof(struct fl_worker), bytes);
	proxy->counters = fl_counters_new(options->workers);
	proxy->reports = fl_reports_new(options);
	if (!proxy->workers || !proxy->counters || !proxy->reports) {
		fl_proxy_free(proxy);
		return fl_error_set(err, FL_ENOMEM, "no memory");
	}
	while (proxy->started < options->workers) {
		int bad = start_worker(proxy, conf);
		if (bad) {
			fl_proxy_free(proxy);
			return fl_error_set(
				err, FL_EINVAL, "cannot start a worker: %s", strerror(-bad));
		}
	}
	*out = proxy;
	return FL_OK;
}

uint64_t fl_proxy_count(const struct fl_proxy *proxy, enum fl_counter id)
{
	return fl_counters_sum(proxy->counters, proxy->started, id);
}

uint64_t fl_proxy_open(const struct fl_proxy *proxy)
{
	uint64_t open = 0;

	for (unsigned i = 0; i < proxy->started; i++)
		open += atomic_load_explicit(&proxy->workers[i].open, memory_order_relaxed);
	return open;
}
