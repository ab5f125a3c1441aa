/* fairlead compare: algorithms beside each other, over the same nodes and keys. */
#include "cli/compare.h"

#include "cli/report_args.h"
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALGORITHMS_MOST 64
#define SIZES_MOST      16
#define WEIGHTS_MOST    64
#define KEYS_DEFAULT    1000000
#define SCENARIO_KEYS   10000

enum {
	ARG_ALGORITHM,
	ARG_COMPAT,
	ARG_NODES,
	ARG_WEIGHTS,
	ARG_SCENARIO,
	ARG_NO_TIME,
	ARG_DISTRIBUTION,
	ARG_TRAFFIC,
	ARG_REPORT = ARG_TRAFFIC + FL_TRAFFIC_ARGS_COUNT,
};

static const struct fl_arg compare_args[] = {
	{"algorithm", 'a', "SPEC",
		"NAME[,OPTION=VALUE...]; may be repeated (default: all that fit)"},
	{"compat", 0, "SPEC", "another system's mapping; may be repeated"},
	{"nodes", 'n', "N,...", "numbers of nodes (default: 10,100,1000)"},
	{"weights", 'w', "W,...", "weights of the nodes, over and over (default: 1)"},
	{"scenario", 0, "NAME", "\"readme\": five nodes, of which two die"},
	{"no-time", 0, NULL, "measure no times: then the report is the same everywhere"},
	{"distribution", 0, NULL, "list every node's keys, however many nodes there are"},
	FL_TRAFFIC_ARGS,
	FL_REPORT_ARGS,
	FL_ARG_END,
};

struct compare {
	const struct fl_verb *verb;
	struct fl_traffic_args traffic;
	struct fl_report_args report;
	char *specs[ALGORITHMS_MOST]; /* owned; none: all */
	size_t spec_count;
	int64_t sizes[SIZES_MOST];
	size_t size_count;
	int64_t weights[WEIGHTS_MOST];
	size_t weight_count;
	const char *scenario, *weights_text;
	bool no_time, distribution;
	struct fl_keyset *keys;
	struct fl_comparison all;
};

/* ---- memberships ---- */

static int out_of_memory(const struct compare *c)
{
	return fl_usage_error(c->verb, "out of memory");
}

static void membership_fini(struct fl_membership *m)
{
	for (size_t i = 0; m->names && i < m->count; i++)
		free(m->names[i]);
	free(m->names);
	free(m->nodes);
}

static int membership_init(const struct compare *c, struct fl_membership *m, size_t n)
{
	char name[32];

	*m = (struct fl_membership){.nodes = calloc(n, sizeof(*m->nodes)),
		.names = calloc(n, sizeof(*m->names)),
		.count = n,
		.gone = {n / 2, n / 2 + 1 < n ? n / 2 + 1 : 0}};
	if (!m->nodes || !m->names)
		return out_of_memory(c);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "node-%zu", i + 1);
		m->names[i] = strdup(name);
		if (!m->names[i])
			return out_of_memory(c);
		m->nodes[i] = (struct fl_node){
			m->names[i], (int32_t)c->weights[i % c->weight_count], FL_NONE, NULL};
	}
	(void)snprintf(m->added, sizeof(m->added), "node-%zu", n + 1);
	return FL_EXIT_DONE;
}

static int make_memberships(struct compare *c)
{
	int rc = FL_EXIT_DONE;

	c->all.sizes = calloc(c->size_count, sizeof(*c->all.sizes));
	if (!c->all.sizes)
		return out_of_memory(c);
	for (size_t i = 0; rc == FL_EXIT_DONE && i < c->size_count; i++) {
		rc = membership_init(c, &c->all.sizes[i], (size_t)c->sizes[i]);
		c->all.size_count = i + 1;
	}
	return rc;
}

/* ---- the scenario ---- */

static const char *const readme_specs[] = {
	"ring,points=1", "ring,points=200", "rendezvous", "table", "maglev", "modulo"};

