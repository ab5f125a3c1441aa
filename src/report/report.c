/* Building: everything lives in one arena, whose limit is the report's bound. The first failure
 * is kept; after it nothing is added, so what stands there is never half of something. */
#include "report/priv.h"

#include <errno.h>
#include <stdlib.h>

enum {
	MOST_SENTENCE = 1024,
	MOST_LINES = 256, /* of the summary; facts */
	FIRST_ROOM = 8,
};

struct fl_report *fl_report_new(const char *name)
{
	struct fl_report *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	fl_arena_init(&r->arena, FL_REPORT_MAX_BYTES);
	r->name = fl_report_string(r, name);
	return r;
}

void fl_report_free(struct fl_report *r)
{
	if (!r)
		return;
	fl_arena_fini(&r->arena);
	free(r);
}

/* ---- failing ---- */

void fl_report_fail(struct fl_report *r, int code, const char *format, ...)
{
	va_list args;

	if (!r || r->error.code)
		return;
	va_start(args, format);
	(void)vsnprintf(r->error.text, sizeof(r->error.text), format, args);
	va_end(args);
	r->error.code = code;
}

bool fl_report_good(const struct fl_report *r)
{
	return r && r->error.code == FL_OK;
}

int fl_report_error(const struct fl_report *r, struct fl_error *err)
{
	if (!r)
		return fl_error_set(err, FL_ENOMEM, "no memory for a report");
	if (r->error.code && err)
		*err = r->error;
	return r->error.code;
}

/* Without memory, or over the arena's limit: which it was is told by how much was taken. */
static void fail_memory(struct fl_report *r)
{
	if (r->arena.taken > FL_REPORT_MAX_BYTES / 4)
		fl_report_fail(r, FL_ELIMIT, "the report would be larger than %zu MiB",
			FL_REPORT_MAX_BYTES >> 20);
	else
		fl_report_fail(r, FL_ENOMEM, "no memory for a report");
}

/* ---- pieces ---- */

void *fl_report_push(struct fl_report *r, struct fl_report_vec *vec, size_t size, size_t most)
{
	if (!fl_report_good(r))
		return NULL;
	if (vec->n >= most) {
		fl_report_fail(r, FL_ELIMIT, "more than %zu in one place of a report", most);
		return NULL;
	}
	if (vec->n == vec->room) {
		size_t room = vec->room ? 2 * vec->room : FIRST_ROOM;
		void *p = fl_arena_array(&r->arena, room, size);
		if (!p) {
			fail_memory(r);
			return NULL;
		}
		if (vec->n)
			memcpy(p, vec->p, vec->n * size);
		vec->p = p;
		vec->room = room;
	}
	return (char *)vec->p + size * vec->n++;
}

struct fl_slice fl_report_copy(struct fl_report *r, struct fl_slice text)
{
	struct fl_slice copy = {"", 0};

	if (!fl_report_good(r))
		return copy;
	if (text.n > FL_REPORT_MAX_TEXT) {
		fl_report_fail(r, FL_ELIMIT, "a text of %zu bytes in a report; at most %zu",
			text.n, FL_REPORT_MAX_TEXT);
		return copy;
	}
	char *p = fl_arena_copy(&r->arena, text.p, text.n);
	if (!p) {
		fail_memory(r);
		return copy;
	}
	return (struct fl_slice){p, text.n};
}

const char *fl_report_string(struct fl_report *r, const char *text)
{
	return text ? fl_report_copy(r, fl_slice_of(text)).p : NULL;
}

