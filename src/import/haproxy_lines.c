/* HAProxy's grammar: a line is words between blanks; '...' keeps everything, "..." fills variables
 * in, a backslash takes the next byte as it is; "#" begins a comment. A word such as `backend`
 * begins a section. What stands between .if and .endif depends on the program that reads it, and
 * is not read here. */
#include "import/haproxy.h"

#include "import/systems.h"

#include <ctype.h>

#define WORDS_MOST 4096 /* of one line */

struct variable {
	const char *name, *value;
	struct variable *next;
};

struct parser {
	struct fl_import *m;
	const struct fl_import_input *in;
	struct fl_error *err;
	struct fl_import_place at;
	struct fl_text word;
	struct variable *variables; /* that `setenv` of the file sets */
	struct fl_haproxy_section *sections, **end, *now;
	const struct fl_haproxy_section *defaults; /* the last ones */
	unsigned depth;                            /* of .if */
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
		p->in->name, p->at.line, FL_IMPORT_MAX_MEMORY >> 20);
}

/* ---- variables ---- */

static const char *value_of(const struct parser *p, struct fl_slice name)
{
	for (const struct variable *v = p->variables; v; v = v->next)
		if (fl_slice_eq(fl_slice_of(v->name), name))
			return v->value;
	for (const char *const *v = p->in->variables; v && *v; v++)
		if (strncmp(*v, name.p, name.n) == 0 && (*v)[name.n] == '=')
			return *v + name.n + 1;
	return NULL;
}

/* "$NAME" or "${NAME-default}" at `c`; gives where it ends. */
static const char *add_variable(struct parser *p, const char *c, const char *end)
{
	bool braced = c + 1 < end && c[1] == '{';
	const char *start = c + 1 + braced, *stop = start, *close;
	const char *value;

	while (stop < end && (isalnum((unsigned char)*stop) || *stop == '_'))
		stop++;
	struct fl_slice name = {start, (size_t)(stop - start)}, other = {NULL, 0};
	close = stop;
	if (braced) {
		close = memchr(stop, '}', (size_t)(end - stop));
		if (!close || name.n == 0)
			return NULL;
		if (*stop == '-')
			other = (struct fl_slice){stop + 1, (size_t)(close - stop - 1)};
		close++;
	}
	if (name.n == 0)
		return NULL;
	value = value_of(p, name);
	if (value)
		fl_text_string(&p->word, value);
	else if (other.p)
		fl_text_slice(&p->word, other);
	else
		fl_import_note(p->m, FL_IMPORT_ASK, true, p->at, name,
			"a variable of the environment: give --set %.*s=VALUE",
			(int)(name.n < 60 ? name.n : 60), name.p);
	return close;
}

static void set_variable(struct parser *p, const struct fl_haproxy_line *line)
{
	struct variable *v;

	if (line->count < 3 ||
		(!fl_haproxy_is(line, "setenv") && !fl_haproxy_is(line, "presetenv")))
		return;
	if (fl_haproxy_is(line, "presetenv") && value_of(p, fl_slice_of(line->words[1])))
		return;
	v = fl_arena_alloc(&p->m->arena, sizeof(*v));
	if (!v) {
		p->m->failed = true;
		return;
	}
	*v = (struct variable){line->words[1], line->words[2], p->variables};
	p->variables = v;
}

/* ---- words ---- */

/* What a backslash and the byte behind it stand for. */
static char unescaped(char c)
{
	return c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
}

/* One word at *at into p->word. */
static int read_word(struct parser *p, const char **at, const char *end)
{
	const char *c = *at;
	char quote = 0;

	fl_text_clear(&p->word);
	for (; c < end && (quote || (!isspace((unsigned char)*c) && *c != '#')); c++) {
		if (*c == quote) {
			quote = 0;
		} else if (!quote && (*c == '"' || *c == '\'')) {
			quote = *c;
		} else if (*c == '\\' && quote != '\'' && c + 1 < end) {
			char byte = unescaped(*++c);
			fl_text_add(&p->word, &byte, 1);
		} else if (*c == '$' && quote == '"') {
			const char *behind = add_variable(p, c, end);
			if (!behind)
				return broken(
					p, "expected the name of a variable behind \"$\"");
			c = behind - 1;
		} else {
			fl_text_add(&p->word, c, 1);
		}
	}
	*at = c;
	if (quote)
		return broken(
			p, quote == '"' ? "expected a closing \"" : "expected a closing '");
	return p->word.failed ? no_memory(p) : FL_OK;
}