/* The owners on the one-point ring, as they stand on the circle. */
static bool walk_circle(const fl_placement *ring, uint32_t owners[], size_t n)
{
	struct fl_key key = fl_key_hash(0);
	struct fl_position at;

	for (size_t i = 0; i < n; i++) {
		if (fl_locate(ring, &key, &at) != FL_OK)
			return false;
		owners[i] = fl_lookup_hash(ring, at.last);
		key.hash = at.last + 1;
	}
	return true;
}

/* The two that die are neighbours on the circle with one point a node, those with the most keys of
 * all neighbours: what the next one inherits there is then plain to see. */
static int choose_the_dead(struct compare *c)
{
	struct fl_membership *m = &c->all.sizes[0];
	uint32_t circle[64];
	double shares[64], most = -1;
	fl_placement *ring = NULL;
	bool known =
		m->count <= 64 &&
		fl_placement_new(&ring, readme_specs[0], m->nodes, m->count, NULL) == FL_OK &&
		walk_circle(ring, circle, m->count) && fl_shares(ring, 0, shares) == FL_OK;

	for (size_t i = 0; known && i < m->count; i++) {
		uint32_t first = circle[i], second = circle[(i + 1) % m->count];

		if (shares[first] + shares[second] <= most)
			continue;
		most = shares[first] + shares[second];
		/* Slots were given in the order of the nodes. */
		m->gone[0] = first;
		m->gone[1] = second;
	}
	fl_placement_unref(ring);
	return known ? FL_EXIT_DONE : out_of_memory(c);
}

static int take_spec(struct compare *c, const char *prefix, const char *value);

static int set_scene(struct compare *c)
{
	if (strcmp(c->scenario, "readme") != 0)
		return fl_usage_error(c->verb,
			"there is no scenario \"%s\"; there is \"readme\"", c->scenario);
	if (c->spec_count || c->size_count || c->weight_count)
		return fl_usage_error(
			c->verb, "the scenario has its own algorithms, nodes and weights");
	for (size_t i = 0; i < sizeof(readme_specs) / sizeof(readme_specs[0]); i++) {
		int rc = take_spec(c, "", readme_specs[i]);

		if (rc != FL_EXIT_DONE)
			return rc;
	}
	c->sizes[0] = 5;
	c->size_count = 1;
	if (!c->traffic.keys_given)
		c->traffic.keys = SCENARIO_KEYS;
	return FL_EXIT_DONE;
}

/* ---- algorithms ---- */

/* Without --algorithm: every native one, with room for the nodes where it wants to know. */
static char *spec_for(const struct fl_algorithm_info *a, size_t nodes)
{
	char text[96];

	if (strstr(a->options, "capacity="))
		(void)snprintf(text, sizeof(text), "%s,capacity=%zu", a->name, 2 * nodes);
	else
		(void)snprintf(text, sizeof(text), "%s", a->name);
	return strdup(text);
}

static int add_item(
	struct compare *c, const struct fl_membership *m, char *spec, const char *label)
{
	struct fl_compared *items = realloc(c->all.items, (c->all.count + 1) * sizeof(*items));

	if (items)
		c->all.items = items;
	if (!items || !spec) {
		free(spec);
		return out_of_memory(c);
	}
	struct fl_compared *item = &items[c->all.count++];
	*item = (struct fl_compared){.spec = spec,
		.label = strdup(label),
		.c = {.spec = spec,
			.nodes = m->nodes,
			.count = m->count,
			.keys = c->keys,
			.added = m->added,
			.gone = {m->gone[0], m->gone[1]}}};
	return item->label ? FL_EXIT_DONE : out_of_memory(c);
}

static int add_items(struct compare *c, const struct fl_membership *m)
{
	const struct fl_algorithm_info *a = NULL;
	int rc = FL_EXIT_DONE;

	for (size_t i = 0; rc == FL_EXIT_DONE && i < c->spec_count; i++)
		rc = add_item(c, m, strdup(c->specs[i]), c->specs[i]);
	while (c->spec_count == 0 && rc == FL_EXIT_DONE && (a = fl_algorithm_next(a)))
		if (strchr(a->name, ':') == NULL)
			rc = add_item(c, m, spec_for(a, m->count), a->name);
	return rc;
}

