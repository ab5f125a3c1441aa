/* nginx's grammar: words that end in blanks, ";" or "{"; quotes at a word's start; a backslash
 * before a quote or another one, and \t, \r, \n; "${name}" inside a word; comments from a "#" at a
 * word's start. What stands in a block of Lua is not this grammar and is passed over. */
#include "import/nginx.h"

#include <ctype.h>

#define WORDS_MOST 65536 /* of one directive */

struct items {
	struct fl_nginx_item *first, *last;
};

struct parser {
	struct fl_import *m;
	const struct fl_import_input *in;
	struct fl_error *err;
	const char *p, *end;
	struct fl_import_place at;
	unsigned depth; /* of blocks and of files */
	unsigned *files;
	struct items *into; /* where the next directive goes */
};

struct words {
	const char **list;
	size_t count, room;
};

static int broken(const struct parser *p, const char *what)
{
	return fl_error_set(p->err, FL_EINVAL, "%.200s:%u: %s", p->at.file, p->at.line, what);
}

static int no_memory(struct parser *p)
{
	p->m->failed = true;
	return fl_error_set(p->err, FL_ELIMIT,
		"%.200s:%u: out of memory, or of the %u MiB that an import may take",
		p->at.file, p->at.line, FL_IMPORT_MAX_MEMORY >> 20);
}

static void skip_blanks(struct parser *p)
{
	for (; p->p < p->end; p->p++) {
		if (*p->p == '#')
			while (p->p + 1 < p->end && p->p[1] != '\n')
				p->p++;
		else if (*p->p == '\n')
			p->at.line++;
		else if (*p->p != ' ' && *p->p != '\t' && *p->p != '\r')
			break;
	}
}

/* ---- words ---- */

/* Where the word at p->p ends (behind it); NULL: a quote is not closed. */
static const char *end_of_word(struct parser *p, char quote)
{
	const char *c = p->p + (quote != 0);

	for (; c < p->end; c++) {
		if (*c == '\n')
			p->at.line++;
		if (*c == '\\' && c + 1 < p->end) {
			p->at.line += *++c == '\n';
			continue;
		}
		if (quote && *c == quote)
			return c;
		if (quote)
			continue;
		if (*c == '$' && c + 1 < p->end && c[1] == '{')
			c++;
		else if (isspace((unsigned char)*c) || *c == ';' || *c == '{')
			break;
	}
	if (!quote && c < p->end && *c == '\n')
		p->at.line--; /* is counted with the blanks */
	return quote ? NULL : c;
}

/* The text without its backslashes. */
static const char *unescape(struct fl_import *m, struct fl_slice raw)
{
	char *to = (char *)fl_import_copy(m, raw), *word = to;

	if (!word)
		return NULL;
	for (size_t i = 0; i < raw.n; i++) {
		char c = raw.p[i], next = i + 1 < raw.n ? raw.p[i + 1] : 0;
		if (c == '\\' && next && strchr("\"'\\trn", next)) {
			c = next == 't' ? '\t' : next == 'r' ? '\r' : next == 'n' ? '\n' : next;
			i++;
		}
		*to++ = c;
	}
	*to = '\0';
	return word;
}

static int add_word(struct parser *p, struct words *w, const char *word)
{
	if (w->count == WORDS_MOST)
		return broken(p, "a directive has too many words");
	if (w->count == w->room) {
		size_t room = w->room ? 2 * w->room : 4;
		const char **list = fl_arena_array(&p->m->arena, room, sizeof(*list));
		if (!list)
			p->m->failed = true;
		else if (w->count)
			memcpy(list, w->list, w->count * sizeof(*list));
		w->list = list;
		w->room = room;
	}
	if (!w->list || !word)
		return no_memory(p);
	w->list[w->count++] = word;
	return FL_OK;
}

