/* The rows of listeners, routes, key sources, limits and timeouts. Where a key comes from has
 * several forms: one word ("client_ip/24", "header:x-user"), or a map with one key. Both are
 * first read into the same parts (what, argument), so that they cannot drift apart. */
#include "proxy/options.h"

#include "conf/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SOURCES_MOST 16
#define PARTS_MOST   8
#define NAME_MOST    128
#define LABEL_MOST   255

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

/* ---- key sources ---- */

/* What each kind is called and takes. */
static const struct kind {
	const char *word;
	enum fl_key_kind kind;
	bool named;         /* wants a name behind a colon, or as the map's value */
	bool lower;         /* names compare without case */
	const char *breaks; /* bytes that such a name cannot have, besides blanks */
} kinds[] = {
	{"client_ip", FL_KEY_CLIENT_IP, false, false, ""},
	{"header", FL_KEY_HEADER, true, true, "()<>@,;:\\\"/[]?={}"},
	{"cookie", FL_KEY_COOKIE, true, false, "()<>@,;:\\\"/[]?={}"},
	{"query", FL_KEY_QUERY, true, false, "&=#?"},
	{"path", FL_KEY_PATH, false, false, ""},
	{"host", FL_KEY_HOST, false, false, ""},
	{"all", FL_KEY_ALL, false, false, ""},
	{NULL, FL_KEY_ALL, false, false, NULL},
};

static const struct kind *find_kind(
	struct fl_conf *conf, const struct fl_conf_node *node, const char *word, size_t len)
{
	const char *names[sizeof(kinds) / sizeof(kinds[0])];
	struct fl_conf_quoted quoted;
	char text[64];
	size_t n = 0;

	(void)snprintf(text, sizeof(text), "%.*s", (int)(len < 60 ? len : 60), word);
	for (const struct kind *k = kinds; k->word; k++) {
		if (strcmp(k->word, text) == 0)
			return k;
		names[n++] = k->word;
	}
	names[n] = NULL;
	const char *near = fl_conf_nearest(text, names);
	(void)fl_conf_error(conf, node, "%s is no source of keys; %s%s%s",
		fl_conf_quote(&quoted, text), near ? "did you mean \"" : "there are ",
		near ? near : "client_ip, header, cookie, query, path, host and all",
		near ? "\"?" : "");
	return NULL;
}

static char *copy_text(struct fl_conf *conf, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = fl_conf_alloc(conf, size);

	if (copy)
		memcpy(copy, text, size);
	else
		(void)fl_conf_error(conf, NULL, "out of memory");
	return copy;
}

static int set_label(struct fl_conf *conf, struct fl_key_source *source, const char *label)
{
	source->label = copy_text(conf, label);
	return source->label ? 0 : -1;
}

/* Header, cookie or query, with its name. */
static int set_name(struct fl_conf *conf, const struct fl_conf_node *node, const struct kind *k,
	const char *name, struct fl_key_source *source)
{
	struct fl_conf_quoted quoted;
	char label[LABEL_MOST + 1];
	char *copy;

	if (!*name || strlen(name) > NAME_MOST)
		return fl_conf_error(
			conf, node, "\"%s\" wants a name of 1 to %d bytes", k->word, NAME_MOST);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p <= 0x20 || *p == 0x7f || strchr(k->breaks, *p) ||
			(k->lower && (unsigned char)*p >= 0x80))
			return fl_conf_error(conf, node, "%s cannot be the name of a %s",
				fl_conf_quote(&quoted, name),
				k->kind == FL_KEY_QUERY ? "query parameter" : k->word);
	copy = copy_text(conf, name);
	if (!copy)
		return -1;
	for (char *p = copy; k->lower && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	source->name = copy;
	(void)snprintf(label, sizeof(label), "%s:%s", k->word, copy);
	return set_label(conf, source, label);
}

/* ---- client_ip ---- */

static int set_masks(
	struct fl_conf *conf, struct fl_key_source *source, unsigned v4, unsigned v6)
{
	char label[64];

