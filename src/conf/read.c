/* A tree to structs, row by row.
 *
 * Rows lead, not the file: each row of a table finds its key, so that every field is written
 * (from the file, else by its default, else zero), and what no row asked for is an unknown key.
 * A default goes through the same code as the file. Nothing stops at the first error: a field
 * that cannot be read gets its default, and a hook runs only on what was read without errors.
 * Recursion is as deep as the tree, which is bounded. Cost: rows times keys for each map. */
#include "conf/priv.h"

#include <string.h>

#define MOST_ITEMS 65536

static int read_value(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, void *field);
static int read_rows(struct fl_conf *conf, const struct fl_conf_node *map,
	const struct fl_option *rows, void *out);

static bool hopeless(const struct fl_conf *conf)
{
	return conf->errors.total >= FL_CONF_HOPELESS;
}

/* ---- what messages say ---- */

static void say_frame(struct fl_conf_text *text, const struct fl_conf_frame *frame)
{
	struct fl_conf_quoted name;
	const char *joint = " in ";

	for (; frame; frame = frame->up) {
		if (!frame->row && !frame->name)
			continue;
		fl_conf_say(text, "%s", joint);
		joint = " of ";
		if (!frame->row) {
			fl_conf_say(text, "%s", fl_conf_quote(&name, frame->name));
			continue;
		}
		if (!frame->name && !frame->index) {
			fl_conf_say(text, "%s", fl_conf_quote(&name, frame->row->name));
			continue;
		}
		fl_conf_say_item(text, frame->row);
		if (frame->name)
			fl_conf_say(text, " %s", fl_conf_quote(&name, frame->name));
		else
			fl_conf_say(text, " %zu", frame->index);
	}
}

/* What is there instead of a map or a list. A scalar is not quoted: where a map should be, it may
 * well be a misplaced secret. */
static void say_kind(struct fl_conf_text *text, const struct fl_conf_node *node)
{
	if (node->kind != FL_CONF_SCALAR)
		fl_conf_say(text, ", not a %s", node->kind == FL_CONF_LIST ? "list" : "map");
	else
		fl_conf_say(text,
			fl_conf_is_null(node) ? ", but has no value" : ", not a single value");
}

static void say_found(
	struct fl_conf_text *text, const struct fl_conf *conf, const struct fl_conf_node *node)
{
	struct fl_conf_quoted value;

	if (node->kind != FL_CONF_SCALAR || fl_conf_is_null(node))
		say_kind(text, node);
	else if (!conf->secret)
		fl_conf_say(text, ", not %s", fl_conf_quote(&value, node->text));
}

/* `"timeout" wants a duration such as 5s or 250ms, not "5"`; always -1. */
static int mismatch(
	struct fl_conf *conf, const struct fl_option *row, const struct fl_conf_node *node)
{
	struct fl_conf_text text = {.n = 0};
	struct fl_conf_quoted name;
	const char *nearest = NULL;

	if (row->type == FL_OPT_ENUM && node->kind == FL_CONF_SCALAR && !conf->secret)
		nearest = fl_conf_nearest(node->text, row->choices);
	fl_conf_say(&text, "%s wants ", fl_conf_quote(&name, row->name));
	fl_conf_say_wanted(&text, row);
	say_found(&text, conf, node);
	if (nearest)
		fl_conf_say(&text, "; did you mean \"%s\"?", nearest);
	return fl_conf_error(conf, node, "%s", text.p);
}

static int wrong_kind(
	struct fl_conf *conf, const struct fl_option *row, const struct fl_conf_node *node)
{
	struct fl_conf_text text = {.n = 0};
	struct fl_conf_quoted name;

	fl_conf_say(&text, "%s wants ", fl_conf_quote(&name, row->name));
	fl_conf_say_wanted(&text, row);
	say_kind(&text, node);
	return fl_conf_error(conf, node, "%s", text.p);
}

static void missing(
	struct fl_conf *conf, const struct fl_option *row, const struct fl_conf_node *map)
{
	struct fl_conf_text text = {.n = 0};
	struct fl_conf_quoted name;

	fl_conf_say(&text, "%s is missing", fl_conf_quote(&name, row->name));
	say_frame(&text, conf->frame);
	fl_conf_say(&text, "; it wants ");
	fl_conf_say_wanted(&text, row);
	(void)fl_conf_error(conf, map, "%s", text.p);
}

