/* A table of rows with one of everything, for the tests and the fuzzer of the room conf. */
#ifndef FL_TESTS_CONF_ZOO_H
#define FL_TESTS_CONF_ZOO_H

#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

struct zoo_point {
	int64_t x, y;
};

struct zoo_key {
	const char *header;
	const char *cookie;
	struct fl_option_list all; /* of zoo_key */
};

struct zoo_node {
	const char *name;
	const char *address;
	int64_t weight;
	bool backup;
};

struct zoo_health {
	const char *path;
	uint64_t interval;
};

struct zoo_pool {
	const char *name;
	int algorithm;
	const char *header;
	struct zoo_health health;
	bool has_health;
	struct fl_option_list nodes; /* of zoo_node */
	struct fl_option_list key;   /* of zoo_key */
};

struct zoo_vault {
	const char *id;
	int64_t pin;
};

struct zoo_host {
	const char *name;
	int64_t port;
};

struct zoo {
	int64_t version;
	bool debug;
	int64_t workers, offset, floor, any;
	uint64_t buffer, quota, timeout, interval;
	double share;
	const char *title, *label, *token;
	int mode;
	struct zoo_point spot, hidden;
	struct zoo_vault vault;
	struct fl_option_list hosts; /* of zoo_host */
	struct fl_option_list pools; /* of zoo_pool */
};

static int zoo_point(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct zoo_point point = {0};
	char x[32];
	const char *comma = node->kind == FL_CONF_SCALAR ? strchr(node->text, ',') : NULL;
	struct fl_conf_quoted quoted;

	if (node->kind != FL_CONF_SCALAR)
		return fl_conf_error(conf, node, "a point is text such as 1,2");
	if (comma && comma - node->text < 32) {
		(void)snprintf(x, sizeof(x), "%.*s", (int)(comma - node->text), node->text);
		if (fl_conf_parse_int(x, -100, 100, &point.x) == 0 &&
			fl_conf_parse_int(comma + 1, -100, 100, &point.y) == 0) {
			*(struct zoo_point *)out = point;
			return 0;
		}
	}
	return fl_conf_error(conf, node, "%s is not a point such as 1,2",
		fl_conf_quote(&quoted, node->text));
}

/* Exactly one source a key. */
static int zoo_one_source(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	const struct zoo_key *key = out;
	int sources = (key->header != NULL) + (key->cookie != NULL) + (key->all.count > 0);
	if (sources != 1)
		return fl_conf_error(conf, node, "a key wants one source, not %d", sources);
	return 0;
}

static int zoo_no_slash(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	if (strchr(*(const char **)out, '/'))
		return fl_conf_error(conf, node, "a label has no slash");
	return 0;
}

static const char *const zoo_modes[] = {"http", "tcp", "udp", NULL};
static const char *const zoo_algorithms[] = {"table", "ring", "maglev", NULL};

static const struct fl_option zoo_key_rows[] = {
	{.name = "header", .type = FL_OPT_STRING, .offset = offsetof(struct zoo_key, header)},
	{.name = "cookie", .type = FL_OPT_STRING, .offset = offsetof(struct zoo_key, cookie)},
	{.name = "all",
		.type = FL_OPT_LIST,
		.offset = offsetof(struct zoo_key, all),
		.doc = "All of these, joined.",
		.rows = zoo_key_rows,
		.item = "part",
		.item_size = sizeof(struct zoo_key),
		.max_items = 4,
		.scalar_row = "header",
		.parse = zoo_one_source},
	FL_OPTION_END,
};

static const struct fl_option zoo_node_rows[] = {
	{.name = "name",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct zoo_node, name),
		.min = 1,
		.required = true},
	{.name = "address",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct zoo_node, address),
		.required = true},
	{.name = "weight",
		.type = FL_OPT_INT,
		.offset = offsetof(struct zoo_node, weight),
		.def = "1",
		.max = 65535},
	{.name = "backup", .type = FL_OPT_BOOL, .offset = offsetof(struct zoo_node, backup)},
	FL_OPTION_END,
};

static const struct fl_option zoo_health_rows[] = {
	{.name = "path",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct zoo_health, path),
		.required = true,
		.doc = "What is asked for."},
	{.name = "interval",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct zoo_health, interval),
		.def = "2s",
		.unit = "ms",
		.min = 100,
		.max = 3600000},
	FL_OPTION_END,
};

