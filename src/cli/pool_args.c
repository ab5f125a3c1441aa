/* Pools from the command line. The pool is built by pool/ in both cases, so that the answers are
 * those of a running balancer. */
#include "cli/pool_args.h"

#include "base/assert.h"
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fl_pool_args_init(struct fl_pool_args *args, const struct fl_verb *verb)
{
	*args = (struct fl_pool_args){.verb = verb, .use = FL_CONFIG_LOOKUP};
}

void fl_pool_args_fini(struct fl_pool_args *args)
{
	for (size_t i = 0; i < args->count; i++)
		free(args->texts[i]);
	free(args->texts);
	free(args->nodes);
	free(args->down);
	free(args->spec_text);
	fl_config_free(args->file);
	*args = (struct fl_pool_args){.verb = args->verb};
}

/* ---- one node ---- */

/* Cuts the next piece off *at at an unescaped `mark` and takes the backslashes out of it, in
 * place. *found says whether the mark was there. */
static char *cut(char **at, char mark, bool *found)
{
	char *start = *at, *to = start, *from = start;

	*found = false;
	while (*from && !*found) {
		if (*from == mark) {
			*found = true;
		} else {
			if (*from == '\\' &&
				(from[1] == ',' || from[1] == '=' || from[1] == '\\'))
				from++;
			*to++ = *from;
		}
		from++;
	}
	*to = '\0';
	*at = from;
	return start;
}

/* As cut, but the piece keeps its backslashes: it is to be cut again. */
static char *split(char **at, char mark)
{
	char *start = *at, *p = start;

	while (*p && *p != mark)
		p += *p == '\\' && p[1] ? 2 : 1;
	if (*p)
		*p++ = '\0';
	*at = p;
	return start;
}

static int node_number(const struct fl_pool_args *args, const char *what, const char *text,
	int64_t min, int64_t max, int64_t *out)
{
	if (fl_conf_parse_int(text, min, max, out) == 0)
		return FL_EXIT_DONE;
	return fl_usage_error(args->verb,
		"--node: the %s is a whole number from %lld to %lld, not \"%s\"", what,
		(long long)min, (long long)max, text);
}

/* "slot=N", or "id=N", which counts from 1. */
static int node_slot(const struct fl_pool_args *args, const char *text, int64_t first,
	struct fl_node_conf *n)
{
	int64_t number = 0;
	int rc = node_number(
		args, first ? "id" : "slot", text, first, FL_MAX_NODES - 1 + first, &number);

	if (rc == FL_EXIT_DONE && n->slot >= 0 && n->slot != number - first)
		return fl_usage_error(args->verb,
			"--node: slot %lld and slot %lld of \"%s\": id=N is slot=N-1, and one "
			"of them is enough",
			(long long)n->slot, (long long)(number - first), n->name);
	if (rc == FL_EXIT_DONE)
		n->slot = number - first;
	return rc;
}

static int node_state(const struct fl_pool_args *args, const char *text, struct fl_node_conf *n)
{
	for (int a = FL_ADMIN_ENABLED; a <= FL_ADMIN_DISABLED; a++)
		if (strcmp(fl_admin_name((enum fl_admin_state)a), text) == 0) {
			n->admin = a;
			return FL_EXIT_DONE;
		}
	return fl_usage_error(args->verb,
		"--node: the state is enabled, drain or disabled, not \"%s\"", text);
}

static int node_field(const struct fl_pool_args *args, char *field, struct fl_node_conf *n)
{
	static const char *const fields[] = {"addr", "id", "slot", "zone", "state", NULL};
	bool found;
	char *value = field;
	const char *key = cut(&value, '=', &found);
	const char *near;
	bool more;

	if (found)
		value = cut(&value, '\0', &more);
	if (found && strcmp(key, "slot") == 0)
		return node_slot(args, value, 0, n);
	if (found && strcmp(key, "id") == 0)
		return node_slot(args, value, 1, n);
	if (found && strcmp(key, "state") == 0)
		return node_state(args, value, n);
	if (found && strcmp(key, "addr") == 0)
		n->address = value;
	else if (found && strcmp(key, "zone") == 0)
		n->zone = value;
	else if ((near = fl_conf_nearest(key, fields)) != NULL)
		return fl_usage_error(args->verb,
			"--node: there is no \"%s\" of a node; did you mean \"%s=...\"?", key,
			near);
	else
		return fl_usage_error(args->verb,
			"--node: there is no \"%s\" of a node; a comma in a name is written "
			"\"\\,\"",
			key);
	return FL_EXIT_DONE;
}

