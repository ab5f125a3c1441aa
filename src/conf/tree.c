/* Bytes to a tree: libyaml's events, with everything refused that makes a file mean something
 * else than it shows.
 *
 * Anchors, aliases and tags are refused because a reader (and a reviewer) of a configuration
 * should see each value where it stands; repeated keys because YAML parsers disagree about which
 * one counts. Bounds: bytes, nodes, depth and heap, so a hostile file costs a bounded amount
 * whatever it holds. libyaml reports bytes that are not UTF-8 without a line, so the bytes are
 * checked here first. A syntax error ends the parse; what is merely refused is reported and the
 * parse goes on, so that one run shows all of it. Cost: linear, plus a sort per map. */
#include "conf/priv.h"
#include "conf/text.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct level {
	struct fl_conf_node *node;
	const struct fl_conf_node **tail; /* where the next item is linked */
	const struct fl_conf_node *key;   /* MAP: read, its value is not */
};

struct builder {
	struct fl_conf *conf;
	yaml_parser_t parser;
	struct level levels[FL_CONF_MAX_DEPTH];
	size_t depth;
	size_t nodes;
	size_t documents;
	const struct fl_conf_node *root;
	/* The end of the text; line 0 for a default's text, whose nodes so get no place. */
	struct fl_conf_text_place end;
};

/* What an event leads to: the parse goes on, or ends with or without an error. */
enum step {
	GO_ON,
	DONE,
	FAILED
};

/* libyaml puts the end of a text without a last newline on a line that is not there. */
static struct fl_conf_text_place place_of(const struct builder *b, const yaml_mark_t *mark)
{
	struct fl_conf_text_place place = {
		.line = (unsigned)mark->line + 1,
		.column = (unsigned)mark->column + 1,
	};
	return place.line > b->end.line ? b->end : place;
}

static int refuse(struct builder *b, const yaml_mark_t *mark, const char *what)
{
	struct fl_conf_text_place place = place_of(b, mark);
	return fl_conf_error_at(b->conf, place.line, place.column, "%s", what);
}

static struct fl_conf_node *new_node(
	struct builder *b, enum fl_conf_kind kind, const yaml_mark_t *mark)
{
	struct fl_conf_node *node;
	struct fl_conf_text_place place;

	if (++b->nodes > FL_CONF_MAX_NODES) {
		(void)refuse(b, mark, "the file holds more than 4194304 keys and values");
		return NULL;
	}
	node = fl_arena_alloc(&b->conf->arena, sizeof(*node));
	if (!node) {
		(void)refuse(b, mark, "out of memory");
		return NULL;
	}
	node->kind = kind;
	place = place_of(b, mark);
	node->line = place.line;
	node->column = place.column;
	return node;
}

static void link_item(struct level *level, struct fl_conf_node *node)
{
	*level->tail = node;
	level->tail = &node->next;
	level->node->count++;
}

static bool usable_key(struct builder *b, const struct fl_conf_node *key)
{
	if (key->bad)
		return false;
	if (key->kind != FL_CONF_SCALAR)
		(void)fl_conf_error(b->conf, key, "a key wants a name, not a list or a map");
	else if (key->text[0] == '\0')
		(void)fl_conf_error(b->conf, key, "a key is empty; it wants a name");
	else
		return true;
	return false;
}

/* Puts a finished node where it belongs. A value whose key is of no use is left out. */
static void attach(struct builder *b, struct fl_conf_node *node)
{
	struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;

	if (!level) {
		b->root = node;
	} else if (level->node->kind == FL_CONF_LIST) {
		link_item(level, node);
	} else if (!level->key) {
		level->key = node;
	} else {
		node->key = level->key;
		level->key = NULL;
		if (usable_key(b, node->key))
			link_item(level, node);
	}
}

static int by_key(const void *a, const void *b)
{
	const struct fl_conf_node *x = *(const struct fl_conf_node *const *)a;
	const struct fl_conf_node *y = *(const struct fl_conf_node *const *)b;
	int order = strcmp(x->key->text, y->key->text);
	if (order)
		return order;
	if (x->key->line != y->key->line)
		return x->key->line < y->key->line ? -1 : 1;
	return (x->key->column > y->key->column) - (x->key->column < y->key->column);
}

static int check_repeated(struct builder *b, const struct fl_conf_node *map)
{
	const struct fl_conf_node **sorted;
	struct fl_conf_quoted name;
	size_t n = 0;

	if (map->count < 2)
		return 0;
	sorted = calloc(map->count, sizeof(void *));
	if (!sorted)
		return fl_conf_error(b->conf, map, "out of memory");
	for (const struct fl_conf_node *item = map->child; item; item = item->next)
		sorted[n++] = item;
	qsort(sorted, n, sizeof(void *), by_key);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (strcmp(sorted[i]->key->text, sorted[first]->key->text) != 0)
			first = i;
		else
			(void)fl_conf_error(b->conf, sorted[i]->key,
				"key %s is given twice; the first is on line %u",
				fl_conf_quote(&name, sorted[i]->key->text),
				sorted[first]->key->line);
	}
	free(sorted);
	return 0;
}