static int read_word(struct parser *p, struct words *w)
{
	char quote = *p->p == '"' || *p->p == '\'' ? *p->p : 0;
	const char *start = p->p + (quote != 0);
	unsigned line = p->at.line;
	const char *stop = end_of_word(p, quote);

	if (!stop) {
		p->at.line = line;
		return broken(
			p, quote == '"' ? "expected a closing \"" : "expected a closing '");
	}
	p->p = stop + (quote != 0);
	if (quote && p->p < p->end && !isspace((unsigned char)*p->p) && !strchr(";{)", *p->p))
		return broken(p, "expected a blank, \";\" or \"{\" behind a closing quote");
	return add_word(p, w, unescape(p->m, (struct fl_slice){start, (size_t)(stop - start)}));
}

/* ---- blocks of Lua ---- */

static bool is_lua(const char *name)
{
	static const char tail[] = "_by_lua_block";
	size_t n = strlen(name);

	return n >= sizeof(tail) - 1 && strcmp(name + n - (sizeof(tail) - 1), tail) == 0;
}

/* Behind a string or a comment of Lua that starts at `c`; `c` when none does. */
static const char *behind_lua_text(const char *c, const char *end)
{
	bool comment = end - c >= 2 && c[0] == '-' && c[1] == '-';
	const char *open = comment ? c + 2 : c;
	const char *close;

	if (end - open >= 2 && open[0] == '[' && open[1] == '[') {
		close = memmem(open, (size_t)(end - open), "]]", 2);
		return close ? close + 2 : end;
	}
	if (comment) {
		close = memchr(c, '\n', (size_t)(end - c));
		return close ? close : end;
	}
	if (*c != '"' && *c != '\'')
		return c;
	for (close = c + 1; close < end && *close != *c && *close != '\n'; close++)
		close += *close == '\\' && close + 1 < end;
	return close < end ? close + 1 : end;
}

static int not_closed(struct parser *p, const struct fl_nginx_item *block)
{
	p->at.line = block->at.line;
	return broken(p, "the block that begins here has no closing \"}\"");
}

/* Behind the "}" that closes the block whose "{" was read. */
static int skip_lua(struct parser *p, const struct fl_nginx_item *item)
{
	unsigned open = 1;

	while (p->p < p->end && open > 0) {
		const char *behind = behind_lua_text(p->p, p->end);
		if (behind == p->p) {
			open += *p->p == '{';
			open -= *p->p == '}';
			behind++;
		}
		for (; p->p < behind; p->p++)
			p->at.line += *p->p == '\n';
	}
	return open == 0 ? FL_OK : not_closed(p, item);
}

/* ---- directives ---- */

static int parse_items(struct parser *p, const struct fl_nginx_item *block);

static int parse_block(struct parser *p, struct fl_nginx_item *item)
{
	struct items children = {NULL, NULL}, *outer = p->into;
	int rc;

	item->block = true;
	if (is_lua(item->words[0]))
		return skip_lua(p, item);
	if (p->depth >= FL_IMPORT_MAX_DEPTH)
		return broken(p, "blocks and includes are nested too deeply");
	p->depth++;
	p->into = &children;
	rc = parse_items(p, item);
	p->into = outer;
	item->children = children.first;
	p->depth--;
	return rc;
}

static int include_one(void *cookie, const char *name, const char *bytes, size_t len)
{
	const struct parser *outer = cookie;
	struct parser p = *outer;

	p.at = (struct fl_import_place){fl_import_copy(p.m, fl_slice_of(name)), 1};
	if (!p.at.file)
		return fl_error_set(p.err, FL_ENOMEM, "out of memory");
	if (++*p.files > FL_IMPORT_MAX_FILES)
		return broken(outer, "too many files are included");
	if (len > FL_IMPORT_MAX_BYTES || memchr(bytes, '\0', len))
		return broken(&p, len > FL_IMPORT_MAX_BYTES ? "the file is too large"
							    : "is no text: it has a NUL");
	p.p = bytes;
	p.end = bytes + len;
	p.depth++;
	return parse_items(&p, NULL);
}

/* Files that never hold a group of servers. */
static bool is_table(const char *pattern)
{
	static const char *const names[] = {"mime.types", "_params", "fastcgi.conf", NULL};

	for (const char *const *name = names; *name; name++)
		if (strstr(pattern, *name))
			return true;
	return false;
}