static int parse_node(const struct fl_pool_args *args, char *text, struct fl_node_conf *n)
{
	char *rest = text, *value = split(&rest, ',');
	bool found, more;
	int rc = FL_EXIT_DONE;

	*n = (struct fl_node_conf){.weight = 1, .slot = -1};
	n->name = cut(&value, '=', &found);
	if (!*n->name)
		return fl_usage_error(args->verb, "--node wants a name: NAME[=WEIGHT][,...]");
	if (found)
		rc = node_number(
			args, "weight", cut(&value, '\0', &more), 0, FL_MAX_WEIGHT, &n->weight);
	while (rc == FL_EXIT_DONE && *rest)
		rc = node_field(args, split(&rest, ','), n);
	return rc;
}

static int take_node(struct fl_pool_args *args, const char *value)
{
	char *text;
	int rc;

	if (args->count == args->cap) {
		size_t cap = args->cap ? 2 * args->cap : 16;
		struct fl_node_conf *nodes = realloc(args->nodes, cap * sizeof(*nodes));
		char **texts = nodes ? realloc(args->texts, cap * sizeof(char *)) : NULL;

		args->nodes = nodes ? nodes : args->nodes;
		if (!texts)
			return fl_usage_error(args->verb, "out of memory");
		args->texts = texts;
		args->cap = cap;
	}
	text = strdup(value);
	if (!text)
		return fl_usage_error(args->verb, "out of memory");
	rc = parse_node(args, text, &args->nodes[args->count]);
	if (rc != FL_EXIT_DONE) {
		free(text);
		return rc;
	}
	args->texts[args->count++] = text;
	return FL_EXIT_DONE;
}

/* ---- the other options ---- */

static int take_spec(struct fl_pool_args *args, const char *prefix, const char *value)
{
	size_t size = strlen(prefix) + strlen(value) + 1;

	if (args->spec)
		return fl_usage_error(args->verb, "an algorithm is given twice");
	args->spec_text = malloc(size);
	if (!args->spec_text)
		return fl_usage_error(args->verb, "out of memory");
	(void)snprintf(args->spec_text, size, "%s%s", prefix, value);
	args->spec = args->spec_text;
	return FL_EXIT_DONE;
}

static int take_down(struct fl_pool_args *args, const char *value)
{
	const char **down = realloc(args->down, (args->down_count + 1) * sizeof(char *));

	if (!down)
		return fl_usage_error(args->verb, "out of memory");
	args->down = down;
	args->down[args->down_count++] = value;
	return FL_EXIT_DONE;
}

static int take_once(
	struct fl_pool_args *args, const char **field, const char *what, const char *value)
{
	if (*field)
		return fl_usage_error(args->verb, "%s is given twice", what);
	*field = value;
	return FL_EXIT_DONE;
}

int fl_pool_args_take(struct fl_pool_args *args, int id, const char *value)
{
	switch (id) {
	case FL_POOL_ARG_CONFIG:
		return take_once(args, &args->config, "--config", value);
	case FL_POOL_ARG_POOL:
		return take_once(args, &args->pool, "--pool", value);
	case FL_POOL_ARG_ALGORITHM:
		return take_spec(args, "", value);
	case FL_POOL_ARG_COMPAT:
		return take_spec(args, "compat:", value);
	case FL_POOL_ARG_NODE:
		return take_node(args, value);
	default:
		return take_down(args, value);
	}
}

/* ---- building ---- */

static int no_such(const struct fl_verb *verb, const char *what, const char *name,
	const char *const *names)
{
	const char *near = fl_conf_nearest(name, names);

	if (near)
		return fl_usage_error(verb,
			"there is no %s called \"%s\"; did you mean \"%s\"?", what, name, near);
	return fl_usage_error(verb, "there is no %s called \"%s\"", what, name);
}

int fl_pool_args_file(struct fl_pool_args *args, const struct fl_config **out)
{
	struct fl_config *file = args->file;
	int rc = FL_EXIT_DONE;

	if (!file && fl_config_load_for(&file, args->config, args->use) != 0) {
		rc = FL_EXIT_USAGE;
		if (file && file->conf)
			for (size_t i = 0; i < fl_conf_errors(file->conf); i++)
				(void)fprintf(
					stderr, "%s\n", fl_conf_error_text(file->conf, i));
		else
			rc = fl_usage_error(args->verb, "out of memory");
		fl_config_free(file);
		return rc;
	}
	*out = args->file = file;
	return rc;
}

