/* A table in a terminal. First all columns at their widths; then heads wrapped between words;
 * then names cut, the widest first; and if that does not do, every row as a block of lines. Bars
 * take only what is left over. */
#include "report/pen.h"

enum {
	GAP = 2,
	LEAST_NAME = 8,
	LEAST_BAR = 6,
	MOST_BAR = 24,
	MOST_HEAD = 4, /* lines */
};

struct layout {
	const struct fl_report_table *t;
	size_t rows;
	size_t value[FL_REPORT_MAX_COLUMNS]; /* the widest value */
	size_t width[FL_REPORT_MAX_COLUMNS];
	double most[FL_REPORT_MAX_COLUMNS]; /* of bars */
	size_t bar;                         /* columns of each bar; 0: none is drawn */
	size_t head;                        /* lines */
};

static const struct fl_report_cell *cell_at(const struct layout *l, size_t row, size_t column)
{
	return &FL_REPORT_AT(
		l->t->cells, struct fl_report_cell, row * l->t->column_count + column);
}

static bool is_left(const struct fl_report_column *column)
{
	return column->type == FL_REPORT_TEXT || column->type == FL_REPORT_VERDICT;
}

/* What is shown of a cell; a verdict's mark comes before it. */
static struct fl_slice shown(
	const struct layout *l, size_t row, size_t column, char out[FL_REPORT_SHORT], bool utf8)
{
	const struct fl_report_cell *cell = cell_at(l, row, column);

	if (cell->kind == FL_REPORT_CELL_TEXT)
		return cell->text;
	if (cell->kind == FL_REPORT_CELL_VERDICT)
		return cell->text.n ? cell->text
		                    : fl_slice_of(fl_report_verdict_name(cell->verdict));
	return fl_slice_of(fl_report_cell_shown(out, &l->t->columns[column], cell, utf8));
}

static void put_cell(
	struct fl_pen *pen, const struct layout *l, size_t row, size_t column, size_t width)
{
	const struct fl_report_cell *cell = cell_at(l, row, column);
	char out[FL_REPORT_SHORT];
	struct fl_slice text = shown(l, row, column, out, pen->utf8);

	if (cell->kind == FL_REPORT_CELL_VERDICT && width > 2) {
		fl_pen_verdict(pen, cell->verdict);
		width -= 2;
	}
	fl_pen_field(pen, text, width, !is_left(&l->t->columns[column]));
}

static size_t longest_word(const char *title, bool utf8)
{
	size_t most = 0;

	while (*title) {
		size_t n = strcspn(title, " ");
		size_t wide = fl_report_columns((struct fl_slice){title, n}, utf8);
		most = wide > most ? wide : most;
		title += n;
		title += strspn(title, " ");
	}
	return most;
}

/* The k-th line of a head that is wrapped at `width`; false: it has no such line. */
static bool head_line(const char *title, size_t width, size_t k, struct fl_slice *line)
{
	for (;; k--) {
		size_t n = 0, columns;
		size_t fits = fl_report_fit(fl_slice_of(title), width, &columns);
		if (!*title)
			return false;
		for (size_t i = 0; i <= fits; i++) {
			if (title[i] == ' ' || title[i] == '\0')
				n = i;
			if (title[i] == '\0')
				break;
		}
		n = n ? n : strcspn(title, " ");
		*line = (struct fl_slice){title, n};
		if (k == 0)
			return true;
		title += n;
		title += strspn(title, " ");
	}
}

static size_t total(const struct layout *l)
{
	size_t sum = FL_PEN_INDENT;

	for (size_t i = 0; i < l->t->column_count; i++)
		sum += l->width[i] + (i ? GAP : 0);
	return sum;
}

static void measure(struct layout *l, bool utf8)
{
	char out[FL_REPORT_SHORT];

	for (size_t c = 0; c < l->t->column_count; c++) {
		for (size_t row = 0; row < l->rows; row++) {
			size_t n = fl_report_columns(shown(l, row, c, out, utf8), utf8);
			if (cell_at(l, row, c)->kind == FL_REPORT_CELL_VERDICT)
				n += 2;
			l->value[c] = n > l->value[c] ? n : l->value[c];
		}
	}
}

static void widths(struct layout *l, bool utf8, bool wrapped)
{
	l->head = 1;
	for (size_t i = 0; i < l->t->column_count; i++) {
		const char *title = l->t->columns[i].title;
		size_t head = wrapped ? longest_word(title, utf8)
		                      : fl_report_columns(fl_slice_of(title), utf8);
		struct fl_slice line;
		l->width[i] = head > l->value[i] ? head : l->value[i];
		for (size_t k = 1; k < MOST_HEAD && head_line(title, l->width[i], k, &line);
			k++)
			l->head = k + 1 > l->head ? k + 1 : l->head;
	}
}

/* Cuts names until the table fits; false: it does not. */
static bool shrink(struct layout *l, size_t width)
{
	for (size_t over = total(l); over > width; over--) {
		size_t widest = SIZE_MAX;
		for (size_t i = 0; i < l->t->column_count; i++) {
			if (is_left(&l->t->columns[i]) && l->width[i] > LEAST_NAME &&
				(widest == SIZE_MAX || l->width[i] > l->width[widest]))
				widest = i;
		}
		if (widest == SIZE_MAX)
			return false;
		l->width[widest]--;
	}
	return true;
}