static void unknown(
	struct fl_conf *conf, const struct fl_option *rows, const struct fl_conf_node *item)
{
	const char *names[65];
	struct fl_conf_text text = {.n = 0};
	struct fl_conf_quoted name;
	size_t n = 0;

	for (; rows->name && n < 64; rows++)
		names[n++] = rows->name;
	names[n] = NULL;
	const char *nearest = conf->secret ? NULL : fl_conf_nearest(item->key->text, names);
	fl_conf_say(&text, "unknown key");
	if (!conf->secret)
		fl_conf_say(&text, " %s", fl_conf_quote(&name, item->key->text));
	say_frame(&text, conf->frame);
	if (nearest)
		fl_conf_say(&text, "; did you mean \"%s\"?", nearest);
	for (size_t i = 0; !nearest && i < n; i++)
		fl_conf_say(&text, "%s%s", i ? ", " : "; known are ", names[i]);
	(void)fl_conf_error(conf, item->key, "%s", text.p);
}

/* ---- hooks and secrets ---- */

static int call_hook(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, void *out)
{
	const struct fl_option *outer = conf->hiding;
	size_t before = conf->errors.total;

	if (!outer && conf->secret)
		conf->hiding = row;
	int rc = row->parse(conf, node, out);
	if (rc != 0 && conf->errors.total == before)
		(void)mismatch(conf, row, node); /* it did not say why */
	conf->hiding = outer;
	return rc;
}

/* ---- maps and lists ---- */

/* The struct of a MAP row or of an item. 0 when it was filled, with or without errors. */
static int read_struct(struct fl_conf *conf, const struct fl_conf_frame *frame,
	const struct fl_conf_node *node, void *out)
{
	const struct fl_option *row = frame->row;
	size_t before = conf->errors.total;

	if (node->kind == FL_CONF_SCALAR && row->scalar_row && !fl_conf_is_null(node) &&
		!node->bad) {
		node = fl_conf_wrap(conf, row->scalar_row, node);
		if (!node)
			return fl_conf_error(conf, NULL, "out of memory");
	}
	conf->frame = frame;
	if (node->kind != FL_CONF_MAP) {
		(void)fl_conf_defaults(conf, row->rows, out);
		conf->frame = frame->up;
		return -1;
	}
	(void)read_rows(conf, node, row->rows, out);
	if (row->parse && conf->errors.total == before)
		(void)call_hook(conf, row, node, out);
	conf->frame = frame->up;
	return 0;
}

static int read_map(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, void *field)
{
	struct fl_conf_frame frame = {.up = conf->frame, .row = row};
	if (read_struct(conf, &frame, node, field) != 0 && !node->bad)
		(void)wrong_kind(conf, row, node);
	return 0; /* the defaults are in */
}

static bool has_open_name(const struct fl_option *rows)
{
	for (; rows->name; rows++) {
		if (strcmp(rows->name, "name") == 0)
			return !rows->secret;
	}
	return false;
}

/* What messages call an item: by the name that it gives itself, when it does. */
static const char *item_name(const struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node)
{
	const struct fl_conf_node *name = fl_conf_get(node, "name");
	if (conf->secret || !has_open_name(row->rows))
		return NULL;
	return name && name->kind == FL_CONF_SCALAR && !name->bad ? name->text : NULL;
}

static void read_item(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, size_t index, const char *key, void *out)
{
	struct fl_conf_frame frame = {
		.up = conf->frame,
		.row = row,
		.name = key && !conf->secret ? key : item_name(conf, row, node),
		.index = index,
	};
	struct fl_conf_text text = {.n = 0};
	struct fl_conf_quoted name;

	if (read_struct(conf, &frame, node, out) == 0 || node->bad)
		return;
	fl_conf_say_item(&text, row);
	if (frame.name)
		fl_conf_say(&text, " %s", fl_conf_quote(&name, frame.name));
	else
		fl_conf_say(&text, " %zu of %s", index, fl_conf_quote(&name, row->name));
	fl_conf_say(&text, " wants a map");
	say_kind(&text, node);
	(void)fl_conf_error(conf, node, "%s", text.p);
}

