/* The hash ring: who owns which arc. Owners are numbered by their share, and arcs with room have
 * their owner's number, so that nothing hangs on colours alone; svg_rows.c does the same. */
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
	MOST_OWNERS = 16,
	OWNER_WIDTH = 230, /* least width of a column of them */
	MOST_ARCS = 720,   /* drawn as they are; more are gathered into SLICES */
	SLICES = 1440,
	MOST_TICKS = 120, /* points that are seen one by one */
	MOST_SIDE = 10,   /* marks with a label, on each side */
};

#define TURN (2 * 3.14159265358979323846)

/* ---- owners ---- */

double fl_svg_owners(struct fl_svg *s, const struct fl_report_owners *o, double x, double y,
	double width, bool draw)
{
	const struct fl_report_scale how = {.type = FL_REPORT_SHARE, .decimals = 1};
	size_t nodes = s->c->series.list.n, n = nodes < MOST_OWNERS ? nodes : MOST_OWNERS;
	size_t columns = width < 2 * OWNER_WIDTH ? 1 : (size_t)(width / OWNER_WIDTH);
	size_t lines = (n + columns - 1) / columns;
	double most = width / (double)columns - 100;
	char out[FL_REPORT_SHORT];

	for (size_t i = 0; draw && i < n; i++) {
		double at = y + (double)(i % lines) * 18 + 12;
		size_t column = i / lines;
		double left = x + (double)column * width / (double)columns;
		(void)snprintf(out, sizeof(out), "%zu", i + 1);
		fl_svg_string(s, left + 14, at, FL_SVG_END, "m", out);
		fl_svg_rect(s, fl_svg_colour(s, o->rank[i]), left + 20, at - 10, 11, 11);
		fl_svg_close_rect(s);
		fl_svg_string(s, left + 86, at, FL_SVG_END, "v",
			fl_report_quantity(out, &how, o->share[o->rank[i]], true));
		fl_svg_text(s, left + 94, at, FL_SVG_START, "",
			fl_report_name_at(&s->c->series, o->rank[i]), most);
	}
	y += (double)lines * 18;
	if (nodes > n) {
		(void)snprintf(out, sizeof(out), "and %zu more", nodes - n);
		if (draw)
			fl_svg_string(s, x + 94, y + 12, FL_SVG_START, "m", out);
		y += 18;
	}
	return y + 8;
}

void fl_svg_owner_tip(struct fl_svg *s, const struct fl_report_owners *o, uint32_t node)
{
	const struct fl_report_scale how = {.type = FL_REPORT_SHARE, .decimals = 2};
	struct fl_slice name = FL_SLICE("nobody");
	char share[FL_REPORT_SHORT], text[FL_REPORT_SHORT + 32];

	if (node != FL_NONE)
		name = fl_report_name_at(&s->c->series, node);
	(void)snprintf(text, sizeof(text), "%s in all",
		fl_report_quantity(share, &how, node == FL_NONE ? 0 : o->share[node], true));
	fl_svg_tip(s, &name, "", NULL, node == FL_NONE ? "no owner" : text);
}

/* ---- ring ---- */

struct ring {
	const struct fl_report_owners *o;
	double x, y, radius, thick;
	double name; /* width of a mark's label */
};

static void polar(const struct ring *r, double turn, double radius, double *x, double *y)
{
	*x = r->x + radius * sin(turn * TURN);
	*y = r->y - radius * cos(turn * TURN);
}

/* An arc of more than half a turn is drawn in two, for a whole turn has no direction. */
static void arc_path(FILE *out, const struct ring *r, double from, double to)
{
	double x, y;

	polar(r, from, r->radius, &x, &y);
	(void)fprintf(out, "M%.6g %.6g", x, y);
	for (double at = from; at < to;) {
		at = to - at > 0.5 ? at + 0.45 : to;
		polar(r, at, r->radius, &x, &y);
		(void)fprintf(out, "A%.5g %.5g 0 0 1 %.6g %.6g", r->radius, r->radius, x, y);
	}
}

static void put_arc(
	struct fl_svg *s, const struct ring *r, double from, double to, uint32_t node)
{
	char number[16];
	double x, y;

	if (node == FL_NONE)
		return;
	(void)fprintf(s->out, "<path class=\"c l%u\" stroke-width=\"%.5g\" d=\"",
		(unsigned)fl_svg_colour(s, node), r->thick);
	arc_path(s->out, r, from, to);
	(void)fputs("\">", s->out);
	fl_svg_owner_tip(s, r->o, node);
	(void)fputs("</path>", s->out);
	if ((to - from) * TURN * (r->radius - r->thick) < 18 || r->o->place[node] >= 99)
		return;
	polar(r, (from + to) / 2, r->radius - r->thick / 2 - 10, &x, &y);
	(void)snprintf(number, sizeof(number), "%u", (unsigned)r->o->place[node] + 1);
	fl_svg_string(s, x, y + 4, FL_SVG_MIDDLE, "m", number);
}

static void put_arcs(struct fl_svg *s, const struct ring *r)
{
	size_t at = 0;

	if (r->o->n <= MOST_ARCS) {
		for (size_t i = 0; i < r->o->n; i++)
			put_arc(s, r, r->o->arcs[i].from, r->o->arcs[i].to, r->o->arcs[i].node);
		return;
	}
	uint32_t node = FL_NONE;
	double from = 0;
	for (size_t i = 0; i < SLICES; i++) {
		uint32_t next = fl_report_owner_of(
			r->o, (double)i / SLICES, (double)(i + 1) / SLICES, &at);
		if (next == node)
			continue;
		put_arc(s, r, from, (double)i / SLICES, node);
		from = (double)i / SLICES;
		node = next;
	}
	put_arc(s, r, from, 1, node);
}

