#include "report/html.h"

enum {
	TALL = 40,        /* rows from which on a table scrolls by itself */
	LONG = 24,        /* columns of a name that may be broken */
	MOST_DATA = 2000, /* rows of a chart's data; JSON has all */
};

/* ---- the report's tables ---- */

static bool is_quantity(const struct fl_report_column *column)
{
	return column->type != FL_REPORT_TEXT && column->type != FL_REPORT_VERDICT;
}

/* A name is broken only if it is long: a column of a letter a line is none. */
static const char *class_of_text(struct fl_slice text)
{
	return fl_report_columns(text, true) > LONG ? "long" : "short";
}

static const char *class_of(
	const struct fl_report_column *column, const struct fl_report_cell *cell)
{
	if (is_quantity(column))
		return "q";
	if (cell->kind == FL_REPORT_CELL_VERDICT)
		return "words";
	return cell->kind == FL_REPORT_CELL_TEXT ? class_of_text(cell->text) : "short";
}

static void begin(struct fl_html *h, size_t rows)
{
	(void)fprintf(h->out, "<div class=\"scroll%s\"%s><table>\n", rows > TALL ? " tall" : "",
		rows > TALL ? " tabindex=\"0\"" : "");
}

static void head_cell(struct fl_html *h, const char *title, const char *class)
{
	(void)fprintf(h->out, "<th scope=\"col\" class=\"%s\">", class);
	fl_markup_string(h->out, &h->scratch, title);
	(void)fputs("</th>", h->out);
}

static void put_verdict(struct fl_html *h, const struct fl_report_cell *cell)
{
	static const char *const classes[] = {"ok", "bad", "rest"};
	static const char *const marks[] = {"✓", "✗", "•"};

	(void)fprintf(h->out, "<span class=\"%s\"><span class=\"mark\">%s</span> ",
		classes[cell->verdict], marks[cell->verdict]);
	if (cell->text.n)
		fl_markup_text(h->out, &h->scratch, cell->text, SIZE_MAX);
	else
		(void)fputs(fl_report_verdict_name(cell->verdict), h->out);
	(void)fputs("</span>", h->out);
}

static void put_value(struct fl_html *h, const struct fl_report_column *column,
	const struct fl_report_cell *cell, double most)
{
	char out[FL_REPORT_SHORT];

	if (cell->kind == FL_REPORT_CELL_NONE)
		(void)fputs("<span class=\"none\">–</span>", h->out);
	else if (cell->kind == FL_REPORT_CELL_TEXT)
		fl_html_name(h, cell->text);
	else if (cell->kind == FL_REPORT_CELL_VERDICT)
		put_verdict(h, cell);
	else
		fl_markup_string(
			h->out, &h->scratch, fl_report_cell_shown(out, column, cell, true));
	if (!column->bar || !is_quantity(column))
		return;
	double value = fl_report_cell_value(cell);
	(void)fprintf(h->out,
		"<span class=\"track\" aria-hidden=\"true\"><i "
		"style=\"width:%.1f%%\"></i></span>",
		most > 0 && value > 0 ? 100 * value / most : 0);
}

void fl_html_table(struct fl_html *h, const struct fl_report_table *t)
{
	double most[FL_REPORT_MAX_COLUMNS];

	(void)fputs("<div class=\"table\">\n", h->out);
	if (t->title) {
		(void)fputs("<h3>", h->out);
		fl_markup_string(h->out, &h->scratch, t->title);
		(void)fputs("</h3>\n", h->out);
	}
	begin(h, t->cells.n / t->column_count);
	(void)fputs("<thead><tr>", h->out);
	for (size_t i = 0; i < t->column_count; i++) {
		head_cell(h, t->columns[i].title,
			!is_quantity(&t->columns[i]) ? ""
			: t->columns[i].bar          ? "q bar"
						     : "q");
		most[i] = fl_report_column_most(t, i);
	}
	(void)fputs("</tr></thead>\n<tbody>\n", h->out);
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t k = i % t->column_count;
		bool head = k == 0 && t->columns[0].type == FL_REPORT_TEXT;
		const struct fl_report_cell *cell =
			&FL_REPORT_AT(t->cells, struct fl_report_cell, i);
		(void)fprintf(h->out, "%s%s class=\"%s\">", k ? "" : "<tr>",
			head ? "<th scope=\"row\"" : "<td", class_of(&t->columns[k], cell));
		put_value(h, &t->columns[k], cell, most[k]);
		(void)fputs(head ? "</th>" : "</td>", h->out);
		if (k + 1 == t->column_count)
			(void)fputs("</tr>\n", h->out);
	}
	(void)fputs("</tbody></table></div>\n</div>\n", h->out);
}

/* ---- charts' data ---- */

static void put_name(struct fl_html *h, struct fl_slice name, bool head)
{
	(void)fprintf(h->out, "%s class=\"%s\">", head ? "<tr><th scope=\"row\"" : "<td",
		class_of_text(name));
	fl_html_name(h, name);
	(void)fputs(head ? "</th>" : "</td>", h->out);
}

