/* fairlead plan: what a change will move, before it is made. The pool goes through the change as
 * `serve` would at a reload, so that the prediction is what will happen. */
#include "cli/plan.h"

#include "cli/plan_change.h"
#include "cli/report_args.h"
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#define KEYS_DEFAULT 1000000
#define HOT_DEFAULT  20
#define HOT_MOST     1000
#define BOUNDS_MOST  64

enum {
	ARG_TO = FL_POOL_ARGS_COUNT,
	ARG_CHANGE,
	ARG_MAX_MOVED = ARG_CHANGE + FL_CHANGE_ARGS_COUNT,
	ARG_MAX_LOAD,
	ARG_HOT,
	ARG_MEMORY,
	ARG_TRAFFIC,
	ARG_REPORT = ARG_TRAFFIC + FL_TRAFFIC_ARGS_COUNT,
};

static const struct fl_arg plan_args[] = {
	FL_POOL_ARGS,
	{"to", 0, "FILE", "the configuration that is to be: its pool of the same name"},
	FL_CHANGE_ARGS,
	{"max-moved", 0, "SHARE", "exit 1 when more of the traffic moves, such as 5%"},
	{"max-load", 0, "NAME=MOST",
		"exit 1 when the node gets more: 1.3x of its load now, or 30% of all; \"*\": "
		"any"},
	{"hot", 0, "K", "list the K hottest keys that move (default: 20)"},
	{"memory", 0, "SIZE", "for counting different keys exactly (default: 256MiB)"},
	FL_TRAFFIC_ARGS,
	FL_REPORT_ARGS,
	FL_ARG_END,
};

struct planning {
	const struct fl_verb *verb;
	struct fl_pool_args pool;
	struct fl_pool_args to; /* --config is the file of --to */
	struct fl_change_args change;
	struct fl_traffic_args traffic;
	struct fl_report_args report;
	struct fl_plan_bound bounds[BOUNDS_MOST];
	char *names[BOUNDS_MOST]; /* owned, of the bounds */
	size_t bound_count;
	int64_t hot;
	uint64_t memory;
	struct fl_key_sources sources; /* of the pool; the items are owned */
};

/* ---- bounds ---- */

static bool parse_factor(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && strcmp(end, "x") == 0 && *out >= 0 && *out < 1e9;
}

static int take_bound(struct planning *p, bool load, const char *value)
{
	struct fl_plan_bound *b = &p->bounds[p->bound_count];
	const char *equals = strrchr(value, '='), *why;

	if (p->bound_count == BOUNDS_MOST)
		return fl_usage_error(p->verb, "more than %d bounds", BOUNDS_MOST);
	*b = (struct fl_plan_bound){.text = value};
	if (!load) {
		if (fl_conf_parse_share(value, &b->most, &why) != 0)
			return fl_usage_error(p->verb,
				"--max-moved wants a share such as 5%% or 0.05, not \"%s\"",
				value);
		p->bound_count++;
		return FL_EXIT_DONE;
	}
	if (!equals || equals == value ||
		!((b->factor = parse_factor(equals + 1, &b->most)) ||
			fl_conf_parse_share(equals + 1, &b->most, &why) == 0))
		return fl_usage_error(p->verb,
			"--max-load wants NAME=1.3x (of its load now) or NAME=30%% (of all), "
			"not "
			"\"%s\"",
			value);
	p->names[p->bound_count] = strndup(value, (size_t)(equals - value));
	if (!p->names[p->bound_count])
		return fl_usage_error(p->verb, "out of memory");
	b->node = p->names[p->bound_count++];
	return FL_EXIT_DONE;
}

/* ---- from before to after ---- */

/* The pool's sources, and behind them the address where that is what a request without a key is
 * placed by. */
static int copy_sources(struct planning *p, const struct fl_forward_conf *forward)
{
	static const struct fl_key_source whole_ip = {
		.kind = FL_KEY_CLIENT_IP, .v4 = 32, .v6 = 128, .label = "client_ip"};
	size_t n = forward->key.count;

	p->sources.items = calloc(n + 1, sizeof(*p->sources.items));
	if (!p->sources.items)
		return fl_usage_error(p->verb, "out of memory");
	memcpy(p->sources.items, forward->key.items, n * sizeof(*p->sources.items));
	if (forward->no_key == FL_NO_KEY_CLIENT_IP)
		p->sources.items[n++] = whole_ip;
	p->sources.count = n;
	return FL_EXIT_DONE;
}