/* ---- running ---- */

static int take_key(void *cookie, struct fl_slice key, uint64_t weight)
{
	return fl_keyset_add(cookie, key, weight);
}

static int make_keys(struct compare *c)
{
	int rc;

	if (fl_keyset_new(&c->keys) != FL_OK)
		return out_of_memory(c);
	rc = fl_traffic_args_feed(&c->traffic, NULL, take_key, c->keys);
	if (rc == FL_EXIT_DONE && fl_keyset_count(c->keys) == 0)
		return fl_usage_error(c->verb, "there are no keys");
	return rc;
}

static int run_items(struct compare *c)
{
	for (size_t i = 0; i < c->all.count; i++) {
		struct fl_compared *item = &c->all.items[i];

		item->status = fl_compare_run(&item->result, &item->c, &item->err);
		if (item->status == FL_ENOMEM)
			return out_of_memory(c);
		if (item->status == FL_OK && c->all.timed)
			item->timing = fl_compare_time(&item->c, &item->result);
	}
	return FL_EXIT_DONE;
}

static int report(struct compare *c)
{
	struct fl_report *r;
	int rc;

	c->all.traffic = &c->traffic;
	c->all.keys = c->keys;
	c->all.distribution = c->distribution;
	c->all.scenario = c->scenario;
	c->all.weights = c->weights_text ? c->weights_text : "1";
	r = fl_compare_report(&c->all);
	rc = fl_report_args_write(&c->report, r);
	fl_report_free(r);
	return rc;
}

static int compare(struct compare *c)
{
	static const int64_t sizes[] = {10, 100, 1000};
	int rc = c->scenario ? set_scene(c) : FL_EXIT_DONE;

	if (rc != FL_EXIT_DONE)
		return rc;
	if (c->size_count == 0) {
		memcpy(c->sizes, sizes, sizeof(sizes));
		c->size_count = 3;
	}
	if (c->weight_count == 0)
		c->weights[c->weight_count++] = 1;
	c->all.timed = !c->no_time;
	rc = make_memberships(c);
	if (rc == FL_EXIT_DONE && c->scenario)
		rc = choose_the_dead(c);
	if (rc == FL_EXIT_DONE)
		rc = make_keys(c);
	for (size_t i = 0; rc == FL_EXIT_DONE && i < c->all.size_count; i++)
		rc = add_items(c, &c->all.sizes[i]);
	if (rc == FL_EXIT_DONE)
		rc = run_items(c);
	return rc == FL_EXIT_DONE ? report(c) : rc;
}

static void compare_fini(struct compare *c)
{
	for (size_t i = 0; i < c->all.count; i++) {
		fl_compare_fini(&c->all.items[i].result);
		free(c->all.items[i].spec);
		free(c->all.items[i].label);
	}
	free(c->all.items);
	for (size_t i = 0; i < c->all.size_count; i++)
		membership_fini(&c->all.sizes[i]);
	free(c->all.sizes);
	for (size_t i = 0; i < c->spec_count; i++)
		free(c->specs[i]);
	fl_keyset_free(c->keys);
	fl_traffic_args_fini(&c->traffic);
}

/* ---- the command line ---- */

/* Is there such an algorithm, with such options? One node tells. */
static int check_spec(const struct compare *c, const char *spec)
{
	const struct fl_node node = {"node-1", 1, FL_NONE, NULL};
	fl_placement *p = NULL;
	struct fl_error err = {0};

	if (fl_placement_new(&p, spec, &node, 1, &err) != FL_OK)
		return fl_usage_error(c->verb, "%s", err.text);
	fl_placement_unref(p);
	return FL_EXIT_DONE;
}