static void put_number(struct fl_html *h, const struct fl_report_scale *how, double value)
{
	char out[FL_REPORT_SHORT];

	(void)fputs("<td class=\"q\">", h->out);
	fl_markup_string(h->out, &h->scratch, fl_report_quantity(out, how, value, true));
	(void)fputs("</td>", h->out);
}

static const char *title_of(const struct fl_report_scale *scale, const char *other)
{
	return scale->title ? scale->title : other;
}

static struct fl_slice series(const struct fl_report_chart *c, size_t i)
{
	return fl_report_name_at(&c->series, i);
}

static size_t put_bars(struct fl_html *h, const struct fl_report_chart *c)
{
	head_cell(h, "Label", "");
	head_cell(h, "Series", "");
	head_cell(h, title_of(&c->spec.y, "Value"), "q");
	(void)fputs("</tr></thead>\n<tbody>\n", h->out);
	for (size_t i = 0; i < c->data.n && i < MOST_DATA; i++) {
		const struct fl_report_datum *d =
			&FL_REPORT_AT(c->data, struct fl_report_datum, i);
		put_name(h, fl_report_group_at(c, d->a)->label, true);
		put_name(h, series(c, d->b), false);
		put_number(h, &c->spec.y, d->y);
		(void)fputs("</tr>\n", h->out);
	}
	return c->data.n;
}

static size_t put_points(struct fl_html *h, const struct fl_report_chart *c)
{
	head_cell(h, "Series", "");
	head_cell(h, title_of(&c->spec.x, "x"), "q");
	head_cell(h, title_of(&c->spec.y, "y"), "q");
	(void)fputs("</tr></thead>\n<tbody>\n", h->out);
	for (size_t i = 0; i < c->data.n && i < MOST_DATA; i++) {
		const struct fl_report_datum *d =
			&FL_REPORT_AT(c->data, struct fl_report_datum, i);
		put_name(h, series(c, d->b), true);
		put_number(h, &c->spec.x, d->x);
		put_number(h, &c->spec.y, d->y);
		(void)fputs("</tr>\n", h->out);
	}
	return c->data.n;
}

static size_t put_flows(
	struct fl_html *h, const struct fl_report_chart *c, const struct fl_report_moves *m)
{
	head_cell(h, "From", "");
	head_cell(h, "To", "");
	head_cell(h, title_of(&c->spec.y, "Value"), "q");
	(void)fputs("</tr></thead>\n<tbody>\n", h->out);
	for (size_t i = 0; i < m->n && i < MOST_DATA; i++) {
		put_name(h, series(c, m->p[i].a), true);
		put_name(h, series(c, m->p[i].b), false);
		put_number(h, &c->spec.y, m->p[i].y);
		(void)fputs("</tr>\n", h->out);
	}
	return m->n;
}

static size_t put_owners(
	struct fl_html *h, const struct fl_report_chart *c, const struct fl_report_owners *o)
{
	const struct fl_report_scale how = {.type = FL_REPORT_SHARE, .decimals = 3};
	size_t n = c->series.list.n;

	head_cell(h, "Node", "");
	head_cell(h, "Share", "q");
	(void)fputs("</tr></thead>\n<tbody>\n", h->out);
	for (size_t i = 0; i < n && i < MOST_DATA; i++) {
		put_name(h, series(c, o->rank[i]), true);
		put_number(h, &how, o->share[o->rank[i]]);
		(void)fputs("</tr>\n", h->out);
	}
	return n;
}

static int put_data(struct fl_html *h, const struct fl_report_chart *c, size_t *rows)
{
	struct fl_report_moves m;
	struct fl_report_owners o;

	if (c->kind == FL_REPORT_BARS) {
		*rows = put_bars(h, c);
	} else if (c->kind == FL_REPORT_LINES) {
		*rows = put_points(h, c);
	} else if (c->kind == FL_REPORT_FLOWS) {
		if (fl_report_moves(&m, c) < 0)
			return -1;
		*rows = put_flows(h, c, &m);
		fl_report_moves_fini(&m);
	} else {
		if (fl_report_owners(&o, c) < 0)
			return -1;
		*rows = put_owners(h, c, &o);
		fl_report_owners_fini(&o);
	}
	return 0;
}

int fl_html_data(struct fl_html *h, const struct fl_report_chart *c)
{
	size_t rows = 0;

	(void)fputs("<details><summary>Data</summary>\n", h->out);
	begin(h, TALL + 1);
	(void)fputs("<thead><tr>", h->out);
	if (put_data(h, c, &rows) < 0)
		return -1;
	(void)fputs("</tbody></table></div>\n", h->out);
	if (rows > MOST_DATA)
		(void)fprintf(h->out,
			"<p class=\"note\">and %zu more, which the JSON form of this report "
			"has</p>\n",
			rows - MOST_DATA);
	(void)fputs("</details>\n", h->out);
	return 0;
}