	source->v4 = v4;
	source->v6 = v6;
	if (v4 == 32 && v6 == 64)
		(void)snprintf(label, sizeof(label), "client_ip");
	else if (v6 == 64)
		(void)snprintf(label, sizeof(label), "client_ip/%u", v4);
	else
		(void)snprintf(label, sizeof(label), "client_ip/%u,%u", v4, v6);
	return set_label(conf, source, label);
}

/* "24", of "client_ip/24" or {client_ip: 24}: of IPv4 addresses. */
static int set_v4(struct fl_conf *conf, const struct fl_conf_node *node, const char *text,
	struct fl_key_source *source)
{
	struct fl_conf_quoted quoted;
	int64_t v4;

	if (fl_conf_parse_int(text, 1, 32, &v4) != 0)
		return fl_conf_error(conf, node,
			"the prefix of \"client_ip\" is a length from 1 to 32 for IPv4, not "
			"%s; "
			"for IPv6 there is {client_ip: {v6: 64}}",
			fl_conf_quote(&quoted, text));
	return set_masks(conf, source, (unsigned)v4, 64);
}

struct masks {
	int64_t v4, v6;
};

static const struct fl_option mask_rows[] = {
	{.name = "v4",
		.type = FL_OPT_INT,
		.offset = offsetof(struct masks, v4),
		.doc = "Bits of an IPv4 address that count.",
		.def = "32",
		.min = 1,
		.max = 32},
	{.name = "v6",
		.type = FL_OPT_INT,
		.offset = offsetof(struct masks, v6),
		.doc = "Bits of an IPv6 address that count.",
		.def = "64",
		.min = 1,
		.max = 128},
	FL_OPTION_END,
};

static int read_client_ip(
	struct fl_conf *conf, const struct fl_conf_node *node, struct fl_key_source *source)
{
	struct masks masks = {0};

	if (fl_conf_is_null(node))
		return set_masks(conf, source, 32, 64);
	if (node->kind == FL_CONF_SCALAR)
		return set_v4(conf, node, node->text, source);
	if (node->kind != FL_CONF_MAP)
		return fl_conf_error(conf, node, "\"client_ip\" wants {v4: 24, v6: 64}");
	if (fl_conf_read(conf, node, mask_rows, &masks) != 0)
		return -1;
	return set_masks(conf, source, (unsigned)masks.v4, (unsigned)masks.v6);
}

/* ---- one source ---- */

static int read_source(struct fl_conf *conf, const struct fl_conf_node *node, bool inner,
	struct fl_key_source *source);

/* "all(host,path)"; cut when it gets long. */
static int label_all(struct fl_conf *conf, struct fl_key_source *source)
{
	char label[LABEL_MOST + 1] = "all(";
	size_t n = strlen(label);

	for (size_t i = 0; i < source->part_count && n < sizeof(label); i++)
		n += (size_t)snprintf(label + n, sizeof(label) - n, "%s%s", i ? "," : "",
			source->parts[i].label);
	if (n < sizeof(label))
		(void)snprintf(label + n, sizeof(label) - n, ")");
	return set_label(conf, source, label);
}

static int read_all(
	struct fl_conf *conf, const struct fl_conf_node *node, struct fl_key_source *source)
{
	struct fl_key_source *parts;
	size_t n = 0;
	int rc = 0;

	if (node->kind != FL_CONF_LIST || node->count < 1 || node->count > PARTS_MOST)
		return fl_conf_error(conf, node,
			"\"all\" wants a list of 1 to %d sources, such as [host, path]",
			PARTS_MOST);
	parts = fl_conf_alloc(conf, node->count * sizeof(*parts));
	if (!parts)
		return fl_conf_error(conf, NULL, "out of memory");
	for (const struct fl_conf_node *item = node->child; item; item = item->next)
		rc |= read_source(conf, item, true, &parts[n++]);
	if (rc != 0)
		return -1;
	source->parts = parts;
	source->part_count = n;
	return label_all(conf, source);
}

