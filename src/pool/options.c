/* The pool's own part of the file. Forms that people write by hand are short; all of them end in
 * the same structs, so that the command line and the file build the same pools. */
#include "pool/options.h"

#include "conf/conf.h"
#include "conf/text.h"
#include "lib/spec.h"
#include "place/placement_priv.h"

#include <stdio.h>
#include <stdlib.h>

/* fl_pool_conf holds its nodes the way the engine fills lists. */
_Static_assert(
	offsetof(struct fl_pool_conf, count) - offsetof(struct fl_pool_conf, nodes) ==
		offsetof(struct fl_option_list, count) - offsetof(struct fl_option_list, items),
	"nodes and count must lie as in struct fl_option_list");

#define SPEC_MOST     512
#define SECRET_FILE   "secret_file"
#define SECRET_DIGITS 32

/* ---- nodes ---- */

/* "a=10.0.0.1:80" is a name and an address; "10.0.0.1:80" is both. */
static int split_address(
	struct fl_conf *conf, const struct fl_conf_node *node, struct fl_node_conf *n)
{
	const char *equals = n->address ? strchr(n->address, '=') : NULL;
	char *name;

	if (!n->address) {
		(void)fl_conf_error(conf, node, "a node wants a name");
		return -1;
	}
	if (!equals) {
		n->name = n->address;
		return 0;
	}
	name = fl_conf_alloc(conf, (size_t)(equals - n->address) + 1);
	if (!name) {
		(void)fl_conf_error(conf, NULL, "out of memory");
		return -1;
	}
	memcpy(name, n->address, (size_t)(equals - n->address));
	n->name = name;
	n->address = equals + 1;
	return 0;
}

static int check_text(
	struct fl_conf *conf, const struct fl_conf_node *map, const char *key, const char *text)
{
	const struct fl_conf_node *at = fl_conf_get(map, key);
	struct fl_conf_quoted quoted;

	for (const char *p = text ? text : ""; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return fl_conf_error(conf, at ? at : map,
				"%s has a control character, which a node's %s must not",
				fl_conf_quote(&quoted, text), key);
	return 0;
}

static int node_done(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct fl_node_conf *n = out, full = *n;
	struct fl_conf_quoted quoted;

	if (!full.name && split_address(conf, node, &full) != 0)
		return -1;
	if (strlen(full.name) < 1 || strlen(full.name) > FL_MAX_NAME)
		return fl_conf_error(conf, node, "a node's name has 1 to %d bytes, not %zu",
			FL_MAX_NAME, strlen(full.name));
	if (full.address && !*full.address)
		return fl_conf_error(conf, node, "node %s wants an address behind the \"=\"",
			fl_conf_quote(&quoted, full.name));
	if (check_text(conf, node, "name", full.name) != 0 ||
		check_text(conf, node, "address", full.address) != 0 ||
		check_text(conf, node, "zone", full.zone) != 0)
		return -1;
	if (full.id > 0 && full.slot >= 0 && full.slot != full.id - 1)
		return fl_conf_error(conf, fl_conf_get(node, "id"),
			"id %lld is slot %lld, but node %s has slot %lld; one of them is "
			"enough",
			(long long)full.id, (long long)full.id - 1,
			fl_conf_quote(&quoted, full.name), (long long)full.slot);
	if (full.id > 0)
		full.slot = full.id - 1;
	*n = full;
	return 0;
}

static const char *const admin_choices[] = {"enabled", "drain", "disabled", NULL};

static const struct fl_option node_rows[] = {
	{.name = "name",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_node_conf, name),
		.doc = "Identifies the node: keys follow the name, not the address. Without "
		       "it, "
		       "the address is the name.",
		.min = 1,
		.max = FL_MAX_NAME},
	{.name = "address",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_node_conf, address),
		.doc = "Where the node listens; may change under its name without moving a "
		       "key.",
		.form = "an address such as 10.0.0.1:80, [::1]:80, unix:/path or host:80",
		.min = 1,
		.max = 1024},
	{.name = "weight",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_node_conf, weight),
		.doc = "Its share of the keys, relative to the other nodes; with 0 it keeps "
		       "its "
		       "place and is given no keys.",
		.def = "1",
		.min = 0,
		.max = FL_MAX_WEIGHT},
	{.name = "zone",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_node_conf, zone),
		.doc = "Where it stands: a rack, a data centre.",
		.min = 1,
		.max = FL_MAX_NAME},
	{.name = "slot",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_node_conf, slot),
		.doc = "Its number, for algorithms that map keys to numbers; -1: any free one.",
		.def = "-1",
		.min = -1,
		.max = FL_MAX_NODES - 1},
	{.name = "id",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_node_conf, id),
		.doc = "The slot as other systems count, from 1: HAProxy's `id`; 0: as "
		       "\"slot\" "
		       "says.",
		.def = "0",
		.min = 0,
		.max = FL_MAX_NODES},
	{.name = "backup",
		.type = FL_OPT_BOOL,
		.offset = offsetof(struct fl_node_conf, backup),
		.doc = "Takes keys only when no ordinary node can.",
		.def = "false"},
	{.name = "state",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct fl_node_conf, admin),
		.doc = "drain: keeps its sessions and is given no new keys; disabled: as if it "
		       "were not there.",
		.def = "enabled",
		.choices = admin_choices},
	FL_OPTION_END,
};