static int include(struct parser *p, const struct fl_nginx_item *item)
{
	struct fl_error why = {0};
	int rc;

	if (p->depth >= FL_IMPORT_MAX_DEPTH)
		return broken(p, "blocks and includes are nested too deeply");
	why.code = FL_ENOENT;
	rc = p->in->include
	             ? p->in->include(p->in->includer, item->words[1], include_one, p, &why)
	             : FL_ENOENT;
	if (rc == FL_ENOENT) {
		fl_import_note(p->m, FL_IMPORT_NOT_CARRIED, !is_table(item->words[1]), item->at,
			fl_nginx_text(p->m, item), "%s",
			why.text[0] ? why.text : "included files cannot be read here");
		return FL_OK;
	}
	return rc;
}

static void append(struct items *items, struct fl_nginx_item *item)
{
	if (items->last)
		items->last->next = item;
	else
		items->first = item;
	items->last = item;
}

static int parse_directive(struct parser *p)
{
	struct fl_nginx_item *item = fl_arena_alloc(&p->m->arena, sizeof(*item));
	struct words w = {0};
	int rc = FL_OK;

	if (!item)
		return no_memory(p);
	item->at = p->at;
	while (rc == FL_OK) {
		skip_blanks(p);
		if (p->p == p->end)
			return broken(p, "expected \";\" or \"{\", and the file ends");
		if (*p->p == ';' || *p->p == '{')
			break;
		if (*p->p == '}')
			return broken(p, "expected \";\" before \"}\"");
		rc = read_word(p, &w);
	}
	if (rc != FL_OK)
		return rc;
	if (w.count == 0)
		return broken(p, *p->p == ';' ? "there is no directive before \";\""
					      : "there is no directive before \"{\"");
	item->words = w.list;
	item->count = w.count;
	if (*p->p++ == ';' && w.count == 2 && fl_nginx_is(item, "include"))
		return include(p, item);
	append(p->into, item);
	return p->p[-1] == '{' ? parse_block(p, item) : FL_OK;
}

/* To the end of the file, or behind the "}" of `block`. */
static int parse_items(struct parser *p, const struct fl_nginx_item *block)
{
	int rc = FL_OK;

	while (rc == FL_OK) {
		skip_blanks(p);
		if (p->p == p->end)
			return block ? not_closed(p, block) : FL_OK;
		if (*p->p == '}') {
			p->p++;
			return block ? FL_OK : broken(p, "unexpected \"}\"");
		}
		rc = parse_directive(p);
	}
	return rc;
}

int fl_nginx_parse(struct fl_import *m, const struct fl_import_input *in,
	struct fl_nginx_item **out, struct fl_error *err)
{
	struct items items = {NULL, NULL};
	unsigned files = 1;
	struct parser p = {m, in, err, in->bytes, in->bytes + in->len,
		{fl_import_copy(m, fl_slice_of(in->name)), 1}, 0, &files, &items};
	int rc;

	if (!p.at.file)
		return fl_error_set(err, FL_ENOMEM, "out of memory");
	if (in->len >= 3 && memcmp(in->bytes, "\xef\xbb\xbf", 3) == 0)
		p.p += 3;
	rc = parse_items(&p, NULL);
	*out = items.first;
	return rc;
}

struct fl_slice fl_nginx_text(struct fl_import *m, const struct fl_nginx_item *item)
{
	struct fl_text text;
	const char *copy;

	fl_text_init(&text, FL_IMPORT_MAX_BYTES);
	for (size_t i = 0; i < item->count && text.n < FL_IMPORT_MAX_TEXT; i++) {
		if (i)
			FL_TEXT_LITERAL(&text, " ");
		fl_text_string(&text, item->words[i]);
	}
	copy = fl_import_copy(m, (struct fl_slice){text.p, text.n});
	fl_text_fini(&text);
	return fl_slice_of(copy);
}
