/* Written straight out, not as a tree: a ring of a million points is a report, too. Keys and
 * their order do not depend on the values. */
#include "report/data.h"
#include "report/show.h"

#include "base/utf8.h"

#include <inttypes.h>

struct json {
	FILE *out;
	unsigned depth;
	bool begun; /* something stands in the innermost object or array */
};

static void next(struct json *j)
{
	if (j->begun)
		(void)putc(',', j->out);
	if (j->depth)
		(void)fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
	j->begun = true;
}

static void begin(struct json *j, char bracket)
{
	(void)putc(bracket, j->out);
	j->depth++;
	j->begun = false;
}

static void finish(struct json *j, char bracket)
{
	j->depth--;
	if (j->begun)
		(void)fprintf(j->out, "\n%*s", (int)(2 * j->depth), "");
	(void)putc(bracket, j->out);
	j->begun = true;
}

static bool is_text(struct fl_slice s)
{
	uint32_t code;

	for (size_t i = 0, n; i < s.n; i += n) {
		n = fl_utf8_decode(s.p + i, s.n - i, &code);
		if (n == 0 || code == 0)
			return false;
	}
	return true;
}

static void put_text(struct json *j, struct fl_slice s)
{
	uint32_t code = 0;

	if (!is_text(s)) {
		(void)fputs("{\"hex\": \"", j->out);
		for (size_t i = 0; i < s.n; i++)
			(void)fprintf(j->out, "%02x", (unsigned char)s.p[i]);
		(void)fputs("\"}", j->out);
		return;
	}
	(void)putc('"', j->out);
	for (size_t i = 0, n; i < s.n; i += n) {
		n = fl_utf8_decode(s.p + i, s.n - i, &code);
		if (code == '"' || code == '\\')
			(void)fprintf(j->out, "\\%c", (char)code);
		else if ((fl_utf8_acts(code) || fl_report_hides(code)) && code < 0x10000)
			(void)fprintf(j->out, "\\u%04x", (unsigned)code);
		else
			(void)fwrite(s.p + i, 1, n, j->out);
	}
	(void)putc('"', j->out);
}

static void put_string(struct json *j, const char *s)
{
	if (s)
		put_text(j, fl_slice_of(s));
	else
		(void)fputs("null", j->out);
}

static void put_double(struct json *j, double value)
{
	char out[FL_REPORT_SHORT];

	(void)fputs(fl_report_exact(out, value), j->out);
}

static void key(struct json *j, const char *name)
{
	next(j);
	(void)fprintf(j->out, "\"%s\": ", name);
}

static void member(struct json *j, const char *name, const char *value)
{
	key(j, name);
	put_string(j, value);
}

/* ---- tables ---- */

static void put_cell(struct json *j, const struct fl_report_cell *cell)
{
	switch (cell->kind) {
	case FL_REPORT_CELL_NONE:
		(void)fputs("null", j->out);
		break;
	case FL_REPORT_CELL_TEXT:
		put_text(j, cell->text);
		break;
	case FL_REPORT_CELL_NUMBER:
		(void)fprintf(j->out, "%" PRId64, cell->number);
		break;
	case FL_REPORT_CELL_REAL:
		put_double(j, cell->real);
		break;
	case FL_REPORT_CELL_VERDICT:
		(void)fprintf(j->out, "{\"verdict\": \"%s\", \"words\": ",
			fl_report_verdict_name(cell->verdict));
		put_text(j, cell->text);
		(void)putc('}', j->out);
		break;
	}
}

static void put_columns(struct json *j, const struct fl_report_table *t)
{
	static const char *const types[] = {
		"text", "number", "real", "share", "bytes", "ns", "verdict"};

	key(j, "columns");
	begin(j, '[');
	for (size_t i = 0; i < t->column_count; i++) {
		next(j);
		(void)fprintf(j->out,
			"{\"name\": \"%s\", \"type\": \"%s\", \"title\": ", t->columns[i].name,
			types[t->columns[i].type]);
		put_string(j, t->columns[i].title);
		(void)fputs(", \"unit\": ", j->out);
		put_string(j, t->columns[i].unit);
		(void)putc('}', j->out);
	}
	finish(j, ']');
}