/* FNV-1a; names come from one configuration, so nobody gains by making them collide. */
static size_t hash(struct fl_slice text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

/* Where the string stands in the index, or the free place where it belongs. */
static uint32_t *find(const struct fl_report_names *names, struct fl_slice text)
{
	for (size_t i = hash(text);; i++) {
		uint32_t *at = &names->index[i & (names->room - 1)];
		if (*at == 0 || fl_slice_eq(fl_report_name_at(names, *at - 1), text))
			return at;
	}
}

/* Keeps the index at most half full. */
static bool widen(struct fl_report *r, struct fl_report_names *names)
{
	if (2 * (names->list.n + 1) <= names->room)
		return true;
	size_t room = names->room ? 2 * names->room : 2 * FIRST_ROOM;
	uint32_t *index = fl_arena_array(&r->arena, room, sizeof(*index));
	if (!index) {
		fail_memory(r);
		return false;
	}
	names->index = index;
	names->room = room;
	for (uint32_t i = 0; i < names->list.n; i++)
		*find(names, fl_report_name_at(names, i)) = i + 1;
	return true;
}

uint32_t fl_report_intern(
	struct fl_report *r, struct fl_report_names *names, struct fl_slice text, size_t most)
{
	if (!fl_report_good(r) || !widen(r, names))
		return UINT32_MAX;
	uint32_t *at = find(names, text);
	if (*at)
		return *at - 1;
	struct fl_slice copy = fl_report_copy(r, text);
	struct fl_slice *name = fl_report_push(r, &names->list, sizeof(*name), most);
	if (!name)
		return UINT32_MAX;
	*name = copy;
	*at = (uint32_t)names->list.n;
	return *at - 1;
}

/* ---- head ---- */

__attribute__((format(printf, 2, 0))) static struct fl_slice sentence(
	struct fl_report *r, const char *format, va_list args)
{
	char text[MOST_SENTENCE + 1];
	int n = vsnprintf(text, sizeof(text), format, args);

	if (n < 0 || n > MOST_SENTENCE) {
		fl_report_fail(r, FL_ELIMIT, "a sentence of %d bytes in a report; at most %d",
			n, MOST_SENTENCE);
		n = 0;
	}
	return fl_report_copy(r, (struct fl_slice){text, (size_t)n});
}

void fl_report_titled(struct fl_report *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	struct fl_slice title = sentence(r, format, args);
	va_end(args);
	if (fl_report_good(r))
		r->title = title;
}

static void add_line(struct fl_report *r, struct fl_report_line line)
{
	struct fl_report_line *at =
		r ? fl_report_push(r, &r->summary, sizeof(*at), MOST_LINES) : NULL;

	if (at)
		*at = line;
}

void fl_report_say(struct fl_report *r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(r, (struct fl_report_line){.text = sentence(r, format, args)});
	va_end(args);
}

void fl_report_conclude(
	struct fl_report *r, enum fl_report_verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_line(r,
		(struct fl_report_line){
			.text = sentence(r, format, args), .judged = true, .verdict = verdict});
	va_end(args);
}

static struct fl_report_known *add_fact(
	struct fl_report *r, const char *name, const char *title)
{
	if (!r || !fl_report_name_ok(r, name))
		return NULL;
	for (size_t i = 0; i < r->facts.n; i++) {
		if (strcmp(FL_REPORT_AT(r->facts, struct fl_report_known, i).name, name) == 0) {
			fl_report_fail(r, FL_EINVAL, "two facts of a report are \"%s\"", name);
			return NULL;
		}
	}
	struct fl_report_known known = {
		.name = fl_report_string(r, name), .title = fl_report_string(r, title)};
	struct fl_report_known *at = fl_report_push(r, &r->facts, sizeof(*at), MOST_LINES);
	if (at)
		*at = known;
	return at;
}

void fl_report_fact(
	struct fl_report *r, const char *name, const char *title, struct fl_slice value)
{
	struct fl_slice text = fl_report_copy(r, value);
	struct fl_report_known *known = add_fact(r, name, title);

	if (known)
		known->text = text;
}

void fl_report_fact_number(
	struct fl_report *r, const char *name, const char *title, uint64_t value)
{
	struct fl_report_known *known = add_fact(r, name, title);

	if (known) {
		known->number = value;
		known->is_number = true;
	}
}

/* ---- sections ---- */

bool fl_report_name_ok(struct fl_report *r, const char *name)
{
	size_t n = name ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789_-")
	                : 0;

	if (n == 0 || n > 64 || name[n])
		fl_report_fail(r, FL_EINVAL,
			"\"%.80s\" in a report: expected a name of letters, digits, _ and -",
			name ? name : "");
	return fl_report_good(r);
}

static const char *item_name(const struct fl_report_item *item)
{
	return item->table ? item->table->name : item->chart->spec.name;
}

void fl_report_section(
	struct fl_report *r, const char *name, const char *heading, const char *note)
{
	if (!r || !fl_report_name_ok(r, name))
		return;
	for (size_t i = 0; i < r->sections.n; i++) {
		if (strcmp(FL_REPORT_AT(r->sections, struct fl_report_part, i).name, name) != 0)
			continue;
		fl_report_fail(r, FL_EINVAL, "two sections of a report are \"%s\"", name);
		return;
	}
	struct fl_report_part part = {.name = fl_report_string(r, name),
		.heading = fl_report_string(r, heading),
		.note = fl_report_string(r, note)};
	struct fl_report_part *at =
		fl_report_push(r, &r->sections, sizeof(*at), FL_REPORT_MAX_ITEMS);
	if (at)
		*at = part;
}

bool fl_report_add(struct fl_report *r, const char *name, struct fl_report_item item)
{
	if (!fl_report_name_ok(r, name))
		return false;
	if (r->sections.n == 0)
		fl_report_section(r, "main", NULL, NULL);
	if (!fl_report_good(r))
		return false;
	struct fl_report_part *part =
		&FL_REPORT_AT(r->sections, struct fl_report_part, r->sections.n - 1);
	for (size_t i = 0; i < part->items.n; i++) {
		if (strcmp(item_name(&FL_REPORT_AT(part->items, struct fl_report_item, i)),
			    name) != 0)
			continue;
		fl_report_fail(r, FL_EINVAL, "two parts of section \"%s\" are \"%s\"",
			part->name, name);
		return false;
	}
	struct fl_report_item *at =
		fl_report_push(r, &part->items, sizeof(*at), FL_REPORT_MAX_ITEMS);
	if (at)
		*at = item;
	return at != NULL;
}

/* ---- for renderers ---- */

static int tables_whole(const struct fl_report_part *part, struct fl_error *err)
{
	for (size_t i = 0; i < part->items.n; i++) {
		const struct fl_report_table *t =
			FL_REPORT_AT(part->items, struct fl_report_item, i).table;
		if (t && t->cells.n % t->column_count)
			return fl_error_set(err, FL_EINVAL,
				"the last row of table \"%s\" has %zu of %zu cells", t->name,
				t->cells.n % t->column_count, t->column_count);
	}
	return FL_OK;
}

int fl_report_ready(const struct fl_report *r, struct fl_error *err)
{
	int status = fl_report_error(r, err);

	for (size_t i = 0; status == FL_OK && i < r->sections.n; i++)
		status =
			tables_whole(&FL_REPORT_AT(r->sections, struct fl_report_part, i), err);
	return status;
}

int fl_report_written(FILE *out, struct fl_error *err)
{
	if (fflush(out) == 0 && !ferror(out))
		return FL_OK;
	return fl_error_set(err, FL_EINVAL, "cannot write the report: %s", strerror(errno));
}
