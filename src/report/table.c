#include "report/priv.h"

#include <math.h>

static bool columns_ok(struct fl_report *r, const char *table,
	const struct fl_report_column *columns, size_t n)
{
	if (n == 0 || n > FL_REPORT_MAX_COLUMNS) {
		fl_report_fail(r, FL_ELIMIT, "table \"%s\" has %zu columns; 1 to %d are drawn",
			table, n, FL_REPORT_MAX_COLUMNS);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!fl_report_name_ok(r, columns[i].name))
			return false;
		if (columns[i].decimals > FL_REPORT_MAX_DECIMALS)
			fl_report_fail(r, FL_ELIMIT, "column \"%s\" has %u decimals",
				columns[i].name, columns[i].decimals);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(columns[i].name, columns[k].name) == 0)
				fl_report_fail(r, FL_EINVAL,
					"two columns of table \"%s\" are \"%s\"", table,
					columns[i].name);
		}
	}
	return fl_report_good(r);
}

struct fl_report_table *fl_report_table(struct fl_report *r, const char *name,
	const char *title, const struct fl_report_column *columns, size_t count)
{
	if (!fl_report_good(r) || !columns_ok(r, name ? name : "", columns, count))
		return NULL;
	struct fl_report_table *t = fl_arena_alloc(&r->arena, sizeof(*t));
	struct fl_report_column *copy = fl_arena_array(&r->arena, count, sizeof(*copy));
	if (!t || !copy) {
		fl_report_fail(r, FL_ENOMEM, "no memory for a report");
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		copy[i] = columns[i];
		copy[i].name = fl_report_string(r, columns[i].name);
		copy[i].title = fl_report_string(
			r, columns[i].title ? columns[i].title : columns[i].name);
		copy[i].unit = fl_report_string(r, columns[i].unit);
	}
	*t = (struct fl_report_table){.r = r,
		.name = fl_report_string(r, name),
		.title = fl_report_string(r, title),
		.columns = copy,
		.column_count = count};
	return fl_report_add(r, name, (struct fl_report_item){.table = t}) ? t : NULL;
}

/* Adds the cell, if its column is of one of the types (bits). */
static void put(struct fl_report_table *t, struct fl_report_cell cell, unsigned types)
{
	if (!t || !fl_report_good(t->r))
		return;
	const struct fl_report_column *column = &t->columns[t->cells.n % t->column_count];
	if (!(types & 1u << column->type)) {
		fl_report_fail(t->r, FL_EINVAL,
			"table \"%s\", row %zu: a cell of another type than column \"%s\"",
			t->name, t->cells.n / t->column_count, column->name);
		return;
	}
	struct fl_report_cell *at = fl_report_push(t->r, &t->cells, sizeof(*at), SIZE_MAX);
	if (at)
		*at = cell;
}

void fl_report_text_cell(struct fl_report_table *t, struct fl_slice text)
{
	if (t)
		put(t,
			(struct fl_report_cell){.kind = FL_REPORT_CELL_TEXT,
				.text = fl_report_copy(t->r, text)},
			1u << FL_REPORT_TEXT);
}

void fl_report_number_cell(struct fl_report_table *t, int64_t value)
{
	put(t, (struct fl_report_cell){.kind = FL_REPORT_CELL_NUMBER, .number = value},
		1u << FL_REPORT_NUMBER | 1u << FL_REPORT_BYTES | 1u << FL_REPORT_NS);
}

void fl_report_real_cell(struct fl_report_table *t, double value)
{
	if (t && !isfinite(value))
		fl_report_fail(t->r, FL_EINVAL, "table \"%s\", row %zu: not a finite number",
			t->name, t->cells.n / t->column_count);
	put(t, (struct fl_report_cell){.kind = FL_REPORT_CELL_REAL, .real = value},
		1u << FL_REPORT_REAL | 1u << FL_REPORT_SHARE | 1u << FL_REPORT_BYTES |
			1u << FL_REPORT_NS);
}

void fl_report_verdict_cell(
	struct fl_report_table *t, enum fl_report_verdict verdict, const char *words)
{
	if (t)
		put(t,
			(struct fl_report_cell){.kind = FL_REPORT_CELL_VERDICT,
				.verdict = verdict,
				.text = fl_report_copy(t->r, fl_slice_of(words))},
			1u << FL_REPORT_VERDICT);
}

void fl_report_no_cell(struct fl_report_table *t)
{
	put(t, (struct fl_report_cell){.kind = FL_REPORT_CELL_NONE}, ~0u);
}
