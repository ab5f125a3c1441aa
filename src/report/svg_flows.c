/* From whom to whom. For a few nodes: two columns of blocks, as high as what leaves and what
 * comes, and ribbons between them. A node's slot is never lower than its name, so that names
 * cannot touch. For more nodes: svg_matrix.c. */
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
	MOST_SIDE = 14, /* nodes */
	MOST_RIBBONS = 90,
	BLOCK = 14, /* width */
	SLOT = 17,  /* least height */
	GAP = 5,
	MOST_AMOUNT = 110, /* pixels; longer ones are in the tooltips only */
	MOST_NAME = 150,
	NARROW_NAME = 84,
};

struct side {
	uint32_t node[MOST_SIDE];
	double amount[MOST_SIDE], top[MOST_SIDE], used[MOST_SIDE];
	size_t n;
	double x;
};

struct plan {
	const struct fl_report_moves *m;
	struct side from, to;
	double scale, height;
	double name, amount; /* widths; no amount: there is no room for them */
};

static int by_amount(const struct side *side, size_t a, size_t b)
{
	return side->amount[a] != side->amount[b] ? side->amount[a] > side->amount[b]
	                                          : side->node[a] < side->node[b];
}

/* The nodes with an amount, the largest first; false: there are too many. */
static bool fill(struct side *side, const double *amount, size_t nodes)
{
	for (size_t i = 0; i < nodes; i++) {
		if (amount[i] <= 0)
			continue;
		if (side->n == MOST_SIDE)
			return false;
		side->node[side->n] = (uint32_t)i;
		side->amount[side->n] = amount[i];
		for (size_t k = side->n++; k > 0 && by_amount(side, k, k - 1); k--) {
			uint32_t node = side->node[k];
			double value = side->amount[k];
			side->node[k] = side->node[k - 1];
			side->amount[k] = side->amount[k - 1];
			side->node[k - 1] = node;
			side->amount[k - 1] = value;
		}
	}
	return true;
}

static double stack(struct side *side, double scale)
{
	double y = 4;

	for (size_t i = 0; i < side->n; i++) {
		double high = side->amount[i] * scale;
		double slot = fmax(high, SLOT);
		side->top[i] = y + (slot - high) / 2;
		y += slot + GAP;
	}
	return y;
}

static size_t place_of(const struct side *side, uint32_t node)
{
	for (size_t i = 0; i < side->n; i++)
		if (side->node[i] == node)
			return i;
	return 0;
}

static void put_ribbon(struct fl_svg *s, struct plan *p, size_t a, size_t b, double value)
{
	struct fl_slice from = fl_report_name_at(&s->c->series, p->from.node[a]);
	struct fl_slice to = fl_report_name_at(&s->c->series, p->to.node[b]);
	double x0 = p->from.x + BLOCK, x1 = p->to.x, middle = (x0 + x1) / 2;
	double y0 = p->from.top[a] + p->from.used[a], y1 = p->to.top[b] + p->to.used[b];
	double high = value * p->scale;
	char out[FL_REPORT_SHORT];

	(void)fprintf(s->out,
		"<path class=\"k s%u\" d=\"M%.5g %.5gC%.5g %.5g %.5g %.5g %.5g %.5gV%.5g"
		"C%.5g %.5g %.5g %.5g %.5g %.5gZ\">",
		(unsigned)fl_svg_colour(s, p->from.node[a]), x0, y0, middle, y0, middle, y1, x1,
		y1, y1 + high, middle, y1 + high, middle, y0 + high, x0, y0 + high);
	fl_svg_tip(s, &from, " → ", &to, fl_svg_quantity(s, out, value));
	(void)fputs("</path>", s->out);
	p->from.used[a] += high;
	p->to.used[b] += high;
}

/* Ribbons leave and arrive in the order of where they go, so that they cross little. */
static void put_ribbons(struct fl_svg *s, struct plan *p)
{
	double value[MOST_SIDE][MOST_SIDE] = {{0}};

	for (size_t i = 0; i < p->m->n; i++)
		value[place_of(&p->from, p->m->p[i].a)][place_of(&p->to, p->m->p[i].b)] =
			p->m->p[i].y;
	for (size_t a = 0; a < p->from.n; a++)
		for (size_t b = 0; b < p->to.n; b++)
			if (value[a][b] > 0)
				put_ribbon(s, p, a, b, value[a][b]);
}

static void put_side(struct fl_svg *s, const struct plan *p, const struct side *side, bool left)
{
	char out[FL_REPORT_SHORT];

	for (size_t i = 0; i < side->n; i++) {
		struct fl_slice name = fl_report_name_at(&s->c->series, side->node[i]);
		const char *amount = fl_svg_quantity(s, out, side->amount[i]);
		double high = side->amount[i] * p->scale;
		fl_svg_rect(s, fl_svg_colour(s, side->node[i]), side->x, side->top[i], BLOCK,
			fmax(high, 1));
		fl_svg_tip(s, &name, "", NULL, amount);
		fl_svg_close_rect(s);
		double y = side->top[i] + high / 2 + 4;
		double x = left ? side->x - 8 : side->x + BLOCK + 8 + p->amount;
		if (p->amount > 0)
			fl_svg_string(s, x, y, FL_SVG_END, "m", amount);
		x += p->amount > 0 ? left ? -p->amount - 10 : 10 : 0;
		fl_svg_text(s, x, y, left ? FL_SVG_END : FL_SVG_START, "", name, p->name);
	}
}

/* Room for the names of a side, and for its amounts. */
static void widen(struct fl_svg *s, struct plan *p, const struct side *side)
{
	char out[FL_REPORT_SHORT];

	for (size_t i = 0; i < side->n; i++) {
		struct fl_slice name = fl_report_name_at(&s->c->series, side->node[i]);
		p->name = fmax(p->name, fl_svg_wide(s, "", name));
		p->amount = fmax(p->amount,
			fl_svg_wide(
				s, "m", fl_slice_of(fl_svg_quantity(s, out, side->amount[i]))));
	}
}

static void draw(struct fl_svg *s, struct plan *p)
{
	widen(s, p, &p->from);
	widen(s, p, &p->to);
	p->name = fmin(p->name, fl_svg_narrow(s) ? NARROW_NAME : MOST_NAME);
	p->amount = fl_svg_narrow(s) || p->amount > MOST_AMOUNT ? 0 : p->amount;
	double margin = 8 + p->amount + (p->amount > 0 ? 10 : 0) + p->name + 2;
	p->from.x = margin;
	p->to.x = s->width - margin - BLOCK;
	p->scale = 240 / p->m->sum;
	double left = stack(&p->from, p->scale), right = stack(&p->to, p->scale);
	fl_svg_begin(s, fmax(left, right));
	put_ribbons(s, p);
	put_side(s, p, &p->from, true);
	put_side(s, p, &p->to, false);
	fl_svg_end(s);
}

int fl_svg_flows(struct fl_svg *s)
{
	struct fl_report_moves m;
	int status = 0;

	if (fl_report_moves(&m, s->c) < 0)
		return -1;
	struct plan p = {.m = &m};
	size_t nodes = s->c->series.list.n;
	if (m.n == 0) {
		fl_svg_begin(s, 30);
		fl_svg_string(s, 0, 16, FL_SVG_START, "m", "nothing moves");
		fl_svg_end(s);
	} else if (m.n <= MOST_RIBBONS && fill(&p.from, m.out, nodes) &&
		   fill(&p.to, m.in, nodes)) {
		draw(s, &p);
	} else {
		status = fl_svg_matrix(s, &m);
	}
	fl_report_moves_fini(&m);
	return status;
}