static int add_word(struct parser *p, struct fl_haproxy_line *line, size_t *room)
{
	if (line->count == WORDS_MOST)
		return broken(p, "a line has too many words");
	if (line->count == *room) {
		const char **words;
		*room = *room ? 2 * *room : 4;
		words = fl_arena_array(&p->m->arena, *room, sizeof(*words));
		if (!words)
			return no_memory(p);
		if (line->count)
			memcpy(words, line->words, line->count * sizeof(*words));
		line->words = words;
	}
	line->words[line->count] =
		fl_import_copy(p->m, (struct fl_slice){p->word.p, p->word.n});
	return line->words[line->count++] ? FL_OK : no_memory(p);
}

/* *out is NULL for a line that says nothing. */
static int read_line(
	struct parser *p, const char *c, const char *end, struct fl_haproxy_line **out)
{
	struct fl_haproxy_line *line = NULL;
	size_t room = 0;
	int rc = FL_OK;

	*out = NULL;
	while (rc == FL_OK) {
		while (c < end && isspace((unsigned char)*c))
			c++;
		if (c == end || *c == '#')
			break;
		if (!line)
			line = fl_arena_alloc(&p->m->arena, sizeof(*line));
		if (!line)
			return no_memory(p);
		line->at = p->at;
		rc = read_word(p, &c, end);
		if (rc == FL_OK)
			rc = add_word(p, line, &room);
	}
	*out = line;
	return rc;
}

/* ---- sections ---- */