static void refuse_properties(
	struct builder *b, const yaml_mark_t *mark, const void *anchor, const void *tag)
{
	if (anchor)
		(void)refuse(b, mark, "anchors (&) are not supported; write the value in full");
	if (tag)
		(void)refuse(b, mark, "tags (!) are not supported; write the plain value");
}

static enum step on_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct fl_conf_node *node = new_node(b, FL_CONF_SCALAR, &event->start_mark);

	if (!node)
		return FAILED;
	refuse_properties(
		b, &event->start_mark, event->data.scalar.anchor, event->data.scalar.tag);
	if (memchr(value, '\0', len)) {
		(void)refuse(b, &event->start_mark, "a NUL byte is not allowed in text");
		node->bad = true;
		len = 0;
	}
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = fl_arena_copy(&b->conf->arena, value, len);
	if (!node->text) {
		(void)refuse(b, &event->start_mark, "out of memory");
		return FAILED;
	}
	attach(b, node);
	return GO_ON;
}

static enum step on_alias(struct builder *b, const yaml_event_t *event)
{
	struct fl_conf_node *node = new_node(b, FL_CONF_SCALAR, &event->start_mark);
	if (!node)
		return FAILED;
	(void)refuse(b, &event->start_mark,
		"aliases (*) are not supported; write the value in full");
	node->text = "";
	node->bad = true;
	attach(b, node);
	return GO_ON;
}

static enum step on_start(struct builder *b, const yaml_event_t *event, enum fl_conf_kind kind)
{
	bool map = kind == FL_CONF_MAP;
	struct fl_conf_node *node = new_node(b, kind, &event->start_mark);

	if (!node)
		return FAILED;
	refuse_properties(b, &event->start_mark,
		map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
		map ? event->data.mapping_start.tag : event->data.sequence_start.tag);
	if (b->depth == FL_CONF_MAX_DEPTH) {
		(void)refuse(b, &event->start_mark, "nested more than 32 deep");
		return FAILED;
	}
	b->levels[b->depth++] = (struct level){.node = node, .tail = &node->child};
	return GO_ON;
}

static enum step on_end(struct builder *b)
{
	struct fl_conf_node *node = b->levels[--b->depth].node;
	if (node->kind == FL_CONF_MAP && check_repeated(b, node) != 0)
		return FAILED;
	attach(b, node);
	return GO_ON;
}

static enum step on_document(struct builder *b, const yaml_event_t *event)
{
	if (b->documents++) {
		(void)refuse(b, &event->start_mark,
			"a second document begins; a file holds one document");
		return FAILED;
	}
	if (event->data.document_start.tag_directives.start !=
		event->data.document_start.tag_directives.end)
		(void)refuse(b, &event->start_mark, "tags (%TAG) are not supported");
	return GO_ON;
}

static enum step on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(b, event);
	case YAML_ALIAS_EVENT:
		return on_alias(b, event);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, event, FL_CONF_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, event, FL_CONF_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_end(b);
	case YAML_STREAM_END_EVENT:
		return DONE;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return GO_ON;
}

static int report_syntax(struct builder *b, const char *bytes, size_t len)
{
	const yaml_parser_t *p = &b->parser;
	struct fl_conf_text_place place = place_of(b, &p->problem_mark);
	struct fl_conf_text text = {.n = 0};

	if (p->error == YAML_MEMORY_ERROR)
		return fl_conf_error(b->conf, NULL, "out of memory");
	if (p->error == YAML_READER_ERROR)
		return fl_conf_error(b->conf, NULL, "not valid YAML: %s", p->problem);
	if (fl_conf_tab_indents(bytes, len, place.line))
		return fl_conf_error_at(b->conf, place.line, place.column,
			"not valid YAML: a tab indents this line; YAML wants spaces");
	fl_conf_say(&text, "%s", p->problem);
	if (p->context)
		fl_conf_say(&text, " %s", p->context);
	if (p->context && p->context_mark.line + 1 != place.line)
		fl_conf_say(&text, " begun on line %zu", p->context_mark.line + 1);
	return fl_conf_error_at(
		b->conf, place.line, place.column, "not valid YAML: %s", text.p);
}

/* Runs the parser to its end. The root is NULL when that was not reached. */
static void run(struct builder *b, const char *bytes, size_t len)
{
	enum step step = GO_ON;
	yaml_event_t event;

	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)bytes, len);
	while (step == GO_ON) {
		if (!yaml_parser_parse(&b->parser, &event)) {
			(void)report_syntax(b, bytes, len);
			step = FAILED;
			break;
		}
		step = on_event(b, &event);
		yaml_event_delete(&event);
	}
	if (step == FAILED)
		b->root = NULL;
}

