/* From whom to whom for many nodes: a heat map of the largest, with a last row and column for the
 * others together. One colour, from the ground up, so that it reads as an amount. */
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
	MOST_SIDE = 24, /* and one more for the others */
	LEVELS = 5,     /* of the scale below */
	MOST_NAME = 130,
	NARROW_NAME = 76,
	APART = 5, /* between the others and the rest */
};

struct axis {
	uint32_t node[MOST_SIDE + 1];
	size_t n;      /* with the others, if there are any */
	size_t others; /* nodes */
	uint32_t *row; /* of each node */
};

struct plan {
	struct axis from, to;
	double value[MOST_SIDE + 1][MOST_SIDE + 1];
	double most, left, top, cell;
	double name; /* width */
};

/* Takes the `most` nodes of the largest amounts, in the order of the nodes. */
static int choose(struct axis *a, const double *amount, size_t nodes, size_t most)
{
	size_t have = 0;
	double least = 0;

	a->row = calloc(nodes + 1, sizeof(*a->row));
	if (!a->row)
		return -1;
	for (size_t i = 0; i < nodes; i++)
		have += amount[i] > 0;
	/* The amount from which on a node is taken, found by taking off the largest one by one. */
	double below = HUGE_VAL;
	size_t taken = 0;
	while (taken < most && taken < have) {
		least = 0;
		for (size_t i = 0; i < nodes; i++)
			if (amount[i] < below && amount[i] > least)
				least = amount[i];
		for (size_t i = 0; i < nodes; i++)
			taken += amount[i] == least;
		below = least;
	}
	for (size_t i = 0; i < nodes; i++) {
		bool in = amount[i] > 0 && amount[i] >= least && a->n < most;
		a->row[i] = in ? (uint32_t)a->n : UINT32_MAX;
		if (in)
			a->node[a->n++] = (uint32_t)i;
	}
	a->others = have - a->n;
	for (size_t i = 0; i < nodes; i++)
		a->row[i] = a->row[i] == UINT32_MAX ? (uint32_t)a->n : a->row[i];
	a->n += a->others > 0;
	return 0;
}

static struct fl_slice name_of(
	const struct fl_svg *s, const struct axis *a, size_t i, char out[48])
{
	if (!a->others || i + 1 < a->n)
		return fl_report_name_at(&s->c->series, a->node[i]);
	(void)snprintf(out, 48, "%zu others", a->others);
	return fl_slice_of(out);
}

static double longest(struct fl_svg *s, const struct axis *a)
{
	char out[48];
	double name = 0;

	for (size_t i = 0; i < a->n; i++)
		name = fmax(name, fl_svg_wide(s, "", name_of(s, a, i, out)));
	return name;
}

static void sum_up(struct plan *p, const struct fl_report_moves *m)
{
	for (size_t i = 0; i < m->n; i++) {
		double *value = &p->value[p->from.row[m->p[i].a]][p->to.row[m->p[i].b]];
		*value += m->p[i].y;
	}
	/* The others together may be far more than any one; they do not set the scale. */
	for (size_t a = 0; a < p->from.n - (p->from.others > 0); a++)
		for (size_t b = 0; b < p->to.n - (p->to.others > 0); b++)
			p->most = fmax(p->most, p->value[a][b]);
}

/* From a tenth on, so that a little is told from nothing. */
static double shade(const struct plan *p, double value)
{
	double part = p->most > 0 ? value / p->most : 1;

	return 0.1 + 0.9 * (part < 1 ? part : 1);
}

/* Where a row or a column begins; that of the others stands apart. */
static double start_of(const struct plan *p, const struct axis *a, size_t i)
{
	return (double)i * p->cell + (a->others && i + 1 == a->n ? APART : 0);
}

