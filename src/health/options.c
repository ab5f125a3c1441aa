/* The rows of `health`. Each word alone means something (tcp, http), and the map spells it out. */
#include "health/options.h"

#include "conf/conf.h"

#include <stdio.h>
#include <string.h>

/* "200" or "200-399". */
static int parse_expect(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct fl_health_expect *expect = out;
	struct fl_conf_quoted quoted;
	char first[8];
	int64_t min, max;

	if (node->kind == FL_CONF_SCALAR) {
		const char *dash = strchr(node->text, '-');
		int n = dash ? (int)(dash - node->text) : (int)strlen(node->text);

		if (n < (int)sizeof(first)) {
			(void)snprintf(first, sizeof(first), "%.*s", n, node->text);
			if (fl_conf_parse_int(first, 100, 599, &min) == 0 &&
				fl_conf_parse_int(dash ? dash + 1 : first, min, 599, &max) ==
					0) {
				*expect =
					(struct fl_health_expect){(unsigned)min, (unsigned)max};
				return 0;
			}
		}
		return fl_conf_error(conf, node,
			"\"expect\" wants a status from 100 to 599, or two such as 200-399, "
			"not %s",
			fl_conf_quote(&quoted, node->text));
	}
	return fl_conf_error(conf, node, "\"expect\" wants a status, or two such as 200-399");
}

/* Nothing that would end the request line or the field early. */
static int plain_text(struct fl_conf *conf, const struct fl_conf_node *node, const char *what)
{
	struct fl_conf_quoted quoted;

	for (const char *p = node->text; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return fl_conf_error(conf, node,
				"%s has a character that a %s cannot have",
				fl_conf_quote(&quoted, node->text), what);
	return 0;
}

static int check_path(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct fl_conf_quoted quoted;

	(void)out;
	if (node->text[0] != '/')
		return fl_conf_error(conf, node,
			"\"path\" wants a path that begins with /, not %s",
			fl_conf_quote(&quoted, node->text));
	return plain_text(conf, node, "path");
}

static int check_host(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	(void)out;
	return plain_text(conf, node, "host");
}

static int kind_of(struct fl_conf *conf, const struct fl_conf_node *node,
	const struct fl_health_conf *health)
{
	const struct fl_conf_node *type = fl_conf_get(node, "type");
	int kind = health->kind;

	if (health->tcp && health->http_given)
		return fl_conf_error(conf, fl_conf_get(node, "tcp")->key,
			"a health check is either tcp or http, not both");
	if (!type) {
		if (health->tcp)
			return FL_HEALTH_TCP;
		if (health->http_given)
			return FL_HEALTH_HTTP;
		return fl_conf_error(
			conf, node, "\"health\" does not say what to check: tcp, http or none");
	}
	if ((health->tcp && kind != FL_HEALTH_TCP) ||
		(health->http_given && kind != FL_HEALTH_HTTP))
		return fl_conf_error(conf, type,
			"\"type\" and what else is in \"health\" contradict each other");
	return kind;
}

static int health_done(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct fl_health_conf *health = out;
	const struct fl_conf_node *timeout = fl_conf_get(node, "timeout");
	int kind = kind_of(conf, node, health);

	if (kind < 0)
		return -1;
	if (health->timeout_ms > health->interval_ms) {
		if (timeout)
			return fl_conf_error(conf, timeout,
				"the timeout of a health check is longer than its interval");
		health->timeout_ms = health->interval_ms;
	}
	health->kind = kind;
	return 0;
}

static const char *const kinds[] = {"none", "tcp", "http", NULL};

static const struct fl_option http_rows[] = {
	{.name = "path",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_health_http_conf, path),
		.doc = "What is asked for.",
		.def = "/",
		.min = 1,
		.max = 1024,
		.form = "a path such as /ok",
		.parse = check_path},
	{.name = "host",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_health_http_conf, host),
		.doc = "The Host field; without it, the node's address.",
		.min = 1,
		.max = 255,
		.form = "a host such as app.example.com",
		.parse = check_host},
	{.name = "expect",
		.type = FL_OPT_CUSTOM,
		.offset = offsetof(struct fl_health_http_conf, expect),
		.doc = "The statuses that count as a success.",
		.def = "200-399",
		.form = "a status, or two such as 200-399",
		.parse = parse_expect},
	FL_OPTION_END,
};

static const struct fl_option check_rows[] = {
	{.name = "type",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct fl_health_conf, kind),
		.doc = "What is checked; may be left out beside \"tcp\" or \"http\".",
		.def = "none",
		.choices = kinds},
	{.name = "tcp",
		.type = FL_OPT_BOOL,
		.offset = offsetof(struct fl_health_conf, tcp),
		.doc = "A connection that opens is a success.",
		.def = "false"},
	{.name = "http",
		.type = FL_OPT_MAP,
		.offset = offsetof(struct fl_health_conf, http),
		.given = offsetof(struct fl_health_conf, http_given),
		.doc = "A GET request that is answered with an expected status is a success.",
		.rows = http_rows,
		.scalar_row = "path"},
	{.name = "interval",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_health_conf, interval_ms),
		.doc = "From the end of one probe to the next.",
		.def = "2s",
		.min = 100,
		.max = 3600 * 1000},
	{.name = "timeout",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_health_conf, timeout_ms),
		.doc = "For a whole probe; not longer than the interval.",
		.def = "1s",
		.min = 10,
		.max = 3600 * 1000},
	{.name = "rise",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_health_conf, rise),
		.doc = "Successes in a row that bring a node up.",
		.def = "2",
		.min = 1,
		.max = 100},
	{.name = "fall",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_health_conf, fall),
		.doc = "Failures in a row that take a node down.",
		.def = "3",
		.min = 1,
		.max = 100},
	FL_OPTION_END,
};

const struct fl_option fl_health_rows[] = {
	{.name = "health",
		.type = FL_OPT_MAP,
		.offset = 0,
		.doc = "Active checks of the nodes; without it, only traffic tells.",
		.rows = check_rows,
		.scalar_row = "type",
		.parse = health_done},
	FL_OPTION_END,
};