static void put_table(struct json *j, const struct fl_report_table *t)
{
	begin(j, '{');
	member(j, "title", t->title);
	put_columns(j, t);
	key(j, "rows");
	begin(j, '[');
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t column = i % t->column_count;
		if (column == 0) {
			next(j);
			(void)putc('{', j->out);
		}
		(void)fprintf(
			j->out, "%s\"%s\": ", column ? ", " : "", t->columns[column].name);
		put_cell(j, &FL_REPORT_AT(t->cells, struct fl_report_cell, i));
		if (column + 1 == t->column_count)
			(void)putc('}', j->out);
	}
	finish(j, ']');
	finish(j, '}');
}

/* ---- charts ---- */

static void put_names(struct json *j, const char *name, const struct fl_report_names *names)
{
	key(j, name);
	begin(j, '[');
	for (size_t i = 0; i < names->list.n; i++) {
		next(j);
		put_text(j, fl_report_name_at(names, i));
	}
	finish(j, ']');
}

/* A datum a line, of its label, series and value: what is missing is left out. */
static void put_bars(struct json *j, const struct fl_report_chart *c)
{
	put_names(j, "series", &c->series);
	key(j, "labels");
	begin(j, '[');
	for (size_t i = 0; i < c->groups.n; i++) {
		const struct fl_report_group *group = fl_report_group_at(c, i);
		next(j);
		(void)fputs("{\"label\": ", j->out);
		put_text(j, group->label);
		(void)fputs(", \"target\": ", j->out);
		if (group->target < 0)
			(void)fputs("null}", j->out);
		else {
			put_double(j, group->target);
			(void)putc('}', j->out);
		}
	}
	finish(j, ']');
	key(j, "values");
	begin(j, '[');
	for (size_t i = 0; i < c->data.n; i++) {
		const struct fl_report_datum *d =
			&FL_REPORT_AT(c->data, struct fl_report_datum, i);
		next(j);
		(void)fprintf(
			j->out, "{\"label\": %u, \"series\": %u, \"value\": ", d->a, d->b);
		put_double(j, d->y);
		(void)putc('}', j->out);
	}
	finish(j, ']');
}

static void put_points(struct json *j, const struct fl_report_chart *c)
{
	put_names(j, "series", &c->series);
	key(j, "points");
	begin(j, '[');
	for (size_t i = 0; i < c->data.n; i++) {
		const struct fl_report_datum *d =
			&FL_REPORT_AT(c->data, struct fl_report_datum, i);
		next(j);
		(void)fprintf(j->out, "{\"series\": %u, \"x\": ", d->b);
		put_double(j, d->x);
		(void)fputs(", \"y\": ", j->out);
		put_double(j, d->y);
		(void)putc('}', j->out);
	}
	finish(j, ']');
}

static int put_flows(struct json *j, const struct fl_report_chart *c)
{
	struct fl_report_moves m;

	if (fl_report_moves(&m, c) < 0)
		return -1;
	put_names(j, "nodes", &c->series);
	key(j, "flows");
	begin(j, '[');
	for (size_t i = 0; i < m.n; i++) {
		next(j);
		(void)fprintf(
			j->out, "{\"from\": %u, \"to\": %u, \"value\": ", m.p[i].a, m.p[i].b);
		put_double(j, m.p[i].y);
		(void)putc('}', j->out);
	}
	finish(j, ']');
	fl_report_moves_fini(&m);
	return 0;
}

/* Positions are hexadecimal text: most readers of JSON keep only 53 bits of a number. */
static void put_position(struct json *j, const struct fl_report_chart *c, uint64_t at)
{
	(void)fprintf(
		j->out, c->kind == FL_REPORT_RING ? "\"%016" PRIx64 "\"" : "%" PRIu64, at);
}

