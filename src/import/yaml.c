#include "import/yaml.h"

#include <stdio.h>

#define MOST_SECONDS (365u * 86400)

int fl_yaml_open(struct fl_yaml *y, struct fl_import *m, const struct fl_import_input *in,
	struct fl_error *err)
{
	*y = (struct fl_yaml){.m = m, .err = err};
	y->file = fl_import_copy(m, fl_slice_of(in->name));
	if (!y->file)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	if (fl_conf_parse(&y->conf, in->name, in->bytes, in->len) != 0) {
		const char *text = y->conf ? fl_conf_error_text(y->conf, 0) : "out of memory";
		const char *what = strstr(text, "error: ");
		return fl_error_set(err, FL_EINVAL, "%.*s%s", what ? (int)(what - text) : 0,
			text, what ? what + strlen("error: ") : text);
	}
	y->root = fl_conf_root(y->conf);
	return FL_OK;
}

void fl_yaml_close(struct fl_yaml *y)
{
	fl_conf_free(y->conf);
}

/* ---- fields ---- */

/* "lb_policy" is "lbPolicy", too. */
static bool same(const char *text, const char *name, size_t len)
{
	const char *end = name + len;

	if (strlen(text) == len && memcmp(text, name, len) == 0)
		return true;
	for (; name < end; name++, text++) {
		char c = *name;
		if (c == '_' && name[1] >= 'a' && name[1] <= 'z')
			c = (char)(*++name - 'a' + 'A');
		if (*text != c)
			return false;
	}
	return *text == '\0';
}

static const struct fl_conf_node *get(
	const struct fl_conf_node *map, const char *name, size_t len)
{
	if (!map || map->kind != FL_CONF_MAP)
		return NULL;
	for (const struct fl_conf_node *item = map->child; item; item = item->next)
		if (same(item->key->text, name, len))
			return fl_conf_is_null(item) ? NULL : item;
	return NULL;
}

const struct fl_conf_node *fl_yaml_get(const struct fl_conf_node *map, const char *name)
{
	return get(map, name, strlen(name));
}

const struct fl_conf_node *fl_yaml_at(const struct fl_conf_node *map, const char *path)
{
	size_t len = strcspn(path, ".");

	for (; map && path[len]; path += len + 1, len = strcspn(path, "."))
		map = get(map, path, len);
	return get(map, path, len);
}

bool fl_yaml_is(const struct fl_conf_node *item, const char *name)
{
	return same(item->key->text, name, strlen(name));
}

/* ---- values ---- */

static const char *name_of(const struct fl_conf_node *node)
{
	return node->key ? node->key->text : "this";
}

bool fl_yaml_is_map(struct fl_yaml *y, const struct fl_conf_node *node)
{
	if (node->kind == FL_CONF_MAP)
		return true;
	fl_yaml_fail(y, node, "%s wants a map", name_of(node));
	return false;
}

const struct fl_conf_node *fl_yaml_named(const struct fl_conf_node *item)
{
	const struct fl_conf_node *name = fl_yaml_get(item, "name");

	return name ? name : item;
}

const struct fl_conf_node *fl_yaml_list(
	struct fl_yaml *y, const struct fl_conf_node *map, const char *name)
{
	const struct fl_conf_node *list = fl_yaml_get(map, name);

	if (!list)
		return NULL;
	if (list->kind == FL_CONF_LIST)
		return list->child;
	fl_yaml_fail(y, list, "%s wants a list", name);
	return NULL;
}

const char *fl_yaml_text(struct fl_yaml *y, const struct fl_conf_node *node)
{
	if (!node)
		return NULL;
	if (node->kind == FL_CONF_SCALAR && !fl_conf_is_null(node))
		return node->text;
	fl_yaml_fail(y, node, "%s wants a single value", name_of(node));
	return NULL;
}