static void put_names(struct fl_svg *s, const struct plan *p)
{
	char out[48];

	for (size_t i = 0; i < p->from.n; i++)
		fl_svg_text(s, p->left - 6, p->top + start_of(p, &p->from, i) + p->cell / 2 + 4,
			FL_SVG_END, "", name_of(s, &p->from, i, out), p->name);
	for (size_t i = 0; i < p->to.n; i++) {
		(void)fprintf(s->out, "<g transform=\"translate(%.5g %.5g) rotate(-55)\">",
			p->left + start_of(p, &p->to, i) + p->cell / 2 + 3, p->top - 6);
		fl_svg_text(s, 0, 0, FL_SVG_START, "", name_of(s, &p->to, i, out), p->name);
		(void)fputs("</g>", s->out);
	}
}

static void put_cell(struct fl_svg *s, const struct plan *p, size_t a, size_t b)
{
	char from_out[48], to_out[48], out[FL_REPORT_SHORT];
	struct fl_slice from = name_of(s, &p->from, a, from_out);
	struct fl_slice to = name_of(s, &p->to, b, to_out);
	double value = p->value[a][b];

	(void)fprintf(s->out,
		"<rect class=\"%s\" fill-opacity=\"%.3g\" x=\"%.5g\" y=\"%.5g\" "
		"width=\"%.5g\" height=\"%.5g\">",
		value > 0 ? "heat" : "none", value > 0 ? shade(p, value) : 1,
		p->left + start_of(p, &p->to, b) + 0.5, p->top + start_of(p, &p->from, a) + 0.5,
		p->cell - 1, p->cell - 1);
	fl_svg_tip(s, &from, " → ", &to, fl_svg_quantity(s, out, value));
	(void)fputs("</rect>", s->out);
}

static void put_scale(struct fl_svg *s, const struct plan *p, double y)
{
	char out[FL_REPORT_SHORT];

	fl_svg_string(s, p->left, y + 11, FL_SVG_START, "m", "0");
	for (size_t i = 0; i < LEVELS; i++)
		(void)fprintf(s->out,
			"<rect class=\"heat\" fill-opacity=\"%.3g\" x=\"%.5g\" y=\"%.5g\" "
			"width=\"22\" height=\"12\"/>",
			0.1 + 0.9 * i / (LEVELS - 1.0), p->left + 12 + (double)i * 23, y);
	fl_svg_string(s, p->left + 18 + LEVELS * 23, y + 11, FL_SVG_START, "m",
		fl_svg_quantity(s, out, p->most));
}

static void lay_out(struct plan *p, struct fl_svg *s)
{
	p->name = fmin(fmax(longest(s, &p->from), longest(s, &p->to)),
		fl_svg_narrow(s) ? NARROW_NAME : MOST_NAME);
	p->left = p->name + 10;
	p->top = p->name * 0.82 + 30;
	p->cell = (s->width - p->left - APART - p->name * 0.58 - 8) / (double)p->to.n;
	p->cell = p->cell > 26 ? 26 : p->cell;
}

static void draw(struct fl_svg *s, struct plan *p)
{
	double floor = p->top + start_of(p, &p->from, p->from.n - 1) + p->cell;
	double corner = fl_svg_wide(s, "m", FL_SLICE("from ↓ to →"));
	bool fits = corner <= p->left - 6;

	fl_svg_begin(s, floor + 30);
	fl_svg_string(s, fits ? p->left - 6 : 0, fits ? p->top - 8 : 12,
		fits ? FL_SVG_END : FL_SVG_START, "m", "from ↓ to →");
	put_names(s, p);
	for (size_t a = 0; a < p->from.n; a++)
		for (size_t b = 0; b < p->to.n; b++)
			put_cell(s, p, a, b);
	put_scale(s, p, floor + 12);
	fl_svg_end(s);
}

int fl_svg_matrix(struct fl_svg *s, const struct fl_report_moves *m)
{
	size_t nodes = s->c->series.list.n, most = fl_svg_narrow(s) ? MOST_SIDE / 2 : MOST_SIDE;
	struct plan *p = calloc(1, sizeof(*p));
	int status = -1;

	if (p && choose(&p->from, m->out, nodes, most) == 0 &&
		choose(&p->to, m->in, nodes, most) == 0) {
		sum_up(p, m);
		lay_out(p, s);
		draw(s, p);
		status = 0;
	}
	if (p) {
		free(p->from.row);
		free(p->to.row);
	}
	free(p);
	return status;
}
