/* A lookup table, read like a text: a square a row, or for several rows, in its owner's colour. */
#include "report/svg.h"

#include <math.h>

enum {
	MOST_CELLS = 2048,
};

struct grid {
	const struct fl_report_owners *o;
	size_t columns, cells, rows;
	double cell, gap;
};

static void put_run(struct fl_svg *s, const struct grid *g, size_t line, size_t from, size_t to,
	uint32_t node)
{
	char number[16];

	if (node == FL_NONE)
		(void)fprintf(s->out,
			"<rect class=\"none\" x=\"%.5g\" y=\"%.5g\" width=\"%.5g\" "
			"height=\"%.5g\">",
			(double)from * g->cell, (double)line * g->cell,
			(double)(to - from) * g->cell - g->gap, g->cell - g->gap);
	else
		fl_svg_rect(s, fl_svg_colour(s, node), (double)from * g->cell,
			(double)line * g->cell, (double)(to - from) * g->cell - g->gap,
			g->cell - g->gap);
	fl_svg_owner_tip(s, g->o, node);
	fl_svg_close_rect(s);
	if (node == FL_NONE || g->cell < 18 || g->o->place[node] >= 99)
		return;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)g->o->place[node] + 1);
	fl_svg_string(s, ((double)(from + to) * g->cell - 1) / 2,
		((double)line + 0.5) * g->cell + 3.5, FL_SVG_MIDDLE, "n", number);
}

/* Neighbours of one owner in a line are one rectangle. */
static void put_grid(struct fl_svg *s, const struct grid *g)
{
	size_t from = 0;
	uint32_t node = FL_NONE;

	for (size_t i = 0; i < g->cells; i++) {
		size_t column = i % g->columns, line = i / g->columns;
		uint32_t next = fl_report_owner_in(g->o, s->c, i, g->cells);
		if (column && next != node)
			put_run(s, g, line, from, column, node);
		if (column == 0 || next != node)
			from = column;
		node = next;
		if (column + 1 == g->columns || i + 1 == g->cells)
			put_run(s, g, line, from, column + 1, node);
	}
}

static double put_row_marks(struct fl_svg *s, const struct grid *g, double y, bool draw)
{
	for (size_t i = 0; i < s->c->marks.n; i++) {
		const struct fl_report_pin *pin =
			&FL_REPORT_AT(s->c->marks, struct fl_report_pin, i);
		double turn = fl_report_turn(s->c, pin->at);
		size_t cell = (size_t)(turn * (double)g->cells), line = cell / g->columns;
		char text[64];
		if (draw && cell < g->cells) {
			(void)snprintf(
				text, sizeof(text), "row %llu", (unsigned long long)pin->at);
			(void)fprintf(s->out,
				"<rect class=\"mark\" x=\"%.5g\" y=\"%.5g\" width=\"%.5g\" "
				"height=\"%.5g\">",
				(double)(cell % g->columns) * g->cell - 0.5,
				(double)line * g->cell - 0.5, g->cell, g->cell);
			fl_svg_tip(s, &pin->label, "", NULL, text);
			fl_svg_close_rect(s);
			fl_svg_string(s, 0, y + 12, FL_SVG_START, "m", text);
			fl_svg_text(
				s, 90, y + 12, FL_SVG_START, "b", pin->label, s->width - 90);
		}
		y += FL_SVG_LINE;
	}
	return y + (s->c->marks.n ? 10 : 0);
}

int fl_svg_rows(struct fl_svg *s)
{
	struct fl_report_owners o;
	struct grid g = {.o = &o, .rows = s->c->data.n};
	char text[2 * FL_REPORT_SHORT + 64], n[FL_REPORT_SHORT], each[FL_REPORT_SHORT];

	if (fl_report_owners(&o, s->c) < 0)
		return -1;
	g.cells = g.rows < MOST_CELLS ? g.rows : MOST_CELLS;
	g.columns = fl_svg_narrow(s) ? g.cells <= 256 ? 16 : 32 : g.cells <= 256 ? 32 : 64;
	g.cell = s->width / (double)g.columns;
	g.gap = g.cell < 14 ? 0.5 : 1;
	double y = ceil((double)g.cells / (double)g.columns) * g.cell;
	fl_svg_begin(s,
		fl_svg_owners(s, &o, 0, put_row_marks(s, &g, y + 30, false), s->width, false));
	put_grid(s, &g);
	if (g.rows > g.cells)
		(void)snprintf(text, sizeof(text), "%s rows, a square for one in %s",
			fl_report_count(n, g.rows), fl_report_count(each, g.rows / g.cells));
	else
		(void)snprintf(text, sizeof(text), "%s rows, a square each",
			fl_report_count(n, g.rows));
	fl_svg_string(s, 0, y + 16, FL_SVG_START, "m", text);
	y = put_row_marks(s, &g, y + 28, true);
	(void)fl_svg_owners(s, &o, 0, y, s->width, true);
	fl_svg_end(s);
	fl_report_owners_fini(&o);
	return 0;
}