/* ---- the algorithm ---- */

/* The library's word on a spec. */
static int try_spec(const char *spec, struct fl_error *err)
{
	fl_placement *p = NULL;
	int rc = fl_placement_new(&p, spec, NULL, 0, err);

	fl_placement_unref(p);
	return rc;
}

static int keep_spec(struct fl_conf *conf, const char *spec, void *out)
{
	size_t len = strlen(spec);
	char *copy = fl_conf_alloc(conf, len + 1);

	if (!copy)
		return fl_conf_error(conf, NULL, "out of memory");
	memcpy(copy, spec, len + 1);
	*(const char **)out = copy;
	return 0;
}

static int spec_text(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct fl_error err = {0};

	if (fl_conf_is_null(node) || !*node->text)
		return fl_conf_error(conf, node, "\"algorithm\" wants a name such as table");
	if (try_spec(node->text, &err) != FL_OK)
		return fl_conf_error(conf, node, "%s", err.text);
	return keep_spec(conf, node->text, out);
}

/* "NAME" or "compat:NAME", of the map's first word. */
static int spec_name(struct fl_conf *conf, const struct fl_conf_node *map, char *spec)
{
	const struct fl_conf_node *name = fl_conf_get(map, "name");
	const struct fl_conf_node *compat = fl_conf_get(map, "compat");
	const struct fl_conf_node *which = name ? name : compat;
	struct fl_error err = {0};

	if (name && compat)
		return fl_conf_error(conf, compat->key,
			"an algorithm has either \"name\" or \"compat\", not both");
	if (!which)
		return fl_conf_error(conf, map,
			"an algorithm wants \"name\" (or \"compat\"), such as table");
	if (which->kind != FL_CONF_SCALAR || fl_conf_is_null(which) || !*which->text ||
		strpbrk(which->text, ",=") || strlen(which->text) > 64)
		return fl_conf_error(
			conf, which, "\"%s\" wants the name of an algorithm", which->key->text);
	(void)snprintf(spec, SPEC_MOST, "%s%s", name ? "" : "compat:", which->text);
	if (try_spec(spec, &err) != FL_OK)
		return fl_conf_error(conf, which, "%s", err.text);
	return 0;
}

/* Appends ",key=value", when the algorithm takes it. Messages are about `option`, and show no
 * secret, as those of the library do not. */
static int add_option(struct fl_conf *conf, const struct fl_conf_node *option, const char *key,
	const char *value, char *spec)
{
	struct fl_error err = {0};
	size_t len = strlen(spec);
	char alone[SPEC_MOST];
	int n = snprintf(
		alone, sizeof(alone), "%.*s,%s=%s", (int)strcspn(spec, ","), spec, key, value);

	if (n < 0 || n >= (int)sizeof(alone) || len + (size_t)n >= SPEC_MOST)
		return fl_conf_error(conf, option, "the algorithm's options are too long");
	if (try_spec(alone, &err) != FL_OK)
		return fl_conf_error(
			conf, err.code == FL_ENOENT ? option->key : option, "%s", err.text);
	(void)snprintf(spec + len, SPEC_MOST - len, ",%s=%s", key, value);
	return 0;
}

static int spec_option(struct fl_conf *conf, const struct fl_conf_node *option, char *spec)
{
	if (option->kind != FL_CONF_SCALAR || fl_conf_is_null(option) || !*option->text ||
		strpbrk(option->text, ",="))
		return fl_conf_error(conf, option, "\"%s\" wants a single value",
			strlen(option->key->text) <= 40 ? option->key->text : "option");
	return add_option(conf, option, option->key->text, option->text, spec);
}