static const struct {
	const char *word;
	enum fl_haproxy_kind kind;
} kinds[] = {
	{"global", FL_HAPROXY_GLOBAL},
	{"defaults", FL_HAPROXY_DEFAULTS},
	{"frontend", FL_HAPROXY_FRONTEND},
	{"backend", FL_HAPROXY_BACKEND},
	{"listen", FL_HAPROXY_LISTEN},
	{"userlist", FL_HAPROXY_OTHER},
	{"peers", FL_HAPROXY_OTHER},
	{"mailers", FL_HAPROXY_OTHER},
	{"resolvers", FL_HAPROXY_OTHER},
	{"cache", FL_HAPROXY_OTHER},
	{"program", FL_HAPROXY_OTHER},
	{"ring", FL_HAPROXY_OTHER},
	{"http-errors", FL_HAPROXY_OTHER},
	{"log-forward", FL_HAPROXY_OTHER},
	{"log-profile", FL_HAPROXY_OTHER},
	{"fcgi-app", FL_HAPROXY_OTHER},
	{"crt-store", FL_HAPROXY_OTHER},
	{"acme", FL_HAPROXY_OTHER},
	{"traces", FL_HAPROXY_OTHER},
	{"healthcheck", FL_HAPROXY_OTHER},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t kind_of(struct fl_slice word)
{
	size_t i = 0;

	while (i < KINDS && !fl_slice_eq(fl_slice_of(kinds[i].word), word))
		i++;
	return i;
}

static const struct fl_haproxy_section *defaults_called(
	const struct parser *p, const char *name)
{
	const struct fl_haproxy_section *found = NULL;

	for (const struct fl_haproxy_section *s = p->sections; s; s = s->next)
		if (s->kind == FL_HAPROXY_DEFAULTS && strcmp(s->name, name) == 0)
			found = s;
	return found;
}

static bool is_proxy(enum fl_haproxy_kind kind)
{
	return kind == FL_HAPROXY_FRONTEND || kind == FL_HAPROXY_BACKEND ||
	       kind == FL_HAPROXY_LISTEN;
}

/* "defaults [NAME] [from OTHER]", "backend NAME [from OTHER]". */
static int set_defaults(
	struct parser *p, struct fl_haproxy_section *s, const struct fl_haproxy_line *line)
{
	size_t from = strcmp(s->name, "") == 0 ? 1 : 2;

	if (is_proxy(s->kind))
		s->defaults = p->defaults;
	if (strcmp(fl_haproxy_word(line, from), "from") != 0)
		return FL_OK;
	s->defaults = defaults_called(p, fl_haproxy_word(line, from + 1));
	return s->defaults ? FL_OK : broken(p, "there are no defaults of this name before");
}

static int begin_section(
	struct parser *p, enum fl_haproxy_kind kind, const struct fl_haproxy_line *line)
{
	struct fl_haproxy_section *s = fl_arena_alloc(&p->m->arena, sizeof(*s));
	const char *name = fl_haproxy_word(line, 1);
	int rc;

	if (!s)
		return no_memory(p);
	if (is_proxy(kind) && !*name)
		return broken(p, "a section of this kind has a name");
	if (kind == FL_HAPROXY_DEFAULTS && strcmp(name, "from") == 0)
		name = "";
	*s = (struct fl_haproxy_section){.kind = kind, .name = name, .at = line->at};
	s->end = &s->lines;
	rc = set_defaults(p, s, line);
	if (kind == FL_HAPROXY_DEFAULTS)
		p->defaults = s;
	if (kind == FL_HAPROXY_OTHER)
		fl_import_note(p->m, FL_IMPORT_NOT_CARRIED, false, line->at,
			fl_slice_of(line->words[0]), "the section has no counterpart");
	*p->end = s;
	p->end = &s->next;
	p->now = s;
	return rc;
}

/* .if, .endif and their like; whether the line was taken. */
static bool is_conditional(struct parser *p, const struct fl_haproxy_line *line)
{
	if (fl_haproxy_is(line, ".if")) {
		if (p->depth++ == 0)
			fl_import_note(p->m, FL_IMPORT_NOT_CARRIED, true, line->at,
				fl_haproxy_text(p->m, line),
				"what stands between .if and .endif is not read: leave there "
				"only "
				"what holds");
		return true;
	}
	if (fl_haproxy_is(line, ".endif") && p->depth > 0) {
		p->depth--;
		return true;
	}
	return p->depth > 0 || line->words[0][0] == '.';
}

static int take_line(struct parser *p, struct fl_haproxy_line *line)
{
	size_t kind = kind_of(fl_slice_of(line->words[0]));

	if (is_conditional(p, line))
		return FL_OK;
	if (kind < KINDS)
		return begin_section(p, kinds[kind].kind, line);
	if (!p->now)
		return broken(p, "expected a section, such as \"global\" or \"backend NAME\"");
	if (p->now->kind == FL_HAPROXY_GLOBAL)
		set_variable(p, line);
	if (p->now->kind == FL_HAPROXY_OTHER)
		return FL_OK;
	*p->now->end = line;
	p->now->end = &line->next;
	return FL_OK;
}

int fl_haproxy_parse(struct fl_import *m, const struct fl_import_input *in,
	struct fl_haproxy_section **out, struct fl_error *err)
{
	struct parser p = {.m = m,
		.in = in,
		.err = err,
		.at = {fl_import_copy(m, fl_slice_of(in->name)), 0}};
	const char *c = in->bytes, *end = c + in->len, *stop;
	int rc = p.at.file ? FL_OK : no_memory(&p);

	p.end = &p.sections;
	fl_text_init(&p.word, FL_IMPORT_MAX_BYTES);
	for (; rc == FL_OK && c < end; c = stop < end ? stop + 1 : end) {
		struct fl_haproxy_line *line;

		stop = memchr(c, '\n', (size_t)(end - c));
		stop = stop ? stop : end;
		p.at.line++;
		rc = read_line(&p, c, stop, &line);
		if (rc == FL_OK && line)
			rc = take_line(&p, line);
	}
	if (rc == FL_OK && p.depth > 0)
		rc = broken(&p, "expected \".endif\", and the file ends");
	fl_text_fini(&p.word);
	*out = p.sections;
	return rc;
}

struct fl_slice fl_haproxy_text(struct fl_import *m, const struct fl_haproxy_line *line)
{
	struct fl_text text;
	const char *copy;

	fl_text_init(&text, FL_IMPORT_MAX_BYTES);
	for (size_t i = 0; i < line->count && text.n < FL_IMPORT_MAX_TEXT; i++) {
		if (i)
			FL_TEXT_LITERAL(&text, " ");
		fl_text_string(&text, line->words[i]);
	}
	copy = fl_import_copy(m, (struct fl_slice){text.p, text.n});
	fl_text_fini(&text);
	return fl_slice_of(copy);
}

bool fl_import_is_haproxy(struct fl_slice bytes)
{
	struct fl_slice line = fl_import_first_line(bytes);
	size_t n = 0;

	while (n < line.n && !isspace((unsigned char)line.p[n]))
		n++;
	return kind_of((struct fl_slice){line.p, n}) < KINDS && !memchr(line.p, '{', line.n) &&
	       !memchr(line.p, ';', line.n);
}