/* The tree of `bytes`, NULL with errors when there is none. */
static const struct fl_conf_node *build(
	struct fl_conf *conf, const char *bytes, size_t len, struct fl_conf_text_place end)
{
	struct builder b = {.conf = conf, .end = end};
	size_t before = conf->errors.total;
	yaml_mark_t start = {0};

	if (!yaml_parser_initialize(&b.parser)) {
		(void)fl_conf_error(conf, NULL, "out of memory");
		return NULL;
	}
	run(&b, bytes, len);
	yaml_parser_delete(&b.parser);
	if (!b.root && conf->errors.total == before)
		b.root = new_node(&b, FL_CONF_MAP, &start); /* a file without content */
	return b.root;
}

static struct fl_conf *new_conf(const char *name)
{
	struct fl_conf *conf = calloc(1, sizeof(*conf));
	if (conf) {
		fl_arena_init(&conf->arena, FL_CONF_MAX_HEAP);
		fl_conf_set_name(conf, name);
	}
	return conf;
}

static int parse(struct fl_conf *conf, const char *bytes, size_t len)
{
	struct fl_conf_text_place place;

	if (len > FL_CONF_MAX_BYTES)
		return fl_conf_error(conf, NULL, "the file is larger than 64MiB");
	if (fl_conf_check_text(bytes, len, &place) != 0)
		return fl_conf_error_at(conf, place.line, place.column, "%s", place.what);
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		bytes += 3;
		len -= 3;
	}
	conf->root = build(conf, bytes, len, place);
	return conf->errors.total ? -1 : 0;
}

int fl_conf_parse(struct fl_conf **out, const char *name, const char *bytes, size_t len)
{
	*out = new_conf(name);
	return *out ? parse(*out, bytes, len) : -1;
}

int fl_conf_load(struct fl_conf **out, const char *path)
{
	bool standard_input = strcmp(path, "-") == 0;
	char *bytes = NULL;
	size_t len = 0;
	const char *why;
	int rc;

	*out = new_conf(standard_input ? "<stdin>" : path);
	if (!*out)
		return -1;
	why = fl_conf_slurp(standard_input ? NULL : path, FL_CONF_MAX_BYTES, &bytes, &len);
	if (why)
		rc = fl_conf_error(*out, NULL, "cannot read the file: %s", why);
	else
		rc = parse(*out, bytes, len);
	free(bytes);
	return rc;
}

void fl_conf_free(struct fl_conf *conf)
{
	if (!conf)
		return;
	fl_arena_fini(&conf->arena);
	free(conf);
}

const struct fl_conf_node *fl_conf_root(const struct fl_conf *conf)
{
	return conf->root;
}

void *fl_conf_alloc(struct fl_conf *conf, size_t size)
{
	return fl_arena_alloc(&conf->arena, size);
}

const struct fl_conf_node *fl_conf_get(const struct fl_conf_node *node, const char *name)
{
	if (!node || node->kind != FL_CONF_MAP)
		return NULL;
	for (const struct fl_conf_node *item = node->child; item; item = item->next) {
		if (strcmp(item->key->text, name) == 0)
			return item;
	}
	return NULL;
}

bool fl_conf_is_null(const struct fl_conf_node *node)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};
	if (node->kind != FL_CONF_SCALAR || node->quoted || node->bad)
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(node->text, words[i]) == 0)
			return true;
	}
	return false;
}

const struct fl_conf_node *fl_conf_wrap(
	struct fl_conf *conf, const char *key, const struct fl_conf_node *value)
{
	struct fl_conf_node *nodes = fl_arena_array(&conf->arena, 3, sizeof(*nodes));
	if (!nodes)
		return NULL;
	nodes[0] = (struct fl_conf_node){.kind = FL_CONF_MAP,
		.line = value->line,
		.column = value->column,
		.child = &nodes[1],
		.key = value->key,
		.count = 1};
	nodes[1] = *value;
	nodes[1].next = NULL;
	nodes[1].key = &nodes[2];
	nodes[2] = *value;
	nodes[2].key = nodes[2].next = NULL;
	nodes[2].text = key;
	return nodes;
}

const struct fl_conf_node *fl_conf_default_node(
	struct fl_conf *conf, const struct fl_option *row)
{
	struct fl_conf_node *node;

	if (row->def[0] == '{' || row->def[0] == '[' || row->def[0] == '"')
		return build(conf, row->def, strlen(row->def), (struct fl_conf_text_place){0});
	node = fl_arena_alloc(&conf->arena, sizeof(*node));
	if (!node) {
		(void)fl_conf_error(conf, NULL, "out of memory");
		return NULL;
	}
	node->kind = FL_CONF_SCALAR;
	node->text = row->def;
	return node;
}
