/* Lines in a terminal: a canvas of braille dots, two by four a cell, and a mark at every point,
 * which tells the series apart without colours. In ASCII a cell is one dot. */
#include "report/data.h"
#include "report/pen.h"

#include <math.h>
#include <stdlib.h>

enum {
	HEIGHT = 12,
	MOST_CELLS = 72,
	MOST_SERIES = 8,
	MOST_STEPS = 4096, /* dots of one segment */
	DOT_ROWS = 4,
	DOT_COLUMNS = 2,
};

static const char *const marks[MOST_SERIES][2] = {{"●", "a"}, {"○", "b"}, {"■", "c"},
	{"□", "d"}, {"▲", "e"}, {"△", "f"}, {"◆", "g"}, {"◇", "h"}};

struct cell {
	uint8_t dots;
	uint8_t series; /* + 1: whose dots */
	uint8_t mark;   /* + 1 */
};

struct canvas {
	const struct fl_report_chart *c;
	struct fl_report_axis x, y;
	size_t width, left, series;
	struct cell cell[HEIGHT][MOST_CELLS];
};

static size_t row_of(double y)
{
	return (size_t)lround((1 - y) * (HEIGHT * DOT_ROWS - 1)) / DOT_ROWS;
}

static void dot(struct canvas *v, double x, double y, uint8_t series)
{
	static const uint8_t bit[DOT_ROWS][DOT_COLUMNS] = {
		{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
	long column = lround(x * (double)(v->width * DOT_COLUMNS - 1));
	long row = lround((1 - y) * (HEIGHT * DOT_ROWS - 1));

	if (column < 0 || row < 0 || column >= (long)v->width * DOT_COLUMNS ||
		row >= HEIGHT * DOT_ROWS)
		return;
	struct cell *cell = &v->cell[row / DOT_ROWS][column / DOT_COLUMNS];
	cell->dots |= bit[row % DOT_ROWS][column % DOT_COLUMNS];
	cell->series = (uint8_t)(series + 1);
}

static void segment(struct canvas *v, const double from[2], const double to[2], uint8_t series)
{
	double steps = fmax(fabs(to[0] - from[0]) * (double)v->width * DOT_COLUMNS,
		fabs(to[1] - from[1]) * HEIGHT * DOT_ROWS);
	size_t n = (size_t)ceil(steps) + 1;

	n = n > MOST_STEPS ? MOST_STEPS : n;
	for (size_t i = 0; i <= n; i++) {
		double t = (double)i / (double)n;
		dot(v, from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1]),
			series);
	}
}

static void draw(struct canvas *v)
{
	double last[MOST_SERIES][2];
	bool begun[MOST_SERIES] = {false};

	for (size_t i = 0; i < v->c->data.n; i++) {
		const struct fl_report_datum *d =
			&FL_REPORT_AT(v->c->data, struct fl_report_datum, i);
		if (d->b >= v->series)
			continue;
		double at[2] = {fl_report_along(&v->x, d->x), fl_report_along(&v->y, d->y)};
		if (begun[d->b])
			segment(v, last[d->b], at, (uint8_t)d->b);
		begun[d->b] = true;
		memcpy(last[d->b], at, sizeof(at));
		size_t column = (size_t)lround(at[0] * (double)(v->width * DOT_COLUMNS - 1));
		v->cell[row_of(at[1])][column / DOT_COLUMNS].mark = (uint8_t)(d->b + 1);
	}
}

static void put_cell(struct fl_pen *pen, const struct canvas *v, const struct cell *cell)
{
	uint8_t series = cell->mark ? cell->mark : cell->series;
	char braille[4] = {(char)0xe2, (char)(0xa0 | cell->dots >> 6),
		(char)(0x80 | (cell->dots & 0x3f)), '\0'};

	if (!series) {
		fl_pen_blanks(pen, 1);
		return;
	}
	fl_pen_style(pen, FL_PEN_SERIES + FL_REPORT_AT(v->c->colour, uint32_t, series - 1));
	if (cell->mark)
		fl_pen_sign(pen, marks[series - 1][0], marks[series - 1][1], 1);
	else
		fl_pen_sign(pen, braille, ".", 1);
	fl_pen_style(pen, FL_PEN_PLAIN);
}

/* The tick that stands on this row of the canvas, if one does. */
static const char *tick_of(
	const struct canvas *v, size_t row, bool utf8, char out[FL_REPORT_SHORT])
{
	for (size_t i = 0; i < v->y.count; i++) {
		double along = fl_report_along(&v->y, v->y.tick[i]);
		if (along < -1e-9 || along > 1 + 1e-9)
			continue;
		if (row_of(along) == row)
			return fl_report_quantity(out, &v->y.how, v->y.tick[i], utf8);
	}
	return "";
}

static void put_rows(struct fl_pen *pen, const struct canvas *v)
{
	char out[FL_REPORT_SHORT];

	for (size_t row = 0; row < HEIGHT; row++) {
		const char *tick = tick_of(v, row, pen->utf8, out);
		fl_pen_style(pen, FL_PEN_DIM);
		fl_pen_field(pen, fl_slice_of(tick), v->left - 2, true);
		fl_pen_blanks(pen, 1);
		fl_pen_sign(pen, *tick ? "┤" : "│", *tick ? "+" : "|", 1);
		fl_pen_style(pen, FL_PEN_PLAIN);
		for (size_t i = 0; i < v->width; i++)
			put_cell(pen, v, &v->cell[row][i]);
		fl_pen_end(pen);
	}
}