uint64_t fl_yaml_number(struct fl_yaml *y, const struct fl_conf_node *node, uint64_t least,
	uint64_t most, uint64_t fallback)
{
	const char *text = fl_yaml_text(y, node);
	int64_t value;

	if (!text)
		return fallback;
	if (fl_conf_parse_int(text, (int64_t)least, (int64_t)most, &value) == 0)
		return (uint64_t)value;
	fl_yaml_fail(y, node, "%s wants a number from %llu to %llu", name_of(node),
		(unsigned long long)least, (unsigned long long)most);
	return fallback;
}

bool fl_yaml_true(struct fl_yaml *y, const struct fl_conf_node *node)
{
	const char *text = fl_yaml_text(y, node);

	if (!text || strcmp(text, "false") == 0)
		return false;
	if (strcmp(text, "true") == 0)
		return true;
	fl_yaml_fail(y, node, "%s wants true or false", name_of(node));
	return false;
}

uint64_t fl_yaml_duration(struct fl_yaml *y, const struct fl_conf_node *node)
{
	const char *p = fl_yaml_text(y, node);
	uint64_t ms = 0, scale = 100;
	bool digits = false;

	if (!p)
		return 0;
	for (; *p >= '0' && *p <= '9' && ms <= MOST_SECONDS; p++, digits = true)
		ms = ms * 10 + (uint64_t)(*p - '0');
	digits &= ms <= MOST_SECONDS;
	ms *= 1000;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
			ms += (uint64_t)(*p - '0') * scale;
	if (digits && strcmp(p, "s") == 0)
		return ms;
	fl_yaml_fail(y, node, "%s wants a duration such as 5s or 0.25s", name_of(node));
	return 0;
}

/* ---- places, failures and notes ---- */

struct fl_import_place fl_yaml_place(const struct fl_yaml *y, const struct fl_conf_node *node)
{
	unsigned line = node->key ? node->key->line : node->line;

	return (struct fl_import_place){y->file, line};
}

void fl_yaml_fail(struct fl_yaml *y, const struct fl_conf_node *node, const char *format, ...)
{
	char what[256];
	va_list list;

	if (y->rc != FL_OK)
		return;
	va_start(list, format);
	(void)vsnprintf(what, sizeof(what), format, list);
	va_end(list);
	for (char *p = what; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	y->rc = fl_error_set(
		y->err, FL_EINVAL, "%.200s:%u:%u: %s", y->file, node->line, node->column, what);
}

void fl_yaml_note(struct fl_yaml *y, enum fl_import_kind kind, bool placement,
	const struct fl_conf_node *node, const char *format, ...)
{
	char text[FL_IMPORT_MAX_TEXT + 1], why[512];
	bool value = node->kind == FL_CONF_SCALAR && !fl_conf_is_null(node);
	va_list list;

	if (y->quiet)
		return;
	va_start(list, format);
	(void)vsnprintf(why, sizeof(why), format, list);
	va_end(list);
	(void)snprintf(text, sizeof(text), "%s%s%s", node->key ? node->key->text : "",
		node->key && value ? ": " : "", value ? node->text : "");
	if (!*text)
		(void)snprintf(text, sizeof(text), "%s",
			node->kind == FL_CONF_LIST ? "[...]" : "{...}");
	fl_import_note(
		y->m, kind, placement, fl_yaml_place(y, node), fl_slice_of(text), "%s", why);
}

void fl_yaml_rest(struct fl_yaml *y, const struct fl_conf_node *map, const char *const *known)
{
	if (!map || map->kind != FL_CONF_MAP || y->quiet)
		return;
	for (const struct fl_conf_node *item = map->child; item; item = item->next) {
		size_t i = 0;
		while (known[i] && !fl_yaml_is(item, known[i]))
			i++;
		if (!known[i])
			fl_import_note(y->m, FL_IMPORT_NOT_CARRIED, false,
				fl_yaml_place(y, item), fl_slice_of(item->key->text),
				"has no counterpart here");
	}
}