static void place_bars(struct layout *l, size_t width)
{
	size_t count = 0;

	for (size_t i = 0; i < l->t->column_count; i++)
		count += l->t->columns[i].bar;
	if (count == 0)
		return;
	size_t each = (width - total(l)) / count;
	each = each > 1 ? each - 1 : 0;
	l->bar = each < LEAST_BAR ? 0 : each > MOST_BAR ? MOST_BAR : each;
	for (size_t i = 0; l->bar && i < l->t->column_count; i++)
		l->most[i] = l->t->columns[i].bar ? fl_report_column_most(l->t, i) : 0;
}

static size_t span(const struct layout *l, size_t column)
{
	return l->width[column] + (l->bar && l->t->columns[column].bar ? l->bar + 1 : 0);
}

static void put_head(struct fl_pen *pen, const struct layout *l)
{
	for (size_t k = 0; k < l->head; k++) {
		fl_pen_style(pen, FL_PEN_DIM);
		fl_pen_blanks(pen, FL_PEN_INDENT);
		for (size_t i = 0; i < l->t->column_count; i++) {
			const struct fl_report_column *column = &l->t->columns[i];
			struct fl_slice line = {"", 0}, last;
			size_t lines = 1, end = pen->at + span(l, i) + GAP;
			while (lines < l->head &&
				head_line(column->title, l->width[i], lines, &last))
				lines++;
			if (k + lines >= l->head)
				(void)head_line(
					column->title, l->width[i], k + lines - l->head, &line);
			fl_pen_field(pen, line, l->width[i], !is_left(column));
			fl_pen_to(pen, end);
		}
		fl_pen_style(pen, FL_PEN_PLAIN);
		fl_pen_end(pen);
	}
}

static void put_rule(struct fl_pen *pen, const struct layout *l)
{
	fl_pen_style(pen, FL_PEN_DIM);
	fl_pen_blanks(pen, FL_PEN_INDENT);
	for (size_t i = 0; i < l->t->column_count; i++) {
		fl_pen_blanks(pen, i ? GAP : 0);
		fl_pen_sign(pen, "─", "-", span(l, i));
	}
	fl_pen_style(pen, FL_PEN_PLAIN);
	fl_pen_end(pen);
}

static void put_row(struct fl_pen *pen, const struct layout *l, size_t row)
{
	fl_pen_blanks(pen, FL_PEN_INDENT);
	for (size_t i = 0; i < l->t->column_count; i++) {
		fl_pen_blanks(pen, i ? GAP : 0);
		put_cell(pen, l, row, i, l->width[i]);
		if (!l->bar || !l->t->columns[i].bar)
			continue;
		fl_pen_blanks(pen, 1);
		fl_pen_style(pen, FL_PEN_SERIES);
		fl_pen_bar(pen,
			l->most[i] > 0 ? fl_report_cell_value(cell_at(l, row, i)) / l->most[i]
				       : 0,
			l->bar, -1);
		fl_pen_style(pen, FL_PEN_PLAIN);
	}
	fl_pen_end(pen);
}

/* Every cell on a line of its own, its column's title before it. */
static void put_block(struct fl_pen *pen, const struct layout *l, size_t row)
{
	size_t title = 0;

	for (size_t i = 0; i < l->t->column_count; i++) {
		size_t n = fl_report_columns(fl_slice_of(l->t->columns[i].title), pen->utf8);
		title = n > title ? n : title;
	}
	title = title > pen->width / 2 - 2 ? pen->width / 2 - 2 : title;
	for (size_t i = 0; i < l->t->column_count; i++) {
		const struct fl_report_cell *cell = cell_at(l, row, i);
		char out[FL_REPORT_SHORT];
		fl_pen_sign(pen, i ? " " : "·", i ? " " : "*", 1);
		fl_pen_to(pen, FL_PEN_INDENT);
		fl_pen_style(pen, FL_PEN_DIM);
		fl_pen_field(pen, fl_slice_of(l->t->columns[i].title), title, false);
		fl_pen_style(pen, FL_PEN_PLAIN);
		fl_pen_blanks(pen, GAP);
		if (cell->kind == FL_REPORT_CELL_VERDICT)
			fl_pen_verdict(pen, cell->verdict);
		fl_pen_wrap(pen, shown(l, row, i, out, pen->utf8), FL_PEN_INDENT + title + GAP);
	}
}

void fl_report_text_table(struct fl_pen *pen, const struct fl_report_table *t)
{
	struct layout l = {.t = t, .rows = t->cells.n / t->column_count};

	measure(&l, pen->utf8);
	widths(&l, pen->utf8, false);
	if (total(&l) > pen->width)
		widths(&l, pen->utf8, true);
	if (!shrink(&l, pen->width)) {
		for (size_t row = 0; row < l.rows; row++)
			put_block(pen, &l, row);
		return;
	}
	place_bars(&l, pen->width);
	put_head(pen, &l);
	put_rule(pen, &l);
	for (size_t row = 0; row < l.rows; row++)
		put_row(pen, &l, row);
}