static void *new_items(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, size_t count)
{
	size_t most = row->max_items ? row->max_items : MOST_ITEMS;
	struct fl_conf_quoted name;
	void *items;

	if (count > most) {
		(void)fl_conf_error(conf, node, "%s wants at most %zu items, not %zu",
			fl_conf_quote(&name, row->name), most, count);
		return NULL;
	}
	if (row->min > 0 && count < (uint64_t)row->min) {
		(void)fl_conf_error(conf, node, "%s wants at least %lld item%s, not %zu",
			fl_conf_quote(&name, row->name), (long long)row->min,
			row->min == 1 ? "" : "s", count);
		return NULL;
	}
	items = fl_arena_array(&conf->arena, count, row->item_size);
	if (!items)
		(void)fl_conf_error(conf, node, "out of memory");
	return items;
}

static int read_list(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, struct fl_option_list *list)
{
	bool single = row->single_ok && node->kind != FL_CONF_LIST && !fl_conf_is_null(node);
	const struct fl_conf_node *item = single ? node : node->child;
	size_t count = single ? 1 : node->count, done = 0;
	char *items;

	if (!single && node->kind != FL_CONF_LIST)
		return wrong_kind(conf, row, node);
	items = new_items(conf, row, node, count);
	if (!items)
		return -1;
	for (; done < count && !hopeless(conf); done++, item = item->next)
		read_item(conf, row, item, done + 1, NULL, items + done * row->item_size);
	*list = (struct fl_option_list){done ? items : NULL, done};
	return 0;
}

/* `map` with a first item called "name" that is the map's own key. */
static const struct fl_conf_node *with_name(
	struct fl_conf *conf, const struct fl_conf_node *map, const struct fl_conf_node *key)
{
	struct fl_conf_node *nodes = fl_arena_array(&conf->arena, 3, sizeof(*nodes));
	if (!nodes) {
		(void)fl_conf_error(conf, NULL, "out of memory");
		return NULL;
	}
	nodes[0] = *map;
	nodes[0].child = &nodes[1];
	nodes[0].count++;
	nodes[1] = *key;
	nodes[1].quoted = true; /* the key `null` is a name like any other */
	nodes[1].key = &nodes[2];
	nodes[1].next = map->child;
	nodes[2] = *key;
	nodes[2].text = "name";
	return nodes;
}

/* An item of a NAMED row as the item of a LIST; NULL without memory. */
static const struct fl_conf_node *as_item(
	struct fl_conf *conf, const struct fl_option *row, const struct fl_conf_node *item)
{
	const struct fl_conf_node *inner = fl_conf_get(item, "name");

	if (inner)
		(void)fl_conf_error(conf, inner->key,
			"\"name\" is given twice; the key above is the name already");
	if (item->bad || fl_conf_is_null(item) || item->kind == FL_CONF_LIST)
		return item;
	if (item->kind == FL_CONF_MAP)
		return with_name(conf, item, item->key);
	if (!row->scalar_row)
		return item;
	const struct fl_conf_node *map = fl_conf_wrap(conf, row->scalar_row, item);
	return map ? with_name(conf, map, item->key) : NULL;
}

static int read_named(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, struct fl_option_list *list)
{
	size_t done = 0;
	char *items;

	if (node->kind != FL_CONF_MAP)
		return wrong_kind(conf, row, node);
	items = new_items(conf, row, node, node->count);
	if (!items)
		return -1;
	for (const struct fl_conf_node *at = node->child; at && !hopeless(conf);
		at = at->next, done++) {
		const struct fl_conf_node *item = as_item(conf, row, at);
		if (!item)
			break;
		read_item(conf, row, item, done + 1, at->key->text,
			items + done * row->item_size);
	}
	*list = (struct fl_option_list){done ? items : NULL, done};
	return 0;
}

/* ---- rows ---- */

static int read_scalar(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, void *field)
{
	if (node->kind != FL_CONF_SCALAR || fl_conf_is_null(node) ||
		fl_conf_scalar(row, node->text, field) != 0)
		return mismatch(conf, row, node);
	return row->parse ? call_hook(conf, row, node, field) : 0;
}

/* 0: the field is written (of what holds others, perhaps with errors inside); -1: there are
 * errors, and the field wants its default. */
static int read_kind(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, void *field)
{
	if (node->bad && row->type != FL_OPT_MAP)
		return -1;
	switch (row->type) {
	case FL_OPT_MAP:
		return read_map(conf, row, node, field);
	case FL_OPT_LIST:
		return read_list(conf, row, node, field);
	case FL_OPT_NAMED:
		return read_named(conf, row, node, field);
	case FL_OPT_CUSTOM:
		return call_hook(conf, row, node, field);
	case FL_OPT_BOOL:
	case FL_OPT_INT:
	case FL_OPT_SIZE:
	case FL_OPT_DURATION:
	case FL_OPT_SHARE:
	case FL_OPT_STRING:
	case FL_OPT_ENUM:
		break;
	}
	return read_scalar(conf, row, node, field);
}