/* "client_ip/24", "header:x-user", "path". */
static int read_word(
	struct fl_conf *conf, const struct fl_conf_node *node, struct fl_key_source *source)
{
	size_t len = strcspn(node->text, ":/");
	const char *rest = node->text + len;
	const struct kind *k = find_kind(conf, node, node->text, len);

	if (!k)
		return -1;
	source->kind = k->kind;
	if (k->named && *rest == ':')
		return set_name(conf, node, k, rest + 1, source);
	if (k->named)
		return fl_conf_error(conf, node, "\"%s\" wants a name, such as \"%s:%s\"",
			k->word, k->word, k->kind == FL_KEY_HEADER ? "x-user" : "id");
	if (k->kind == FL_KEY_ALL)
		return fl_conf_error(
			conf, node, "\"all\" wants its sources, such as {all: [host, path]}");
	if (k->kind == FL_KEY_CLIENT_IP && *rest == '/')
		return set_v4(conf, node, rest + 1, source);
	if (*rest)
		return fl_conf_error(
			conf, node, "\"%s\" takes nothing behind a \"%c\"", k->word, *rest);
	if (k->kind == FL_KEY_CLIENT_IP)
		return set_masks(conf, source, 32, 64);
	return set_label(conf, source, k->word);
}

static int read_source_map(struct fl_conf *conf, const struct fl_conf_node *node, bool inner,
	struct fl_key_source *source)
{
	const struct fl_conf_node *value = node->child;
	const struct kind *k;

	if (node->count != 1)
		return fl_conf_error(conf, node,
			"a source of keys is a map with one key, such as {header: X-User}");
	if (value->bad)
		return -1;
	k = find_kind(conf, value->key, value->key->text, strlen(value->key->text));
	if (!k)
		return -1;
	source->kind = k->kind;
	if (k->kind == FL_KEY_CLIENT_IP)
		return read_client_ip(conf, value, source);
	if (k->kind == FL_KEY_ALL && inner)
		return fl_conf_error(conf, value->key, "\"all\" cannot stand inside \"all\"");
	if (k->kind == FL_KEY_ALL)
		return read_all(conf, value, source);
	if (k->named && (value->kind != FL_CONF_SCALAR || fl_conf_is_null(value)))
		return fl_conf_error(conf, value, "\"%s\" wants a name", k->word);
	if (k->named)
		return set_name(conf, value, k, value->text, source);
	if (!fl_conf_is_null(value))
		return fl_conf_error(
			conf, value, "\"%s\" takes no value; write it as one word", k->word);
	return set_label(conf, source, k->word);
}

/* Fills `source`, which is zero. `inner`: inside of "all". */
static int read_source(struct fl_conf *conf, const struct fl_conf_node *node, bool inner,
	struct fl_key_source *source)
{
	if (node->bad)
		return -1;
	if (node->kind == FL_CONF_MAP)
		return read_source_map(conf, node, inner, source);
	if (node->kind == FL_CONF_SCALAR && !fl_conf_is_null(node))
		return read_word(conf, node, source);
	return fl_conf_error(conf, node,
		"a source of keys is a word such as client_ip, or a map such as {header: "
		"X-User}");
}

static int parse_sources(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
{
	bool list = node->kind == FL_CONF_LIST;
	const struct fl_conf_node *item = list ? node->child : node;
	size_t count = list ? node->count : 1, n = 0;
	struct fl_key_source *items;
	int rc = 0;

	if (count < 1 || count > SOURCES_MOST)
		return fl_conf_error(conf, node, "\"key\" wants 1 to %d sources, not %zu",
			SOURCES_MOST, count);
	items = fl_conf_alloc(conf, count * sizeof(*items));
	if (!items)
		return fl_conf_error(conf, NULL, "out of memory");
	for (; n < count; item = item->next)
		rc |= read_source(conf, item, false, &items[n++]);
	if (rc != 0)
		return -1;
	*(struct fl_key_sources *)out = (struct fl_key_sources){items, count};
	return 0;
}

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
		.parse = parse_sources},
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
