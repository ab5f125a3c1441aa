#include "cli/plan_change.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

void fl_change_args_init(struct fl_change_args *args, const struct fl_verb *verb)
{
	*args = (struct fl_change_args){.verb = verb};
	fl_pool_args_init(&args->nodes, verb);
}

void fl_change_args_fini(struct fl_change_args *args)
{
	fl_pool_args_fini(&args->nodes);
	free(args->list);
	args->list = NULL;
}

int fl_change_args_take(struct fl_change_args *args, int id, const char *value)
{
	void *list;

	if (id == FL_CHANGE_ARG_ALGORITHM && args->algorithm)
		return fl_usage_error(args->verb, "a new algorithm is given twice");
	if (id == FL_CHANGE_ARG_ALGORITHM) {
		args->algorithm = value;
		return FL_EXIT_DONE;
	}
	if (id == FL_CHANGE_ARG_ADD) {
		int rc = fl_pool_args_take(&args->nodes, FL_POOL_ARG_NODE, value);

		if (rc != FL_EXIT_DONE)
			return rc;
	}
	list = realloc(args->list, (args->count + 1) * sizeof(*args->list));
	if (!list)
		return fl_usage_error(args->verb, "out of memory");
	args->list = list;
	args->list[args->count].id = id;
	args->list[args->count++].value = value;
	return FL_EXIT_DONE;
}

bool fl_change_args_given(const struct fl_change_args *args)
{
	return args->count > 0 || args->algorithm;
}

/* ---- making them ---- */

struct making {
	const struct fl_change_args *args;
	struct fl_node_conf *nodes;
	size_t count;
	size_t added; /* of args->nodes, so far */
};

/* The node called by the first `n` bytes of `name`, or NULL. */
static struct fl_node_conf *find(const struct making *m, const char *name, size_t n)
{
	for (size_t i = 0; i < m->count; i++)
		if (strlen(m->nodes[i].name) == n && memcmp(m->nodes[i].name, name, n) == 0)
			return &m->nodes[i];
	return NULL;
}

static int missing(const struct making *m, const char *name, size_t n)
{
	const char **names = calloc(m->count + 1, sizeof(*names));
	char *wanted = strndup(name, n);
	const char *near = NULL;
	int rc;

	for (size_t i = 0; names && i < m->count; i++)
		names[i] = m->nodes[i].name;
	if (names && wanted)
		near = fl_conf_nearest(wanted, names);
	if (near)
		rc = fl_usage_error(m->args->verb,
			"there is no node called \"%.*s\"; did you mean \"%s\"?", (int)n, name,
			near);
	else
		rc = fl_usage_error(
			m->args->verb, "there is no node called \"%.*s\"", (int)n, name);
	free(names);
	free(wanted);
	return rc;
}

static int reweigh(struct making *m, const char *value)
{
	const char *equals = strrchr(value, '=');
	struct fl_node_conf *node;
	int64_t weight;

	if (!equals || fl_conf_parse_int(equals + 1, 0, FL_MAX_WEIGHT, &weight) != 0)
		return fl_usage_error(m->args->verb,
			"--weight wants NAME=W with W from 0 to %d, not \"%s\"", FL_MAX_WEIGHT,
			value);
	node = find(m, value, (size_t)(equals - value));
	if (!node)
		return missing(m, value, (size_t)(equals - value));
	node->weight = weight;
	return FL_EXIT_DONE;
}

static int add(struct making *m)
{
	const struct fl_node_conf *node = &m->args->nodes.nodes[m->added++];

	if (find(m, node->name, strlen(node->name)))
		return fl_usage_error(m->args->verb,
			"--add: there is a node called \"%s\" already", node->name);
	m->nodes[m->count++] = *node;
	return FL_EXIT_DONE;
}

static int make_one(struct making *m, int id, const char *value)
{
	struct fl_node_conf *node;

	if (id == FL_CHANGE_ARG_ADD)
		return add(m);
	if (id == FL_CHANGE_ARG_WEIGHT)
		return reweigh(m, value);
	node = find(m, value, strlen(value));
	if (!node)
		return missing(m, value, strlen(value));
	if (id == FL_CHANGE_ARG_DRAIN) {
		node->admin = FL_ADMIN_DRAIN;
		return FL_EXIT_DONE;
	}
	memmove(node, node + 1, (size_t)(m->nodes + m->count - node - 1) * sizeof(*node));
	m->count--;
	return FL_EXIT_DONE;
}

int fl_change_args_apply(const struct fl_change_args *args, const struct fl_pool_conf *before,
	struct fl_pool_conf *out)
{
	struct making m = {.args = args,
		.nodes = calloc(before->count + args->count + 1, sizeof(*m.nodes)),
		.count = before->count};
	int rc = FL_EXIT_DONE;

	*out = *before;
	out->nodes = m.nodes;
	if (!m.nodes)
		return fl_usage_error(args->verb, "out of memory");
	if (before->count)
		memcpy(m.nodes, before->nodes, before->count * sizeof(*m.nodes));
	for (size_t i = 0; rc == FL_EXIT_DONE && i < args->count; i++)
		rc = make_one(&m, args->list[i].id, args->list[i].value);
	out->count = m.count;
	if (args->algorithm)
		out->spec = args->algorithm;
	return rc;
}
