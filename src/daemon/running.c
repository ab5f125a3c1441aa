#include "daemon/running.h"

#include "base/assert.h"
#include "base/clock.h"
#include "base/error.h"
#include "daemon/names.h"
#include "obs/log.h"

#include <stdlib.h>
#include <string.h>

struct run {
	struct fl_running *running;
	char *name;
	struct fl_pool *pool;
	struct fl_health *health;
	bool wanted; /* by the configuration that is being applied */
};

struct fl_running {
	struct fl_loop *loop;
	unsigned workers;
	const struct fl_config *config;
	struct fl_names *names;
	struct fl_timer tick; /* once a second: ends warm-ups, tells what the log held back */
	struct run **runs;
	size_t count;
};

/* ---- one pool ---- */

static void on_health(void *cookie, const char *pool, const char *node,
	enum fl_health_state from, enum fl_health_state to, const char *why)
{
	(void)cookie;
	fl_log(to == FL_HEALTH_UP ? FL_LOG_INFO : FL_LOG_WARN,
		"node %s of pool %s: %s -> %s: %s", node, pool, fl_health_name(from),
		fl_health_name(to), why);
}

static void on_view(void *cookie, struct fl_pool *pool, const struct fl_pool_report *report)
{
	struct run *r = cookie;

	if (r->health)
		fl_health_sync(r->health);
	/* Into an empty pool nothing moved. */
	const struct fl_movement *m = report ? report->movement : NULL;
	if (m && m->count && m->flows[0].from)
		fl_log(FL_LOG_INFO, "pool %s: %.2f %% of keys moved (the least is %.2f %%)",
			fl_pool_name(pool), 100 * m->moved, 100 * m->least);
}

static void run_free(struct run *r)
{
	fl_health_free(r->health);
	fl_pool_unref(r->pool);
	free(r->name);
	free(r);
}

static struct run *run_new(struct fl_running *running, const char *name)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->running = running;
	r->name = strdup(name);
	if (!r->name || fl_pool_new(&r->pool, name, running->workers)) {
		free(r->name);
		free(r);
		return NULL;
	}
	fl_pool_subscribe(r->pool, on_view, r);
	return r;
}

/* The pool's desired nodes with addresses in place of host names, as far as they are known. */
static int apply_nodes(struct fl_running *running, struct run *r,
	const struct fl_pool_conf *conf, struct fl_error *err)
{
	struct fl_pool_conf resolved = *conf;
	struct fl_node_conf *nodes = calloc(conf->count + 1, sizeof(*nodes));

	if (!nodes)
		return fl_error_set(err, FL_ENOMEM, "no memory");
	for (size_t i = 0; i < conf->count; i++) {
		nodes[i] = conf->nodes[i];
		nodes[i].address = fl_names_address(running->names, conf->nodes[i].address);
	}
	resolved.nodes = nodes;
	int bad = fl_pool_apply(r->pool, &resolved, fl_wall_ms(), err);
	free(nodes);
	return bad;
}

static int apply_health(
	struct fl_running *running, struct run *r, const struct fl_config_pool *conf)
{
	static const struct fl_health_hooks hooks = {.on_change = on_health};

	if (r->health)
		return fl_health_reconfigure(r->health, &conf->health, conf->forward.eject_ms);
	return fl_health_new(&r->health, running->loop, r->pool, &conf->health,
		conf->forward.eject_ms, &hooks);
}

/* ---- all of them ---- */

static struct run *find(struct fl_running *running, const char *name)
{
	for (size_t i = 0; i < running->count; i++)
		if (strcmp(running->runs[i]->name, name) == 0)
			return running->runs[i];
	return NULL;
}

static struct run *find_or_add(struct fl_running *running, const char *name)
{
	struct run *r = find(running, name);

	if (r)
		return r;
	struct run **runs = realloc(running->runs, (running->count + 1) * sizeof(struct run *));
	if (!runs)
		return NULL;
	running->runs = runs;
	r = run_new(running, name);
	if (r)
		runs[running->count++] = r;
	return r;
}

static void drop_unwanted(struct fl_running *running)
{
	size_t kept = 0;

	for (size_t i = 0; i < running->count; i++) {
		if (running->runs[i]->wanted)
			running->runs[kept++] = running->runs[i];
		else
			run_free(running->runs[i]);
	}
	running->count = kept;
}

int fl_running_apply(
	struct fl_running *running, const struct fl_config *config, struct fl_error *err)
{
	for (size_t i = 0; i < running->count; i++)
		running->runs[i]->wanted = false;
	fl_names_begin(running->names);
	for (size_t i = 0; i < config->pool_count; i++) {
		const struct fl_config_pool *conf = &config->pools[i];
		struct run *r = find_or_add(running, conf->pool.name);
		if (!r)
			return fl_error_set(err, FL_ENOMEM, "no memory");
		r->wanted = true;
		int bad = apply_nodes(running, r, &conf->pool, err);
		if (!bad && apply_health(running, r, conf))
			bad = fl_error_set(err, FL_ENOMEM, "no memory");
		if (bad)
			return bad;
	}
	running->config = config;
	fl_names_end(running->names);
	drop_unwanted(running);
	return FL_OK;
}

/* A host name has another address: the nodes that have it get the new one under their names. */
static void on_name(void *cookie)
{
	struct fl_running *running = cookie;
	struct fl_error err;

	for (size_t i = 0; i < running->config->pool_count; i++) {
		const struct fl_pool_conf *conf = &running->config->pools[i].pool;
		struct run *r = find(running, conf->name);
		if (r && apply_nodes(running, r, conf, &err))
			fl_log(FL_LOG_ERROR, "pool %s: %s", conf->name, err.text);
	}
}

static void on_tick(void *cookie)
{
	struct fl_running *running = cookie;

	fl_log_tick();
	for (size_t i = 0; i < running->count; i++)
		fl_pool_tick(running->runs[i]->pool, fl_wall_ms());
	fl_timer_set(running->loop, &running->tick, 1000);
}

struct fl_running *fl_running_new(struct fl_loop *loop, unsigned workers)
{
	struct fl_running *running = calloc(1, sizeof(*running));

	if (!running)
		return NULL;
	running->loop = loop;
	running->workers = workers;
	fl_timer_init(&running->tick, on_tick, running);
	running->names = fl_names_new(loop, on_name, running);
	if (!running->names) {
		free(running);
		return NULL;
	}
	fl_timer_set(loop, &running->tick, 1000);
	return running;
}

size_t fl_running_count(const struct fl_running *running)
{
	return running->count;
}

struct fl_pool *fl_running_pool(const struct fl_running *running, size_t i)
{
	return running->runs[i]->pool;
}

void fl_running_failing(
	struct fl_running *running, struct fl_pool *pool, const char *node, const char *why)
{
	struct run *r = find(running, fl_pool_name(pool));

	if (r && r->pool == pool && fl_pool_eject(pool, node, fl_wall_ms()) == FL_OK)
		fl_log(FL_LOG_WARN, "node %s of pool %s is ejected: %s", node, r->name, why);
}

void fl_running_stop(struct fl_running *running)
{
	fl_timer_cancel(&running->tick);
	fl_names_free(running->names);
	running->names = NULL;
	for (size_t i = 0; i < running->count; i++) {
		fl_health_free(running->runs[i]->health);
		running->runs[i]->health = NULL;
	}
}

void fl_running_free(struct fl_running *running)
{
	if (!running)
		return;
	for (size_t i = 0; i < running->count; i++)
		run_free(running->runs[i]);
	free(running->runs);
	free(running);
}