static int before_conf(struct planning *p, struct fl_pool_conf *out)
{
	const struct fl_config_pool *conf = NULL;
	int rc;

	if (p->pool.config && p->pool.spec && !p->change.algorithm) {
		/* With a file, --algorithm can only be what it is to become. */
		p->change.algorithm = p->pool.spec;
		p->pool.spec = NULL;
	}
	if (!p->pool.config)
		return fl_pool_args_conf(&p->pool, out);
	rc = fl_pool_args_choose(&p->pool, &conf);
	if (rc != FL_EXIT_DONE)
		return rc;
	if (p->pool.count || p->pool.spec)
		return fl_usage_error(p->verb,
			"the pool comes either from --config or from --node; --add adds one");
	*out = conf->pool;
	return copy_sources(p, &conf->forward);
}

static int after_conf(
	struct planning *p, const struct fl_pool_conf *before, struct fl_pool_conf *out)
{
	const struct fl_config_pool *conf = NULL;
	struct fl_pool_conf base = *before;

	if (!p->to.config && !fl_change_args_given(&p->change))
		return fl_usage_error(p->verb,
			"there is no change: --to FILE, --remove, --add, --weight, --drain or "
			"--new-algorithm");
	if (p->to.config) {
		const struct fl_config *file = NULL;
		int rc = fl_pool_args_file(&p->to, &file);

		if (rc != FL_EXIT_DONE)
			return rc;
		if (!p->to.pool && fl_config_pool(file, before->name))
			p->to.pool = before->name;
		rc = fl_pool_args_choose(&p->to, &conf);
		if (rc != FL_EXIT_DONE)
			return rc;
		base = conf->pool;
		base.name = before->name;
	}
	return fl_change_args_apply(&p->change, &base, out);
}

/* ---- traffic ---- */

static int take_key(void *cookie, struct fl_slice key, uint64_t weight)
{
	return fl_traffic_add(cookie, key, weight);
}

static int finish(struct planning *p, struct fl_plan *plan)
{
	struct fl_report *r;
	int rc;

	plan->traffic = &p->traffic;
	plan->bounds = p->bounds;
	plan->bound_count = p->bound_count;
	plan->hot = (size_t)p->hot;
	r = fl_plan_report(plan);
	rc = fl_report_args_write(&p->report, r);
	fl_report_free(r);
	return rc == FL_EXIT_DONE && !fl_plan_holds(plan) ? FL_EXIT_FAILED : rc;
}

static int weigh(struct planning *p, struct fl_plan *plan)
{
	struct fl_traffic *traffic = NULL;
	struct fl_traffic_options options = {.before = fl_traffic_view(plan->before),
		.after = fl_traffic_view(plan->after),
		.memory = p->memory};
	int rc = fl_traffic_new(&traffic, &options);

	if (rc != FL_OK)
		return fl_usage_error(p->verb, "%s",
			rc == FL_EINVAL ? "--memory wants at least 1MiB" : fl_strerror(rc));
	rc = fl_traffic_args_feed(
		&p->traffic, p->sources.count ? &p->sources : NULL, take_key, traffic);
	if (rc == FL_EXIT_DONE && fl_traffic_report(traffic, &plan->report) != FL_OK)
		rc = fl_usage_error(p->verb, "out of memory");
	if (rc == FL_EXIT_DONE && plan->report->weight == 0)
		rc = fl_usage_error(p->verb, "there are no keys");
	if (rc == FL_EXIT_DONE)
		rc = finish(p, plan);
	fl_traffic_free(traffic);
	return rc;
}

static int apply(struct planning *p, struct fl_pool *pool, const struct fl_pool_conf *conf,
	const char *which)
{
	struct fl_error err = {0};

	if (fl_pool_apply(pool, conf, 0, &err) == FL_OK)
		return FL_EXIT_DONE;
	return fl_usage_error(p->verb, "%s the change: %s", which, err.text);
}

/* The pool as it is, then as it will be. */
static int change(
	struct planning *p, const struct fl_pool_conf *before, const struct fl_pool_conf *after)
{
	struct fl_plan plan = {.pool = before->name};
	struct fl_pool *pool = NULL;
	struct fl_view *old = NULL;
	char *spec = NULL;
	int rc;

