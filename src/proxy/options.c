/* The rows of listeners, routes, forwarding, limits and timeouts. */
#include "proxy/options.h"

#include "conf/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* ---- listeners and routes ---- */

static const char *const protocols[] = {"http", NULL};

const struct fl_option fl_listener_rows[] = {
	{.name = "name",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_listener_conf, name),
		.doc = "What routes, logs and metrics call it.",
		.min = 1,
		.max = 64,
		.required = true},
	{.name = "bind",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_listener_conf, bind),
		.doc = "Where clients connect to.",
		.form = "an address such as :8080, 127.0.0.1:8080, [::1]:80 or unix:/path",
		.min = 1,
		.max = 255,
		.required = true},
	{.name = "protocol",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct fl_listener_conf, protocol),
		.doc = "What is spoken there.",
		.def = "http",
		.choices = protocols},
	FL_OPTION_END,
};

/* "example.com", "*.example.com" or "[::1]"; no port. */
static bool is_host(const char *host)
{
	bool literal = host[0] == '[';
	const char *p = strncmp(host, "*.", 2) == 0 ? host + 2 : host;

	if (!*p || *p == '.' || strstr(p, ".."))
		return false;
	if (literal)
		return strspn(p + 1, "0123456789abcdefABCDEF:.") + 2 == strlen(p) &&
		       p[strlen(p) - 1] == ']';
	for (; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	return true;
}

static int check_host(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	struct fl_conf_quoted quoted;

	if (is_host(*(const char *const *)out))
		return 0;
	return fl_conf_error(conf, node,
		"\"host\" wants a host such as example.com or *.example.com, without a port, "
		"not %s",
		fl_conf_quote(&quoted, node->text));
}

static int check_path(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	const char *path = *(const char *const *)out;
	struct fl_conf_quoted quoted;

	if (path[0] != '/')
		return fl_conf_error(conf, node,
			"\"path\" wants a prefix that begins with /, not %s",
			fl_conf_quote(&quoted, path));
	for (const char *p = path; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || *p == '?' || *p == '#')
			return fl_conf_error(conf, node,
				"\"path\" wants a path without a query, a fragment or blanks, "
				"not %s",
				fl_conf_quote(&quoted, path));
	return 0;
}

const struct fl_option fl_route_rows[] = {
	{.name = "listener",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_route_conf, listener),
		.doc = "Only requests that came in there; without it, from everywhere.",
		.form = "the name of a listener",
		.min = 1,
		.max = 64},
	{.name = "host",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_route_conf, host),
		.doc = "Only requests for this host; *.example.com is every host below it.",
		.form = "a host such as example.com or *.example.com",
		.min = 1,
		.max = 255,
		.parse = check_host},
	{.name = "path",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_route_conf, path),
		.doc = "Only paths with this prefix, on the boundary of a segment.",
		.form = "a path such as /api",
		.min = 1,
		.max = 1024,
		.parse = check_path},
	{.name = "pool",
		.type = FL_OPT_STRING,
		.offset = offsetof(struct fl_route_conf, pool),
		.doc = "The pool that gets the requests.",
		.form = "the name of a pool",
		.min = 1,
		.max = 255,
		.required = true},
	FL_OPTION_END,
};

/* ---- forwarding ---- */

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define KIB    1024
#define TIB    (1LL << 40)

static const char *const no_keys[] = {"client_ip", "random", "reject", NULL};

/* Offsets count from the start of struct fl_forward_conf: the map itself is at 0. */
static const struct fl_option eject_rows[] = {
	{.name = "fails",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_forward_conf, eject_fails),
		.doc = "Failures in a row that eject a node; 0: never.",
		.def = "1",
		.min = 0,
		.max = 1000},
	{.name = "for",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_forward_conf, eject_ms),
		.doc = "An ejected node without active checks is tried again after this.",
		.def = "10s",
		.min = 100,
		.max = HOUR},
	FL_OPTION_END,
};