/* The first line of bytes[0..len) into `line`, when it can be a secret at all. */
static bool secret_line(char line[SECRET_DIGITS + 1], const char *bytes, size_t len)
{
	size_t n = 0;

	while (n < len && bytes[n] != '\n' && bytes[n] != '\r')
		n++;
	if (n != SECRET_DIGITS)
		return false;
	memcpy(line, bytes, n);
	line[n] = '\0';
	return strspn(line, "0123456789abcdefABCDEF") == n;
}

/* The same for "secret", which is the first line of a file. */
static int spec_secret_file(struct fl_conf *conf, const struct fl_conf_node *option, char *spec)
{
	struct fl_conf_quoted path;
	char line[SECRET_DIGITS + 1], *bytes = NULL;
	const char *why;
	size_t len = 0;
	bool good;

	if (option->kind != FL_CONF_SCALAR || fl_conf_is_null(option) || !*option->text)
		return fl_conf_error(
			conf, option, "\"" SECRET_FILE "\" wants the path of a file");
	why = fl_conf_slurp(option->text, FL_CONF_MAX_BYTES, &bytes, &len);
	if (why)
		return fl_conf_error(conf, option, "cannot read %s: %s",
			fl_conf_quote(&path, option->text), why);
	good = secret_line(line, bytes, len);
	free(bytes);
	if (!good)
		return fl_conf_error(conf, option,
			"the first line of %s is not 32 hexadecimal digits",
			fl_conf_quote(&path, option->text));
	return add_option(conf, option, "secret", line, spec);
}

static bool is_name(const struct fl_conf_node *option)
{
	return strcmp(option->key->text, "name") == 0 ||
	       strcmp(option->key->text, "compat") == 0;
}

static int spec_map(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct fl_error err = {0};
	char spec[SPEC_MOST];
	int rc = 0;
	const struct fl_conf_node *file = fl_conf_get(node, SECRET_FILE);

	if (spec_name(conf, node, spec) != 0)
		return -1;
	if (file && fl_conf_get(node, "secret"))
		return fl_conf_error(conf, file->key,
			"an algorithm has either \"secret\" or \"" SECRET_FILE "\", not both");
	for (const struct fl_conf_node *o = node->child; o; o = o->next) {
		if (o->bad || is_name(o))
			continue;
		rc |= strcmp(o->key->text, SECRET_FILE) == 0 ? spec_secret_file(conf, o, spec)
		                                             : spec_option(conf, o, spec);
	}
	if (rc != 0)
		return -1;
	if (try_spec(spec, &err) != FL_OK)
		return fl_conf_error(conf, node, "%s", err.text);
	return keep_spec(conf, spec, out);
}

static int parse_algorithm(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	if (node->kind == FL_CONF_SCALAR)
		return spec_text(conf, node, out);
	if (node->kind == FL_CONF_MAP)
		return spec_map(conf, node, out);
	return fl_conf_error(conf, node, "\"algorithm\" wants a name or a map, not a list");
}

const struct fl_option fl_pool_rows[] = {
	{.name = "name",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_pool_conf, name),
		.doc = "What routes and reports call the pool.",
		.min = 1,
		.max = FL_MAX_NAME,
		.required = true},
	{.name = "algorithm",
		.type = FL_OPT_CUSTOM,
		.offset = offsetof(struct fl_pool_conf, spec),
		.doc = "How keys are mapped to nodes: a name with options, or {compat: NAME} "
		       "for "
		       "another system's mapping. A secret (32 hexadecimal digits, the same "
		       "for "
		       "all balancers; a map may name a file with it as its secret_file) "
		       "hashes "
		       "keys so that clients cannot aim them at one node.",
		.def = "table",
		.form = "an algorithm such as table, \"ring,points=200\" or {name: table, "
			"seed: 7}",
		.parse = parse_algorithm},
	{.name = "nodes",
		.type = FL_OPT_LIST,
		.offset = offsetof(struct fl_pool_conf, nodes),
		.doc = "The nodes; \"a=10.0.0.1:80\" is short for a name and an address.",
		.rows = node_rows,
		.item_size = sizeof(struct fl_node_conf),
		.max_items = FL_MAX_NODES,
		.min = 1,
		.required = true,
		.scalar_row = "address",
		.parse = node_done},
	{.name = "slow_start",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_pool_conf, slow_start_ms),
		.doc = "How long a node that comes back takes to get all of its keys; 0s: at "
		       "once.",
		.def = "0s",
		.min = 0,
		.max = 24 * 3600 * 1000},
	FL_OPTION_END,
};

/* ---- the list as a whole ---- */