static const struct fl_option zoo_pool_rows[] = {
	{.name = "name", .type = FL_OPT_STRING, .offset = offsetof(struct zoo_pool, name)},
	{.name = "algorithm",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct zoo_pool, algorithm),
		.choices = zoo_algorithms,
		.def = "ring"},
	{.name = "header", .type = FL_OPT_STRING, .offset = offsetof(struct zoo_pool, header)},
	{.name = "health",
		.type = FL_OPT_MAP,
		.offset = offsetof(struct zoo_pool, health),
		.rows = zoo_health_rows,
		.scalar_row = "path",
		.given = offsetof(struct zoo_pool, has_health)},
	{.name = "nodes",
		.type = FL_OPT_LIST,
		.offset = offsetof(struct zoo_pool, nodes),
		.rows = zoo_node_rows,
		.item_size = sizeof(struct zoo_node),
		.min = 1},
	{.name = "key",
		.type = FL_OPT_LIST,
		.offset = offsetof(struct zoo_pool, key),
		.rows = zoo_key_rows,
		.item_size = sizeof(struct zoo_key),
		.single_ok = true,
		.scalar_row = "header",
		.def = "[x-user, {cookie: id}]",
		.parse = zoo_one_source},
	FL_OPTION_END,
};

static const struct fl_option zoo_vault_rows[] = {
	{.name = "id", .type = FL_OPT_STRING, .offset = offsetof(struct zoo_vault, id)},
	{.name = "pin", .type = FL_OPT_INT, .offset = offsetof(struct zoo_vault, pin)},
	FL_OPTION_END,
};

static const struct fl_option zoo_host_rows[] = {
	{.name = "name", .type = FL_OPT_STRING, .offset = offsetof(struct zoo_host, name)},
	{.name = "port",
		.type = FL_OPT_INT,
		.offset = offsetof(struct zoo_host, port),
		.def = "80",
		.min = 1,
		.max = 65535},
	FL_OPTION_END,
};

static const struct fl_option zoo_rows[] = {
	{.name = "version",
		.type = FL_OPT_INT,
		.offset = offsetof(struct zoo, version),
		.doc = "The version of the form.",
		.required = true,
		.min = 1,
		.max = 1},
	{.name = "debug", .type = FL_OPT_BOOL, .offset = offsetof(struct zoo, debug)},
	{.name = "workers",
		.type = FL_OPT_INT,
		.offset = offsetof(struct zoo, workers),
		.def = "2",
		.min = 1,
		.max = 256},
	{.name = "offset",
		.type = FL_OPT_INT,
		.offset = offsetof(struct zoo, offset),
		.min = -5,
		.max = 5},
	{.name = "floor",
		.type = FL_OPT_INT,
		.offset = offsetof(struct zoo, floor),
		.def = "10",
		.min = 10},
	{.name = "any", .type = FL_OPT_INT, .offset = offsetof(struct zoo, any)},
	{.name = "buffer",
		.type = FL_OPT_SIZE,
		.offset = offsetof(struct zoo, buffer),
		.def = "16KiB",
		.min = 4096,
		.max = 1 << 30},
	{.name = "quota", .type = FL_OPT_SIZE, .offset = offsetof(struct zoo, quota)},
	{.name = "timeout",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct zoo, timeout),
		.def = "5s"},
	{.name = "interval",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct zoo, interval),
		.def = "1s",
		.min = 500},
	{.name = "share",
		.type = FL_OPT_SHARE,
		.offset = offsetof(struct zoo, share),
		.def = "5%"},
	{.name = "title", .type = FL_OPT_STRING, .offset = offsetof(struct zoo, title)},
	{.name = "label",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct zoo, label),
		.min = 1,
		.max = 8,
		.parse = zoo_no_slash},
	{.name = "token",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct zoo, token),
		.def = "not-shown-default",
		.secret = true,
		.min = 8},
	{.name = "mode",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct zoo, mode),
		.choices = zoo_modes,
		.def = "tcp",
		.doc = "Either | or."},
	{.name = "spot",
		.type = FL_OPT_CUSTOM,
		.offset = offsetof(struct zoo, spot),
		.def = "3,4",
		.form = "a point such as 1,2",
		.parse = zoo_point},
	{.name = "hidden",
		.type = FL_OPT_CUSTOM,
		.offset = offsetof(struct zoo, hidden),
		.form = "a point such as 1,2",
		.secret = true,
		.parse = zoo_point},
	{.name = "vault",
		.type = FL_OPT_MAP,
		.offset = offsetof(struct zoo, vault),
		.rows = zoo_vault_rows,
		.secret = true},
	{.name = "hosts",
		.type = FL_OPT_LIST,
		.offset = offsetof(struct zoo, hosts),
		.rows = zoo_host_rows,
		.item_size = sizeof(struct zoo_host),
		.max_items = 3,
		.single_ok = true,
		.scalar_row = "name"},
	{.name = "pools",
		.type = FL_OPT_NAMED,
		.offset = offsetof(struct zoo, pools),
		.rows = zoo_pool_rows,
		.item_size = sizeof(struct zoo_pool)},
	FL_OPTION_END,
};

#endif