static int read_value(struct fl_conf *conf, const struct fl_option *row,
	const struct fl_conf_node *node, void *field)
{
	bool outer = conf->secret;
	conf->secret = outer || row->secret;
	int rc = read_kind(conf, row, node, field);
	conf->secret = outer;
	return rc;
}

static void set_zero(enum fl_option_type type, void *field)
{
	static const size_t sizes[] = {
		[FL_OPT_BOOL] = sizeof(bool),
		[FL_OPT_INT] = sizeof(int64_t),
		[FL_OPT_SIZE] = sizeof(uint64_t),
		[FL_OPT_DURATION] = sizeof(uint64_t),
		[FL_OPT_SHARE] = sizeof(double),
		[FL_OPT_STRING] = sizeof(const char *),
		[FL_OPT_ENUM] = sizeof(int),
		[FL_OPT_LIST] = sizeof(struct fl_option_list),
		[FL_OPT_NAMED] = sizeof(struct fl_option_list),
		[FL_OPT_CUSTOM] = 0,
	};
	memset(field, 0, sizes[type]);
}

static void set_default(struct fl_conf *conf, const struct fl_option *row, void *field)
{
	const struct fl_conf_node *node = row->def ? fl_conf_default_node(conf, row) : NULL;

	if (node && read_value(conf, row, node, field) == 0)
		return;
	if (row->type == FL_OPT_MAP)
		(void)fl_conf_defaults(conf, row->rows, field);
	else
		set_zero(row->type, field);
}

static void read_row(struct fl_conf *conf, const struct fl_conf_node *map,
	const struct fl_option *row, void *out)
{
	const struct fl_conf_node *node = fl_conf_get(map, row->name);
	void *field = (char *)out + row->offset;

	if (row->given)
		*(bool *)((char *)out + row->given) = node != NULL;
	if (node && read_value(conf, row, node, field) == 0)
		return;
	if (!node && row->required)
		missing(conf, row, map);
	set_default(conf, row, field);
}

static bool known(const struct fl_option *rows, const char *name)
{
	for (; rows->name; rows++) {
		if (strcmp(rows->name, name) == 0)
			return true;
	}
	return false;
}

static int read_rows(struct fl_conf *conf, const struct fl_conf_node *map,
	const struct fl_option *rows, void *out)
{
	size_t before = conf->errors.total;

	for (const struct fl_option *row = rows; row->name; row++)
		read_row(conf, map, row, out);
	for (const struct fl_conf_node *item = map->child; item && !hopeless(conf);
		item = item->next) {
		if (!item->bad && !known(rows, item->key->text))
			unknown(conf, rows, item);
	}
	return conf->errors.total == before ? 0 : -1;
}

int fl_conf_defaults(struct fl_conf *conf, const struct fl_option *rows, void *out)
{
	size_t before = conf->errors.total;

	for (; rows->name; rows++) {
		if (rows->given)
			*(bool *)((char *)out + rows->given) = false;
		set_default(conf, rows, (char *)out + rows->offset);
	}
	return conf->errors.total == before ? 0 : -1;
}

int fl_conf_read(struct fl_conf *conf, const struct fl_conf_node *node,
	const struct fl_option *rows, void *out)
{
	struct fl_conf_frame frame = {.up = conf->frame};
	struct fl_conf_text text = {.n = 0};
	int rc;

	if (!node || node->kind != FL_CONF_MAP) {
		(void)fl_conf_defaults(conf, rows, out);
		if (!node || node->bad)
			return -1;
		fl_conf_say(&text, "a map of options is wanted");
		say_kind(&text, node);
		return fl_conf_error(conf, node, "%s", text.p);
	}
	if (node->key && !conf->secret)
		frame.name = node->key->text;
	conf->frame = &frame;
	rc = read_rows(conf, node, rows, out);
	conf->frame = frame.up;
	return rc;
}

int fl_conf_read_value(struct fl_conf *conf, const struct fl_conf_node *node,
	const struct fl_option *row, void *field)
{
	size_t before = conf->errors.total;
	if (read_value(conf, row, node, field) != 0)
		set_default(conf, row, field);
	return conf->errors.total == before ? 0 : -1;
}
