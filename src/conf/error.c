/* Messages: put together, made harmless, and kept in the order of the file.
 *
 * Reading goes row by row, so errors are found out of order; each is inserted where it belongs,
 * and when the table is full the last by place gives way, so that what is shown is always the
 * beginning of the file. Names and values come from whoever wrote the file: what a terminal would
 * act on is escaped here, once, for all messages. Cost: one arena copy a message. */
#include "base/utf8.h"
#include "conf/priv.h"

#include <stdarg.h>
#include <string.h>

/* What vsnprintf said of its work at the end of `text`. */
static void added(struct fl_conf_text *text, int n)
{
	size_t room = sizeof(text->p) - text->n;
	if (n < 0)
		return;
	if ((size_t)n < room) {
		text->n += (size_t)n;
		return;
	}
	text->n = sizeof(text->p) - 1;
	/* Rather less than half a character. */
	while (text->n > 0 && (text->p[text->n - 1] & 0x80))
		text->n--;
	text->p[text->n] = '\0';
}

void fl_conf_say(struct fl_conf_text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	added(text, vsnprintf(text->p + text->n, sizeof(text->p) - text->n, format, args));
	va_end(args);
}

/* The longest prefix of at most `most` bytes that does not cut a character. */
static size_t cut(const char *text, size_t len, size_t most)
{
	if (len <= most)
		return len;
	while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
		most--;
	return most;
}

const char *fl_conf_quote(struct fl_conf_quoted *buf, const char *text)
{
	const size_t most = sizeof(buf->text) - sizeof("\"\"...");
	size_t len = strnlen(text, most + 1);
	size_t keep = cut(text, len, most);
	(void)snprintf(buf->text, sizeof(buf->text), "\"%.*s%s\"", (int)keep, text,
		keep < len ? "..." : "");
	return buf->text;
}

/* A copy of `text` with harmful characters as \xHH; NULL without memory. */
static const char *clean(struct fl_conf *conf, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	char *out = fl_arena_alloc(&conf->arena, strlen(text) * 4 + 1);
	char *to = out;

	if (!out)
		return NULL;
	for (size_t len = strlen(text); len > 0;) {
		uint32_t code = 0;
		size_t n = fl_utf8_decode(text, len, &code);
		bool harmful = n == 0 || fl_utf8_acts(code);
		for (n = n ? n : 1; n > 0; n--, len--, text++) {
			unsigned char byte = (unsigned char)*text;
			if (!harmful) {
				*to++ = (char)byte;
				continue;
			}
			*to++ = '\\';
			*to++ = 'x';
			*to++ = digits[byte >> 4];
			*to++ = digits[byte & 15];
		}
	}
	*to = '\0';
	return out;
}

static bool before(const struct fl_conf_message *a, const struct fl_conf_message *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* After those of the same place, so that the order of finding holds among them. */
static void insert(struct fl_conf_messages *all, struct fl_conf_message message)
{
	size_t at = all->count;
	all->total++;
	while (at > 0 && before(&message, &all->items[at - 1]))
		at--;
	if (at == FL_CONF_MAX_ERRORS)
		return;
	if (all->count == FL_CONF_MAX_ERRORS)
		all->count--;
	memmove(&all->items[at + 1], &all->items[at],
		(all->count - at) * sizeof(all->items[0]));
	all->items[at] = message;
	all->count++;
}

static bool wanted(const struct fl_conf_messages *all, unsigned line, unsigned column)
{
	struct fl_conf_message here = {.line = line, .column = column};
	return all->count < FL_CONF_MAX_ERRORS || before(&here, &all->items[all->count - 1]);
}

static void add(struct fl_conf *conf, struct fl_conf_messages *all, const char *severity,
	unsigned line, unsigned column, const char *what)
{
	char text[sizeof(conf->name) + sizeof(((struct fl_conf_text *)0)->p) + 64];
	struct fl_conf_message message = {.line = line, .column = column};

	if (wanted(all, line, column)) {
		if (line)
			(void)snprintf(text, sizeof(text), "%s:%u:%u: %s: %s", conf->name, line,
				column, severity, what);
		else
			(void)snprintf(
				text, sizeof(text), "%s: %s: %s", conf->name, severity, what);
		message.text = clean(conf, text);
		if (!message.text)
			message.text = "error: out of memory";
	}
	insert(all, message);
	if (all->total > all->count)
		(void)snprintf(all->more, sizeof(all->more), "%s: %s: %zu more, not shown",
			conf->name, severity, all->total - all->count);
}

void fl_conf_set_name(struct fl_conf *conf, const char *name)
{
	const size_t most = sizeof(conf->name) - sizeof("...");
	const char *cleaned = clean(conf, name);
	if (!cleaned)
		cleaned = "?";
	size_t len = strlen(cleaned);
	/* Of a long path the end says which file it is. */
	(void)snprintf(conf->name, sizeof(conf->name), "%s%s", len > most ? "..." : "",
		cleaned + (len > most ? len - most : 0));
}

__attribute__((format(printf, 6, 0))) static void report(struct fl_conf *conf,
	struct fl_conf_messages *all, const char *severity, unsigned line, unsigned column,
	const char *format, va_list args)
{
	struct fl_conf_text what = {.n = 0};
	struct fl_conf_quoted name;

	if (conf->hiding) {
		fl_conf_say(&what, "%s wants ", fl_conf_quote(&name, conf->hiding->name));
		fl_conf_say_wanted(&what, conf->hiding);
		fl_conf_say(&what, " (its value is not shown)");
	} else {
		added(&what, vsnprintf(what.p, sizeof(what.p), format, args));
	}
	add(conf, all, severity, line, column, what.p);
}

int fl_conf_error_at(
	struct fl_conf *conf, unsigned line, unsigned column, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(conf, &conf->errors, "error", line, column, format, args);
	va_end(args);
	return -1;
}

int fl_conf_error(
	struct fl_conf *conf, const struct fl_conf_node *node, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(conf, &conf->errors, "error", node ? node->line : 0, node ? node->column : 0,
		format, args);
	va_end(args);
	return -1;
}

void fl_conf_warn(
	struct fl_conf *conf, const struct fl_conf_node *node, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(conf, &conf->warnings, "warning", node ? node->line : 0, node ? node->column : 0,
		format, args);
	va_end(args);
}

static size_t shown(const struct fl_conf_messages *all)
{
	return all->count + (all->total > all->count);
}

static const char *text_of(const struct fl_conf_messages *all, size_t i)
{
	return i < all->count ? all->items[i].text : all->more;
}

size_t fl_conf_errors(const struct fl_conf *conf)
{
	return shown(&conf->errors);
}

size_t fl_conf_warnings(const struct fl_conf *conf)
{
	return shown(&conf->warnings);
}

const char *fl_conf_error_text(const struct fl_conf *conf, size_t i)
{
	return text_of(&conf->errors, i);
}

const char *fl_conf_warning_text(const struct fl_conf *conf, size_t i)
{
	return text_of(&conf->warnings, i);
}