const struct fl_option fl_forward_rows[] = {
	{.name = "key",
		.type = FL_OPT_CUSTOM,
		.offset = offsetof(struct fl_forward_conf, key),
		.doc = "Where a request's key comes from: the first source that gives a value.",
		.def = "[client_ip]",
		.form = "sources such as [{header: X-User}, \"cookie:sid\", client_ip]",
		.parse = fl_key_sources_parse},
	{.name = "no_key",
		.type = FL_OPT_ENUM,
		.offset = offsetof(struct fl_forward_conf, no_key),
		.doc = "What stands in when no source gives a value; reject: an answer of 400.",
		.def = "client_ip",
		.choices = no_keys},
	{.name = "replay",
		.type = FL_OPT_SIZE,
		.offset = offsetof(struct fl_forward_conf, replay),
		.doc = "Bytes of a request body that are kept so that the request can be tried "
		       "again.",
		.def = "64KiB",
		.unit = "bytes",
		.min = 0,
		.max = 16 << 20},
	{.name = "attempts",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_forward_conf, attempts),
		.doc = "Nodes tried for one request, the first included.",
		.def = "3",
		.min = 1,
		.max = 16},
	{.name = "connect",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_forward_conf, connect_ms),
		.doc = "To establish a connection to a node.",
		.def = "2s",
		.min = 1,
		.max = HOUR},
	{.name = "response",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_forward_conf, response_ms),
		.doc = "From the request sent to the first byte of the answer.",
		.def = "60s",
		.min = 1,
		.max = 24 * HOUR},
	{.name = "stall",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_forward_conf, stall_ms),
		.doc = "Without a byte either way, once a body is under way.",
		.def = "60s",
		.min = 1,
		.max = 24 * HOUR},
	{.name = "keepalive",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_forward_conf, keepalive_ms),
		.doc = "An idle connection to a node is kept so long: less than the node keeps "
		       "it. 0s: never.",
		.def = "4s",
		.min = 0,
		.max = HOUR},
	{.name = "keepalive_connections",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_forward_conf, keepalive),
		.doc = "Idle connections that each worker keeps to a node.",
		.def = "64",
		.min = 0,
		.max = 65536},
	{.name = "eject",
		.type = FL_OPT_MAP,
		.offset = 0,
		.doc = "When failing requests take a node out.",
		.rows = eject_rows},
	FL_OPTION_END,
};

/* ---- the client's side ---- */

const struct fl_option fl_limit_rows[] = {
	{.name = "line",
		.type = FL_OPT_SIZE,
		.offset = offsetof(struct fl_client_conf, line),
		.doc = "Bytes of a request line; a longer one is answered with 414.",
		.def = "8KiB",
		.unit = "bytes",
		.min = 64,
		.max = 64 * KIB},
	{.name = "head",
		.type = FL_OPT_SIZE,
		.offset = offsetof(struct fl_client_conf, head),
		.doc = "Bytes of a request or answer head; a longer one is answered with 431.",
		.def = "32KiB",
		.unit = "bytes",
		.min = KIB,
		.max = 64 * KIB},
	{.name = "headers",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_client_conf, headers),
		.doc = "Header fields of a head.",
		.def = "100",
		.min = 1,
		.max = 128},
	{.name = "body",
		.type = FL_OPT_SIZE,
		.offset = offsetof(struct fl_client_conf, body),
		.doc = "Bytes of a request body; a longer one is answered with 413.",
		.def = "1GiB",
		.unit = "bytes",
		.min = 0,
		.max = 1024 * TIB},
	{.name = "connections",
		.type = FL_OPT_INT,
		.offset = offsetof(struct fl_client_conf, connections),
		.doc = "Client connections in all; over it, new ones are closed at once.",
		.def = "50000",
		.min = 1,
		.max = 10000000},
	FL_OPTION_END,
};

const struct fl_option fl_timeout_rows[] = {
	{.name = "head",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_client_conf, head_ms),
		.doc = "To receive a whole request head.",
		.def = "10s",
		.min = 10,
		.max = HOUR},
	{.name = "idle",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_client_conf, idle_ms),
		.doc = "A client's connection may wait so long for its next request.",
		.def = "60s",
		.min = 10,
		.max = 24 * HOUR},
	{.name = "stall",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_client_conf, stall_ms),
		.doc = "Without a byte either way, once a body is under way.",
		.def = "30s",
		.min = 10,
		.max = 24 * HOUR},
	{.name = "drain",
		.type = FL_OPT_DURATION,
		.offset = offsetof(struct fl_client_conf, drain_ms),
		.doc = "After SIGTERM, requests under way may take so long.",
		.def = "30s",
		.min = 0,
		.max = HOUR},
	FL_OPTION_END,
};