const struct fl_conf_node *fl_pool_conf_item(const struct fl_conf_node *node, size_t i)
{
	const struct fl_conf_node *list = fl_conf_get(node, "nodes"), *item = NULL;

	if (list && list->kind == FL_CONF_LIST)
		for (item = list->child; item && i > 0; i--)
			item = item->next;
	return item ? item : node;
}

const struct fl_conf_node *fl_pool_conf_next(
	const struct fl_conf_node *node, const struct fl_conf_node *item)
{
	return item != node && item->next ? item->next : node;
}

static const struct fl_node_conf *const *order_of(const void *p)
{
	return p;
}

/* By name, then by place. */
static int by_name(const void *a, const void *b)
{
	const struct fl_node_conf *x = *order_of(a), *y = *order_of(b);
	int order = strcmp(x->name, y->name);

	return order ? order : (x > y) - (x < y);
}

/* The value of `key` in `map`, or the map itself. */
static const struct fl_conf_node *value_at(const struct fl_conf_node *map, const char *key)
{
	const struct fl_conf_node *value = fl_conf_get(map, key);

	return value ? value : map;
}

static int check_slot(struct fl_conf *conf, const struct fl_conf_node *item,
	const struct fl_node_conf *n, const char *algorithm, uint32_t capacity)
{
	struct fl_conf_quoted quoted;

	if (n->slot < 0)
		return fl_conf_error(conf, item,
			"node %s wants a \"slot\": %s knows nodes by their numbers, which must "
			"not change with the order of this list",
			fl_conf_quote(&quoted, n->name), algorithm);
	if (n->slot >= (int64_t)capacity)
		return fl_conf_error(conf, value_at(item, "slot"),
			"slot %lld of node %s is not below %u, the capacity of %s",
			(long long)n->slot, fl_conf_quote(&quoted, n->name), capacity,
			algorithm);
	return 0;
}

/* What an algorithm that maps keys to numbers wants of a list that is read again and again. */
static int check_slots(
	struct fl_conf *conf, const struct fl_conf_node *node, const struct fl_pool_conf *pool)
{
	struct fl_spec spec;
	int rc = 0;

	if (!pool->spec || fl_spec_parse(&spec, pool->spec, NULL) != FL_OK)
		return 0; /* that is said already */
	if (spec.algorithm->lifo)
		return fl_conf_error(conf, value_at(node, "algorithm"),
			"a pool cannot use %s: its mapping depends on which nodes went before, "
			"and a pool keeps no record of that; use dx, with a \"slot\" for each "
			"node, or table",
			spec.algorithm->info.name);
	if (!spec.algorithm->numbered && !spec.algorithm->stacked)
		return 0;
	const struct fl_conf_node *item = fl_pool_conf_item(node, 0);
	for (size_t i = 0; i < pool->count; i++, item = fl_pool_conf_next(node, item))
		if (pool->nodes[i].name)
			rc |= check_slot(conf, item, &pool->nodes[i], spec.algorithm->info.name,
				fl_place_capacity(spec.algorithm, spec.options));
	return rc;
}

int fl_pool_conf_check(
	struct fl_conf *conf, const struct fl_conf_node *node, const struct fl_pool_conf *pool)
{
	const struct fl_node_conf **sorted =
		calloc(pool->count + 1, sizeof(struct fl_node_conf *));
	struct fl_conf_quoted quoted;
	size_t n = 0;
	int rc = 0;

	if (!sorted)
		return fl_conf_error(conf, NULL, "out of memory");
	for (size_t i = 0; i < pool->count; i++)
		if (pool->nodes[i].name)
			sorted[n++] = &pool->nodes[i];
	qsort(sorted, n, sizeof(struct fl_node_conf *), by_name);
	for (size_t i = 1; i < n; i++) {
		const struct fl_conf_node *item = node, *first = node;

		if (strcmp(sorted[i - 1]->name, sorted[i]->name) != 0)
			continue;
		/* Where it is takes O(n); what is only counted need not say it. */
		if (fl_conf_errors(conf) <= FL_CONF_MAX_ERRORS) {
			item = fl_pool_conf_item(node, (size_t)(sorted[i] - pool->nodes));
			first = fl_pool_conf_item(node, (size_t)(sorted[i - 1] - pool->nodes));
		}
		rc = fl_conf_error(conf, item, "there is a node called %s already, on line %u",
			fl_conf_quote(&quoted, sorted[i]->name), first->line);
	}
	free(sorted);
	return rc | check_slots(conf, node, pool);
}