int fl_pool_args_choose(struct fl_pool_args *args, const struct fl_config_pool **out)
{
	const struct fl_config *config = NULL;
	const struct fl_config_pool *pool;
	const char **names;
	int rc = fl_pool_args_file(args, &config);

	if (rc != FL_EXIT_DONE)
		return rc;
	FL_ASSERT(config);
	pool = config->pools;
	if (!pool || config->pool_count == 0)
		return fl_usage_error(args->verb, "\"%s\" has no pools", args->config);
	if (!args->pool && config->pool_count > 1)
		return fl_usage_error(args->verb,
			"\"%s\" has %zu pools; say which one with --pool", args->config,
			config->pool_count);
	if (args->pool)
		pool = fl_config_pool(config, args->pool);
	if (pool) {
		*out = pool;
		return FL_EXIT_DONE;
	}
	names = calloc(config->pool_count + 1, sizeof(*names));
	if (!names)
		return fl_usage_error(args->verb, "out of memory");
	for (size_t i = 0; i < config->pool_count; i++)
		names[i] = config->pools[i].pool.name;
	rc = no_such(args->verb, "pool", args->pool, names);
	free(names);
	return rc;
}

static int apply(
	const struct fl_pool_args *args, struct fl_pool *pool, const struct fl_pool_conf *conf)
{
	struct fl_error err = {0};

	if (fl_pool_apply(pool, conf, 0, &err) == FL_OK)
		return FL_EXIT_DONE;
	return fl_usage_error(args->verb, "%s", err.text);
}

/* Names of all nodes of the pool; freed with free(). */
static const char **node_names(struct fl_pool *pool)
{
	const struct fl_view *view = fl_pool_view(pool);
	const char **names =
		calloc(view->tier[0].slots + view->tier[1].slots + 1, sizeof(*names));
	size_t n = 0;

	for (unsigned t = 0; names && t < FL_TIERS; t++)
		for (uint32_t s = 0; s < view->tier[t].slots; s++)
			if (view->tier[t].members[s])
				names[n++] = view->tier[t].members[s]->name;
	return names;
}

int fl_pool_args_down(const struct fl_pool_args *args, struct fl_pool *pool)
{
	for (size_t i = 0; i < args->down_count; i++) {
		int rc = fl_pool_set_health(pool, args->down[i], FL_HEALTH_DOWN, 0);
		const char **names;

		if (rc == FL_OK)
			continue;
		names = rc == FL_ENOENT ? node_names(pool) : NULL;
		if (!names)
			return fl_usage_error(args->verb, "%s", fl_strerror(rc));
		(void)no_such(args->verb, "node", args->down[i], names);
		free(names);
		return FL_EXIT_USAGE;
	}
	return FL_EXIT_DONE;
}

void fl_pool_args_warn(const struct fl_pool_args *args, struct fl_pool *pool)
{
	const struct fl_view *view = fl_pool_view(pool);
	const char *warning = NULL;

	for (unsigned t = 0; t < FL_TIERS && !warning; t++)
		if (view->tier[t].placement)
			warning = fl_placement_warning(view->tier[t].placement);
	if (warning)
		(void)fprintf(stderr, "fairlead %s: warning: %s\n", args->verb->name, warning);
}

int fl_pool_args_conf(const struct fl_pool_args *args, struct fl_pool_conf *out)
{
	if (args->pool)
		return fl_usage_error(args->verb, "--pool wants --config");
	if (!args->count)
		return fl_usage_error(args->verb,
			"there are no nodes: say --node NAME for each, "
			"or --config FILE");
	*out = (struct fl_pool_conf){
		.name = "", .spec = args->spec, .nodes = args->nodes, .count = args->count};
	return FL_EXIT_DONE;
}

int fl_pool_args_build(struct fl_pool_args *args, struct fl_pool **out)
{
	struct fl_pool_conf conf = {.name = ""};
	struct fl_pool *pool = NULL;
	int rc = FL_EXIT_DONE;

	if (args->config && (args->spec || args->count))
		return fl_usage_error(args->verb,
			"the pool comes either from --config or from --algorithm and --node");
	if (!args->config) {
		rc = fl_pool_args_conf(args, &conf);
	} else {
		const struct fl_config_pool *chosen = NULL;

		rc = fl_pool_args_choose(args, &chosen);
		if (rc != FL_EXIT_DONE)
			return rc;
		FL_ASSERT(chosen);
		conf = chosen->pool;
	}
	if (rc != FL_EXIT_DONE)
		return rc;
	if (fl_pool_new(&pool, conf.name, 1) != FL_OK)
		return fl_usage_error(args->verb, "out of memory");
	rc = apply(args, pool, &conf);
	if (rc == FL_EXIT_DONE)
		rc = fl_pool_args_down(args, pool);
	if (rc != FL_EXIT_DONE) {
		fl_pool_unref(pool);
		return rc;
	}
	fl_pool_args_warn(args, pool);
	*out = pool;
	return rc;
}
