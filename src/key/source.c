/* Where a key comes from has several forms: one word ("client_ip/24", "header:x-user"), or a map
 * with one key. Both are first read into the same parts (what, argument), so that they cannot
 * drift apart. */
#include "key/source.h"

#include "base/text.h"
#include "conf/conf.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SOURCES_MOST 16
#define PARTS_MOST   8
#define NAME_MOST    128
#define LABEL_MOST   255

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
	{"uri", FL_KEY_URI, false, false, ""},
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
		near ? near : "client_ip, header, cookie, query, path, uri, host and all",
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

int fl_key_sources_parse(struct fl_conf *conf, const struct fl_conf_node *node, void *out)
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

/* ---- a text ---- */

static const struct fl_option text_rows[] = {
	{.name = "key",
		.type = FL_OPT_CUSTOM,
		.doc = "Where a key comes from.",
		.required = true,
		.form = "sources such as [\"header:x-user\", client_ip]",
		.parse = fl_key_sources_parse},
	FL_OPTION_END,
};

/* What the first error says, without the place: that counts columns from where nobody wrote. */
static int first_error(const struct fl_conf *conf, struct fl_error *err)
{
	const char *text = conf ? fl_conf_error_text(conf, 0) : "out of memory";
	const char *what = strstr(text, "error: ");

	return fl_error_set(err, FL_EINVAL, "%s", what ? what + strlen("error: ") : text);
}

int fl_key_sources_text(struct fl_conf **conf, const char *text, struct fl_key_sources *out,
	struct fl_error *err)
{
	struct fl_key_sources sources = {0};
	struct fl_text file;

	fl_text_init(&file, 64 * 1024);
	FL_TEXT_LITERAL(&file, "key: ");
	fl_text_string(&file, text);
	int rc = file.failed ? -1 : fl_conf_parse(conf, "key", file.p, file.n);
	if (file.failed)
		*conf = NULL;
	fl_text_fini(&file);
	if (rc != 0 || fl_conf_read(*conf, fl_conf_root(*conf), text_rows, &sources) != 0)
		return first_error(*conf, err);
	*out = sources;
	return FL_OK;
}