	if (fl_pool_new(&pool, before->name, 1) != FL_OK)
		return fl_usage_error(p->verb, "out of memory");
	rc = apply(p, pool, before, "before");
	if (rc == FL_EXIT_DONE)
		rc = fl_pool_args_down(&p->pool, pool);
	if (rc == FL_EXIT_DONE) {
		old = fl_view_ref(fl_pool_view(pool));
		spec = strdup(fl_pool_spec(pool));
		rc = apply(p, pool, after, "after");
		plan.before = old;
		plan.after = fl_pool_view(pool);
		plan.spec_before = spec ? spec : "";
		plan.spec_after = fl_pool_spec(pool);
		fl_pool_args_warn(&p->pool, pool);
		/* Whether nodes only drain, or come and go: then there is a report of it. */
		if (fl_pool_report(pool) && fl_pool_report(pool)->epoch == plan.after->epoch &&
			plan.after->epoch != old->epoch)
			plan.movement = fl_pool_report(pool)->movement;
	}
	if (rc == FL_EXIT_DONE)
		rc = weigh(p, &plan);
	free(spec);
	fl_view_unref(old);
	fl_pool_unref(pool);
	return rc;
}

static int plan(struct planning *p)
{
	struct fl_pool_conf before = {.name = ""}, after = {.nodes = NULL};
	int rc = before_conf(p, &before);

	if (rc == FL_EXIT_DONE)
		rc = after_conf(p, &before, &after);
	if (rc == FL_EXIT_DONE)
		rc = change(p, &before, &after);
	free((void *)after.nodes);
	return rc;
}

/* ---- the command line ---- */

static int take(struct planning *p, int id, const char *value)
{
	const char *why;

	if (id == FL_ARGS_WORD)
		return fl_usage_error(p->verb, "\"%s\" is not expected", value);
	if (id < ARG_TO)
		return fl_pool_args_take(&p->pool, id, value);
	if (id >= ARG_REPORT)
		return fl_report_args_take(&p->report, id - ARG_REPORT, value);
	if (id >= ARG_TRAFFIC)
		return fl_traffic_args_take(&p->traffic, id - ARG_TRAFFIC, value);
	if (id == ARG_TO)
		return fl_pool_args_take(&p->to, FL_POOL_ARG_CONFIG, value);
	if (id < ARG_MAX_MOVED)
		return fl_change_args_take(&p->change, id - ARG_CHANGE, value);
	if (id == ARG_HOT && fl_conf_parse_int(value, 0, HOT_MOST, &p->hot) != 0)
		return fl_usage_error(p->verb,
			"--hot wants a whole number from 0 to %d, not \"%s\"", HOT_MOST, value);
	if (id == ARG_MEMORY && fl_conf_parse_size(value, &p->memory, &why) != 0)
		return fl_usage_error(p->verb, "--memory: \"%s\" %s", value, why);
	if (id == ARG_MAX_MOVED || id == ARG_MAX_LOAD)
		return take_bound(p, id == ARG_MAX_LOAD, value);
	return FL_EXIT_DONE;
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct planning p = {.verb = verb, .hot = HOT_DEFAULT};
	struct fl_args args;
	int id = FL_ARGS_END, rc = FL_EXIT_DONE;

	fl_pool_args_init(&p.pool, verb);
	fl_pool_args_init(&p.to, verb);
	fl_change_args_init(&p.change, verb);
	fl_traffic_args_init(&p.traffic, verb, KEYS_DEFAULT);
	fl_report_args_init(&p.report, verb);
	fl_args_init(&args, verb, argc, argv);
	while (rc == FL_EXIT_DONE && (id = fl_args_next(&args)) != FL_ARGS_END) {
		if (id == FL_ARGS_STOP)
			break;
		rc = take(&p, id, args.value);
	}
	if (rc == FL_EXIT_DONE)
		rc = id == FL_ARGS_STOP ? args.status : plan(&p);
	for (size_t i = 0; i < p.bound_count; i++)
		free(p.names[i]);
	free(p.sources.items);
	fl_change_args_fini(&p.change);
	fl_traffic_args_fini(&p.traffic);
	fl_pool_args_fini(&p.to);
	fl_pool_args_fini(&p.pool);
	return rc;
}

const struct fl_verb fl_verb_plan = {
	.name = "plan",
	.usage = "-c FILE [--to FILE] [CHANGES] [--log FILE]",
	.summary = "Tells what a change will move, before it is made",
	.text = "Takes the pool through the change as a reload would, and every logged "
		"request\n"
		"through both: what share of traffic and of keys moves, from whom to whom, "
		"each\n"
		"node's load, the hottest keys that move, and the least that any scheme must "
		"move.\n"
		"\n"
		"  fairlead plan -c now.yaml --remove cache3 --log access.log --max-moved 5%\n"
		"  fairlead plan -c now.yaml --to next.yaml --log access.log.gz --html "
		"plan.html\n"
		"\n"
		"A logged request's key is made by the pool's own key sources, or by --key. "
		"With\n"
		"--config, --algorithm says what the pool's algorithm becomes. Exit status 1: "
		"a\n"
		"bound does not hold.",
	.args = plan_args,
	.run = run,
};