static void put_spoke(struct fl_svg *s, const struct ring *r, const char *class, double turn,
	double inner, double outer)
{
	double x1, y1, x2, y2;

	polar(r, turn, r->radius + inner, &x1, &y1);
	polar(r, turn, r->radius + outer, &x2, &y2);
	fl_svg_line(s, class, x1, y1, x2, y2);
}

static void put_points(struct fl_svg *s, const struct ring *r)
{
	if (s->c->data.n > MOST_TICKS)
		return;
	for (size_t i = 0; i < s->c->data.n; i++) {
		const struct fl_report_datum *d =
			&FL_REPORT_AT(s->c->data, struct fl_report_datum, i);
		double turn = (double)d->at * 0x1p-64;
		put_spoke(s, r, "w", turn, -r->thick / 2 - 1, r->thick / 2 + 1);
		put_spoke(s, r, "a", turn, r->thick / 2, r->thick / 2 + 4);
	}
}

/* Marks that have a label, from top to bottom on one side. */
struct side {
	size_t pin[MOST_SIDE], n;
	double y[MOST_SIDE];
};

static void add_pin(struct side *side, const struct ring *r, size_t pin, double turn)
{
	double y = r->y - (r->radius + r->thick) * cos(turn * TURN);
	size_t k = side->n;

	if (side->n == MOST_SIDE)
		return;
	for (side->n++; k > 0 && side->y[k - 1] > y; k--) {
		side->y[k] = side->y[k - 1];
		side->pin[k] = side->pin[k - 1];
	}
	side->y[k] = y;
	side->pin[k] = pin;
}

static void put_side(struct fl_svg *s, const struct ring *r, struct side *side, bool right)
{
	fl_svg_spread(side->y, side->n, 15, r->y - r->radius - r->thick - 6,
		r->y + r->radius + r->thick + 6);
	for (size_t i = 0; i < side->n; i++) {
		const struct fl_report_pin *pin =
			&FL_REPORT_AT(s->c->marks, struct fl_report_pin, side->pin[i]);
		double x, y, edge = r->x + (right ? 1 : -1) * (r->radius + r->thick / 2 + 22);
		polar(r, fl_report_turn(s->c, pin->at), r->radius + r->thick / 2 + 8, &x, &y);
		fl_svg_line(s, "d", x, y, edge, side->y[i]);
		fl_svg_text(s, edge + (right ? 4 : -4), side->y[i] + 4,
			right ? FL_SVG_START : FL_SVG_END, "b", pin->label, r->name);
	}
}

static void put_pins(struct fl_svg *s, const struct ring *r)
{
	struct side left = {.n = 0}, right = {.n = 0};

	for (size_t i = 0; i < s->c->marks.n; i++) {
		const struct fl_report_pin *pin =
			&FL_REPORT_AT(s->c->marks, struct fl_report_pin, i);
		double turn = fl_report_turn(s->c, pin->at), x, y;
		put_spoke(s, r, "d", turn, -r->thick / 2, r->thick / 2 + 8);
		polar(r, turn, r->radius + r->thick / 2 + 5, &x, &y);
		(void)fprintf(
			s->out, "<circle class=\"pin\" cx=\"%.5g\" cy=\"%.5g\" r=\"4\">", x, y);
		uint32_t node = fl_report_owner_at(r->o, turn);
		struct fl_slice name = node == FL_NONE ? FL_SLICE("nobody")
		                                       : fl_report_name_at(&s->c->series, node);
		fl_svg_tip(s, &pin->label, " → ", &name, "its owner");
		(void)fputs("</circle>", s->out);
		add_pin(turn < 0.5 ? &right : &left, r, i, turn);
	}
	put_side(s, r, &left, false);
	put_side(s, r, &right, true);
}

int fl_svg_ring(struct fl_svg *s)
{
	bool narrow = fl_svg_narrow(s);
	struct fl_report_owners o;
	char text[FL_REPORT_SHORT + 32], n[FL_REPORT_SHORT];

	if (fl_report_owners(&o, s->c) < 0)
		return -1;
	double margin = s->c->marks.n ? narrow ? 78 : 112 : 14;
	struct ring r = {.o = &o, .thick = narrow ? 20 : 28};
	r.radius = narrow ? 74 + (78 - margin) * 0.7 : 112;
	r.x = narrow ? s->width / 2 : margin + r.radius + r.thick / 2 + 8;
	r.y = r.radius + r.thick / 2 + 16;
	r.name = r.x - r.radius - r.thick / 2 - 30;
	double low = 2 * r.y + 4, x = narrow ? 0 : r.x + r.radius + margin + 16;
	double top = narrow ? low + 6 : 8;
	double end = fl_svg_owners(s, &o, x, top, s->width - x, false);
	fl_svg_begin(s, fmax(low, end));
	put_arcs(s, &r);
	put_points(s, &r);
	put_spoke(s, &r, "a", 0, -r.thick / 2 - 4, r.thick / 2 + 6);
	(void)snprintf(text, sizeof(text), "%s point%s", fl_report_count(n, s->c->data.n),
		s->c->data.n == 1 ? "" : "s");
	fl_svg_string(s, r.x, r.y, FL_SVG_MIDDLE, "b", text);
	(void)snprintf(text, sizeof(text), "%s node%s", fl_report_count(n, s->c->series.list.n),
		s->c->series.list.n == 1 ? "" : "s");
	fl_svg_string(s, r.x, r.y + 16, FL_SVG_MIDDLE, "m", text);
	put_pins(s, &r);
	(void)fl_svg_owners(s, &o, x, top, s->width - x, true);
	fl_svg_end(s);
	fl_report_owners_fini(&o);
	return 0;
}
