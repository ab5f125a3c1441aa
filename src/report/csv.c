/* Commas, CRLF, and quotes around what needs them; numbers as in JSON. */
#include "report/csv.h"

#include "report/show.h"

#include <inttypes.h>

#define MOST_NAMES 160 /* bytes of an error's list of tables */

static void put_field(FILE *out, struct fl_slice text)
{
	bool quote = false;

	for (size_t i = 0; i < text.n && !quote; i++)
		quote = strchr(",\"\r\n", text.p[i]) && text.p[i];
	if (!quote) {
		if (text.n)
			(void)fwrite(text.p, 1, text.n, out);
		return;
	}
	(void)putc('"', out);
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			(void)putc('"', out);
		(void)putc(text.p[i], out);
	}
	(void)putc('"', out);
}

static void put_cell(FILE *out, const struct fl_report_cell *cell)
{
	char text[FL_REPORT_SHORT];

	if (cell->kind == FL_REPORT_CELL_NUMBER)
		(void)fprintf(out, "%" PRId64, cell->number);
	else if (cell->kind == FL_REPORT_CELL_REAL)
		(void)fputs(fl_report_exact(text, cell->real), out);
	else if (cell->kind == FL_REPORT_CELL_VERDICT)
		(void)fputs(fl_report_verdict_name(cell->verdict), out);
	else if (cell->kind == FL_REPORT_CELL_TEXT)
		put_field(out, cell->text);
}

static const struct fl_report_cell *cell_of(const struct fl_report_table *t, size_t i)
{
	return &FL_REPORT_AT(t->cells, struct fl_report_cell, i);
}

void fl_report_csv_table(FILE *out, const struct fl_report_table *t)
{
	for (size_t i = 0; i < t->column_count; i++) {
		const struct fl_report_column *column = &t->columns[i];
		(void)fprintf(out, "%s%s", i ? "," : "", column->name);
		if (column->type == FL_REPORT_VERDICT)
			(void)fprintf(out, ",%s_words", column->name);
	}
	(void)fputs("\r\n", out);
	for (size_t i = 0, column = 0; i < t->cells.n; i++) {
		put_cell(out, cell_of(t, i));
		if (t->columns[column].type == FL_REPORT_VERDICT) {
			(void)putc(',', out);
			put_field(out, cell_of(t, i)->text);
		}
		column = column + 1 < t->column_count ? column + 1 : 0;
		(void)fputs(column ? "," : "\r\n", out);
	}
}

/* section,table,row,column, of a value that follows */
static void put_place(FILE *out, const struct fl_report_part *part,
	const struct fl_report_table *t, size_t i, const char *suffix)
{
	(void)fprintf(out, "%s,%s,%zu,%s%s,", part->name, t->name, i / t->column_count,
		t->columns[i % t->column_count].name, suffix);
}

static void put_long(
	FILE *out, const struct fl_report_part *part, const struct fl_report_table *t)
{
	for (size_t i = 0; i < t->cells.n; i++) {
		put_place(out, part, t, i, "");
		put_cell(out, cell_of(t, i));
		(void)fputs("\r\n", out);
		if (t->columns[i % t->column_count].type != FL_REPORT_VERDICT)
			continue;
		put_place(out, part, t, i, "_words");
		put_field(out, cell_of(t, i)->text);
		(void)fputs("\r\n", out);
	}
}

/* What is looked for, and what there was. */
struct search {
	const char *wanted;
	const struct fl_report_table *found;
	FILE *out; /* where all go, in the long form; NULL: only looks */
	struct fl_text names;
};

static void visit(struct search *s, const struct fl_report_part *part)
{
	for (size_t i = 0; i < part->items.n; i++) {
		const struct fl_report_table *t =
			FL_REPORT_AT(part->items, struct fl_report_item, i).table;
		char name[160];
		if (!t)
			continue;
		if (s->out) {
			put_long(s->out, part, t);
			continue;
		}
		(void)snprintf(name, sizeof(name), "%s.%s", part->name, t->name);
		if (strcmp(name, s->wanted) == 0)
			s->found = t;
		fl_text_format(&s->names, "%s%s", s->names.n ? ", " : "", name);
	}
}

int fl_report_csv(const struct fl_report *r, FILE *out, const char *table, struct fl_error *err)
{
	struct search s = {.wanted = table, .out = table ? NULL : out};
	struct fl_report_locale locale;
	int status = fl_report_ready(r, err);

	if (status != FL_OK)
		return status;
	fl_text_init(&s.names, MOST_NAMES);
	fl_report_locale_enter(&locale);
	if (!table)
		(void)fputs("section,table,row,column,value\r\n", out);
	for (size_t i = 0; i < r->sections.n; i++)
		visit(&s, &FL_REPORT_AT(r->sections, struct fl_report_part, i));
	if (s.found)
		fl_report_csv_table(out, s.found);
	fl_report_locale_leave(&locale);
	if (table && !s.found)
		status = fl_error_set(err, FL_ENOENT, "no table \"%.60s\"; there are: %.*s",
			table, (int)s.names.n, s.names.n ? s.names.p : "");
	fl_text_fini(&s.names);
	return status != FL_OK ? status : fl_report_written(out, err);
}