static void put_turn(struct json *j, const struct fl_report_chart *c)
{
	bool ring = c->kind == FL_REPORT_RING;

	put_names(j, "nodes", &c->series);
	key(j, ring ? "points" : "rows");
	begin(j, '[');
	for (size_t i = 0; i < c->data.n; i++) {
		const struct fl_report_datum *d =
			&FL_REPORT_AT(c->data, struct fl_report_datum, i);
		next(j);
		if (ring) {
			(void)fputs("{\"position\": ", j->out);
			put_position(j, c, d->at);
			(void)fprintf(j->out, ", \"node\": %u}", d->b);
		} else if (d->b == FL_NONE) {
			(void)fputs("null", j->out);
		} else {
			(void)fprintf(j->out, "%u", d->b);
		}
	}
	finish(j, ']');
	key(j, "marks");
	begin(j, '[');
	for (size_t i = 0; i < c->marks.n; i++) {
		const struct fl_report_pin *pin =
			&FL_REPORT_AT(c->marks, struct fl_report_pin, i);
		next(j);
		(void)fputs("{\"label\": ", j->out);
		put_text(j, pin->label);
		(void)fputs(", \"position\": ", j->out);
		put_position(j, c, pin->at);
		(void)putc('}', j->out);
	}
	finish(j, ']');
}

static int put_chart(struct json *j, const struct fl_report_chart *c)
{
	static const char *const kinds[] = {"bars", "lines", "flows", "ring", "rows"};
	int status = 0;

	begin(j, '{');
	member(j, "kind", kinds[c->kind]);
	member(j, "title", c->spec.title);
	member(j, "note", c->spec.note);
	if (c->reference >= 0) {
		key(j, "reference");
		put_double(j, c->reference);
	}
	if (c->kind == FL_REPORT_BARS)
		put_bars(j, c);
	else if (c->kind == FL_REPORT_LINES)
		put_points(j, c);
	else if (c->kind == FL_REPORT_FLOWS)
		status = put_flows(j, c);
	else
		put_turn(j, c);
	finish(j, '}');
	return status;
}

/* ---- the whole ---- */

static void put_head(struct json *j, const struct fl_report *r)
{
	member(j, "report", r->name);
	key(j, "title");
	put_text(j, r->title);
	key(j, "summary");
	begin(j, '[');
	for (size_t i = 0; i < r->summary.n; i++) {
		const struct fl_report_line *line =
			&FL_REPORT_AT(r->summary, struct fl_report_line, i);
		next(j);
		(void)fputs("{\"text\": ", j->out);
		put_text(j, line->text);
		(void)fputs(", \"verdict\": ", j->out);
		put_string(j, line->judged ? fl_report_verdict_name(line->verdict) : NULL);
		(void)putc('}', j->out);
	}
	finish(j, ']');
	key(j, "facts");
	begin(j, '{');
	for (size_t i = 0; i < r->facts.n; i++) {
		const struct fl_report_known *known =
			&FL_REPORT_AT(r->facts, struct fl_report_known, i);
		key(j, known->name);
		if (known->is_number)
			(void)fprintf(j->out, "%" PRIu64, known->number);
		else
			put_text(j, known->text);
	}
	finish(j, '}');
}

static int put_section(struct json *j, const struct fl_report_part *part)
{
	int status = 0;

	key(j, part->name);
	begin(j, '{');
	member(j, "heading", part->heading);
	member(j, "note", part->note);
	for (int charts = 0; status == 0 && charts < 2; charts++) {
		key(j, charts ? "charts" : "tables");
		begin(j, '{');
		for (size_t i = 0; status == 0 && i < part->items.n; i++) {
			const struct fl_report_item *item =
				&FL_REPORT_AT(part->items, struct fl_report_item, i);
			if (charts && item->chart) {
				key(j, item->chart->spec.name);
				status = put_chart(j, item->chart);
			} else if (!charts && item->table) {
				key(j, item->table->name);
				put_table(j, item->table);
			}
		}
		finish(j, '}');
	}
	finish(j, '}');
	return status;
}

int fl_report_json(const struct fl_report *r, FILE *out, struct fl_error *err)
{
	struct fl_report_locale locale;
	struct json j = {.out = out};
	int status = fl_report_ready(r, err);

	if (status != FL_OK)
		return status;
	fl_report_locale_enter(&locale);
	begin(&j, '{');
	put_head(&j, r);
	key(&j, "sections");
	begin(&j, '{');
	for (size_t i = 0; status == 0 && i < r->sections.n; i++)
		status = put_section(&j, &FL_REPORT_AT(r->sections, struct fl_report_part, i));
	finish(&j, '}');
	finish(&j, '}');
	(void)putc('\n', out);
	fl_report_locale_leave(&locale);
	if (status < 0)
		return fl_error_set(err, FL_ENOMEM, "no memory to write the report");
	return fl_report_written(out, err);
}