static int take_spec(struct compare *c, const char *prefix, const char *value)
{
	size_t size = strlen(prefix) + strlen(value) + 1;
	char *spec;

	if (c->spec_count == ALGORITHMS_MOST)
		return fl_usage_error(c->verb, "more than %d algorithms", ALGORITHMS_MOST);
	spec = malloc(size);
	if (!spec)
		return out_of_memory(c);
	(void)snprintf(spec, size, "%s%s", prefix, value);
	c->specs[c->spec_count++] = spec;
	return check_spec(c, spec);
}

static int take_list(const struct compare *c, const char *what, const char *value, int64_t max,
	int64_t *list, size_t most, size_t *count)
{
	char *copy = strdup(value), *rest = copy, *word;
	int rc = copy ? FL_EXIT_DONE : out_of_memory(c);

	*count = 0;
	while (rc == FL_EXIT_DONE && (word = strsep(&rest, ","))) {
		if (*count == most)
			rc = fl_usage_error(c->verb, "--%s: more than %zu numbers", what, most);
		else if (fl_conf_parse_int(word, 1, max, &list[*count]) != 0)
			rc = fl_usage_error(c->verb,
				"--%s wants whole numbers from 1 to %lld with commas between "
				"them, not \"%s\"",
				what, (long long)max, value);
		else
			(*count)++;
	}
	free(copy);
	return rc;
}

static int take(struct compare *c, int id, const char *value)
{
	if (id == FL_ARGS_WORD)
		return fl_usage_error(c->verb, "\"%s\" is not expected", value);
	if (id >= ARG_REPORT)
		return fl_report_args_take(&c->report, id - ARG_REPORT, value);
	if (id >= ARG_TRAFFIC)
		return fl_traffic_args_take(&c->traffic, id - ARG_TRAFFIC, value);
	switch (id) {
	case ARG_ALGORITHM:
		return take_spec(c, "", value);
	case ARG_COMPAT:
		return take_spec(c, "compat:", value);
	case ARG_NODES:
		return take_list(c, "nodes", value, FL_MAX_NODES - 1, c->sizes, SIZES_MOST,
			&c->size_count);
	case ARG_WEIGHTS:
		c->weights_text = value;
		return take_list(c, "weights", value, FL_MAX_WEIGHT / 2, c->weights,
			WEIGHTS_MOST, &c->weight_count);
	case ARG_SCENARIO:
		c->scenario = value;
		return FL_EXIT_DONE;
	case ARG_NO_TIME:
		c->no_time = true;
		return FL_EXIT_DONE;
	default:
		c->distribution = true;
		return FL_EXIT_DONE;
	}
}

static int run(const struct fl_verb *verb, int argc, char **argv)
{
	struct compare c = {.verb = verb};
	struct fl_args args;
	int id = FL_ARGS_END, rc = FL_EXIT_DONE;

	fl_traffic_args_init(&c.traffic, verb, KEYS_DEFAULT);
	fl_report_args_init(&c.report, verb);
	fl_args_init(&args, verb, argc, argv);
	while (rc == FL_EXIT_DONE && (id = fl_args_next(&args)) != FL_ARGS_END) {
		if (id == FL_ARGS_STOP)
			break;
		rc = take(&c, id, args.value);
	}
	if (rc == FL_EXIT_DONE)
		rc = id == FL_ARGS_STOP ? args.status : compare(&c);
	compare_fini(&c);
	return rc;
}

const struct fl_verb fl_verb_compare = {
	.name = "compare",
	.usage = "[OPTIONS]",
	.summary = "Compares algorithms: balance, disruption, failover, cost",
	.text = "Every figure but the times is a count over the same keys, so that anyone gets "
		"the\n"
		"same. Nodes are called node-1, node-2 ...; the one in the middle goes, or "
		"gets\n"
		"twice its weight, and with it the next one.\n"
		"\n"
		"  fairlead compare --scenario readme\n"
		"  fairlead compare -a table -a ring -a compat:nginx-consistent -n 10,50 "
		"--html out.html",
	.args = compare_args,
	.run = run,
};