/* Ticks of x, as many as do not touch, and the axis' title. */
static void put_floor(struct fl_pen *pen, const struct canvas *v)
{
	char out[FL_REPORT_SHORT];

	fl_pen_style(pen, FL_PEN_DIM);
	fl_pen_to(pen, v->left - 1);
	fl_pen_sign(pen, "└", "+", 1);
	fl_pen_sign(pen, "─", "-", v->width);
	fl_pen_style(pen, FL_PEN_PLAIN);
	fl_pen_end(pen);
	fl_pen_style(pen, FL_PEN_DIM);
	for (size_t i = 0; i < v->x.count; i++) {
		double along = fl_report_along(&v->x, v->x.tick[i]);
		if (along < -1e-9 || along > 1 + 1e-9)
			continue;
		struct fl_slice text = fl_slice_of(
			fl_report_quantity(out, &v->x.how, v->x.tick[i], pen->utf8));
		size_t n = fl_report_columns(text, pen->utf8);
		size_t middle = v->left + (size_t)lround(along * (double)(v->width - 1));
		size_t from = middle > n / 2 ? middle - n / 2 : 0;
		if (from + n > v->left + v->width)
			from = v->left + v->width - n;
		if (pen->at && from < pen->at + 1)
			continue;
		fl_pen_to(pen, from);
		(void)fl_pen_show(pen, text, SIZE_MAX);
	}
	fl_pen_style(pen, FL_PEN_PLAIN);
	fl_pen_end(pen);
}

static void put_titles(struct fl_pen *pen, const struct fl_report_spec *spec)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "%.100s%s%.40s by %.100s%s%.40s",
		spec->y.title ? spec->y.title : "value", spec->y.unit ? ", " : "",
		spec->y.unit ? spec->y.unit : "", spec->x.title ? spec->x.title : "x",
		spec->x.unit ? ", " : "", spec->x.unit ? spec->x.unit : "");
	fl_pen_note(pen, line);
}

/* A line a series: its mark, its name, where it ends. */
static void put_legend(struct fl_pen *pen, const struct canvas *v)
{
	double last[MOST_SERIES];
	char out[2 * FL_REPORT_SHORT], line[3 * FL_REPORT_SHORT], at[FL_REPORT_SHORT];

	for (size_t k = 0; k < v->series; k++) {
		last[k] = -1;
		for (size_t i = 0; i < v->c->data.n; i++) {
			const struct fl_report_datum *d =
				&FL_REPORT_AT(v->c->data, struct fl_report_datum, i);
			last[k] = d->b == k ? d->y : last[k];
		}
		fl_pen_blanks(pen, FL_PEN_INDENT);
		fl_pen_style(pen, FL_PEN_SERIES + FL_REPORT_AT(v->c->colour, uint32_t, k));
		fl_pen_sign(pen, marks[k][0], marks[k][1], 1);
		fl_pen_style(pen, FL_PEN_PLAIN);
		fl_pen_blanks(pen, 1);
		(void)snprintf(line, sizeof(line), "  %s at %s",
			last[k] < 0
				? "-"
				: fl_report_quantity(out, &v->c->spec.y, last[k], pen->utf8),
			fl_report_quantity(at, &v->c->spec.x,
				FL_REPORT_AT(v->c->last, double, k), pen->utf8));
		size_t room = pen->width - pen->at, n = strlen(line);
		(void)fl_pen_show(
			pen, fl_report_name_at(&v->c->series, k), room > n ? room - n : room);
		if (last[k] >= 0)
			(void)fl_pen_string(pen, line);
		fl_pen_end(pen);
	}
}

static void lay_out(
	struct canvas *v, const struct fl_report_extent *e, const struct fl_pen *pen)
{
	char out[FL_REPORT_SHORT];

	fl_report_axis(&v->y, &v->c->spec.y, e->low, e->high, 4);
	v->left = FL_PEN_INDENT + 2;
	for (size_t i = 0; i < v->y.count; i++) {
		size_t n = fl_report_columns(fl_slice_of(fl_report_quantity(
						     out, &v->y.how, v->y.tick[i], pen->utf8)),
			pen->utf8);
		v->left = n + 2 + FL_PEN_INDENT > v->left ? n + 2 + FL_PEN_INDENT : v->left;
	}
	v->left = v->left > pen->width - 8 ? pen->width - 8 : v->left;
	v->width = pen->width - v->left > MOST_CELLS ? MOST_CELLS : pen->width - v->left;
	fl_report_axis(&v->x, &v->c->spec.x, e->left, e->right, (unsigned)v->width / 10 + 1);
	if (!v->c->spec.x.log && e->right > e->left) {
		v->x.low = e->left; /* lines go from edge to edge */
		v->x.high = e->right;
	}
}

int fl_report_text_lines(struct fl_pen *pen, const struct fl_report_chart *c)
{
	struct fl_report_extent e;
	char line[FL_REPORT_SHORT * 2], at[FL_REPORT_SHORT];
	size_t series = c->series.list.n;

	if (!fl_report_extent(&e, c))
		return 0;
	struct canvas *v = calloc(1, sizeof(*v));
	if (!v)
		return -1;
	v->c = c;
	v->series = series < MOST_SERIES ? series : MOST_SERIES;
	lay_out(v, &e, pen);
	draw(v);
	put_titles(pen, &c->spec);
	put_rows(pen, v);
	put_floor(pen, v);
	put_legend(pen, v);
	if (series > v->series) {
		(void)snprintf(line, sizeof(line), "and %zu more lines", series - v->series);
		fl_pen_note(pen, line);
	}
	if (c->reference >= 0) {
		(void)snprintf(line, sizeof(line), "%.80s: %s",
			c->reference_words ? c->reference_words : "reference",
			fl_report_quantity(at, &c->spec.y, c->reference, pen->utf8));
		fl_pen_note(pen, line);
	}
	free(v);
	return 0;
}
