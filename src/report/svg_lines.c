/* Lines have their names at their ends, moved apart where they would touch, and marks of
 * different shapes at their points and at their names: no legend to look up, no colour that must
 * be told apart. */
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
	MOST_DRAWN = 18,  /* lines: as many names as fit beside them */
	MOST_MARKED = 48, /* points of a line that has marks */
	SHAPES = 6,
	MOST_NAME = 150,
	NARROW_NAME = 96,
};

struct plan {
	struct fl_report_extent e;
	struct fl_report_axis x, y;
	double left, right, top, bottom;
	double name;                         /* width */
	size_t drawn;                        /* lines */
	const struct fl_report_datum **last; /* of each line */
	size_t *count;
};

static double x_of(const struct plan *p, double x)
{
	return p->left + fl_report_along(&p->x, x) * (p->right - p->left);
}

static double y_of(const struct plan *p, double y)
{
	return p->bottom - fl_report_along(&p->y, y) * (p->bottom - p->top);
}

static const struct fl_report_datum *datum(const struct fl_svg *s, size_t i)
{
	return &FL_REPORT_AT(s->c->data, struct fl_report_datum, i);
}

static void lay_out(struct plan *p, struct fl_svg *s)
{
	bool narrow = fl_svg_narrow(s);
	char out[FL_REPORT_SHORT];
	size_t series = s->c->series.list.n;
	double tick = 0;

	p->drawn = series < MOST_DRAWN ? series : MOST_DRAWN;
	for (size_t i = 0; i < p->drawn; i++)
		p->name =
			fmax(p->name, fl_svg_wide(s, "", fl_report_name_at(&s->c->series, i)));
	p->name = fmin(p->name, narrow ? NARROW_NAME : MOST_NAME);
	fl_report_axis(&p->y, &s->c->spec.y, p->e.low, p->e.high, 5);
	fl_report_axis(&p->x, &s->c->spec.x, p->e.left, p->e.right, narrow ? 4 : 8);
	if (!s->c->spec.x.log && p->e.right > p->e.left) {
		p->x.low = p->e.left;
		p->x.high = p->e.right;
	}
	for (size_t i = 0; i < p->y.count; i++)
		tick = fmax(tick, fl_svg_wide(s, "m",
					  fl_slice_of(fl_report_quantity(
						  out, &p->y.how, p->y.tick[i], true))));
	p->left = tick + 8;
	p->right = s->width - p->name - 28;
	p->top = 26;
	p->bottom = p->top + (narrow ? 220 : 300);
}

static void put_axes(struct fl_svg *s, const struct plan *p)
{
	char out[FL_REPORT_SHORT], title[160];
	double free_from = -1;

	for (size_t i = 0; i < p->y.count; i++) {
		double y = y_of(p, p->y.tick[i]);
		if (y < p->top - 0.5 || y > p->bottom + 0.5)
			continue;
		fl_svg_line(s, y > p->bottom - 0.5 ? "a" : "g", p->left, y, p->right, y);
		fl_svg_string(s, p->left - 6, y + 4, FL_SVG_END, "m",
			fl_report_quantity(out, &p->y.how, p->y.tick[i], true));
	}
	for (size_t i = 0; i < p->x.count; i++) {
		double x = x_of(p, p->x.tick[i]);
		const char *text = fl_report_quantity(out, &p->x.how, p->x.tick[i], true);
		double half = fl_svg_wide(s, "m", fl_slice_of(text)) / 2;
		if (x < p->left - 0.5 || x > p->right + 0.5)
			continue;
		fl_svg_line(s, "a", x, p->bottom, x, p->bottom + 4);
		if (x - half < free_from)
			continue;
		fl_svg_tick(s, x, p->bottom + 17, text);
		free_from = x + half + 6;
	}
	fl_svg_text(s, 0, 12, FL_SVG_START, "m",
		fl_slice_of(fl_svg_axis_title(&s->c->spec.y, title)), s->width);
	fl_svg_text(s, p->right, p->bottom + 34, FL_SVG_END, "m",
		fl_slice_of(fl_svg_axis_title(&s->c->spec.x, title)), p->right);
}

static void put_line(struct fl_svg *s, const struct plan *p, size_t series)
{
	bool begun = false;

	(void)fprintf(s->out, "<path class=\"l l%u\" d=\"", (unsigned)fl_svg_colour(s, series));
	for (size_t i = 0; i < s->c->data.n; i++) {
		if (datum(s, i)->b != series)
			continue;
		(void)fprintf(s->out, "%s%.5g %.5g", begun ? "L" : "M", x_of(p, datum(s, i)->x),
			y_of(p, datum(s, i)->y));
		begun = true;
	}
	(void)fputs("\"/>", s->out);
}

/* One of the shapes around a place. */
static void put_shape(FILE *out, size_t shape, double x, double y)
{
	static const char *const forms[SHAPES] = {
		"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", /* a circle */
		"m-3.6 -3.6h7.2v7.2h-7.2z",            /* a square */
		"m0 -4.8l4.6 8h-9.2z",                 /* triangles */
		"m0 -5l5 5l-5 5l-5 -5z", "m0 4.8l4.6 -8h-9.2z",
		"m-4.5 -1.5h3v-3h3v3h3v3h-3v3h-3v-3h-3z", /* a cross */
	};

	(void)fprintf(out, "M%.5g %.5g%s", x, y, forms[shape % SHAPES]);
}

static void put_marks(struct fl_svg *s, const struct plan *p, size_t series)
{
	struct fl_slice name = fl_report_name_at(&s->c->series, series);
	char x[FL_REPORT_SHORT], y[FL_REPORT_SHORT], text[2 * FL_REPORT_SHORT + 8];

	if (p->count[series] > MOST_MARKED)
		return;
	for (size_t i = 0; i < s->c->data.n; i++) {
		const struct fl_report_datum *d = datum(s, i);
		if (d->b != series)
			continue;
		(void)fprintf(s->out, "<path class=\"p s%u\" d=\"",
			(unsigned)fl_svg_colour(s, series));
		put_shape(s->out, series, x_of(p, d->x), y_of(p, d->y));
		(void)fputs("\">", s->out);
		(void)snprintf(text, sizeof(text), "%s at %s", fl_svg_quantity(s, y, d->y),
			fl_report_quantity(x, &s->c->spec.x, d->x, true));
		fl_svg_tip(s, &name, "", NULL, text);
		(void)fputs("</path>", s->out);
	}
}

struct end {
	double y;
	size_t series;
};

static int by_y(const void *pa, const void *pb)
{
	const struct end *a = pa, *b = pb;

	if (a->y != b->y)
		return a->y < b->y ? -1 : 1;
	return (a->series > b->series) - (a->series < b->series);
}

static void put_names(struct fl_svg *s, const struct plan *p)
{
	struct end ends[MOST_DRAWN];
	double at[MOST_DRAWN];
	size_t n = 0;

	for (size_t i = 0; i < p->drawn; i++)
		if (p->last[i])
			ends[n++] = (struct end){y_of(p, p->last[i]->y), i};
	qsort(ends, n, sizeof(*ends), by_y);
	for (size_t i = 0; i < n; i++)
		at[i] = ends[i].y;
	fl_svg_spread(at, n, 14, p->top, p->bottom);
	for (size_t i = 0; i < n; i++) {
		double x = x_of(p, p->last[ends[i].series]->x) + 6;
		unsigned colour = (unsigned)fl_svg_colour(s, ends[i].series);
		(void)fprintf(s->out, "<path class=\"f l%u\" d=\"M%.5g %.5gL%.5g %.5g\"/>",
			colour, x, ends[i].y, p->right + 12, at[i]);
		(void)fprintf(s->out, "<path class=\"p s%u\" d=\"", colour);
		put_shape(s->out, ends[i].series, p->right + 18, at[i]);
		(void)fputs("\"/>", s->out);
		fl_svg_text(s, p->right + 27, at[i] + 4, FL_SVG_START, "",
			fl_report_name_at(&s->c->series, ends[i].series), p->name);
	}
}

/* Whether the points of the right end keep farther away from a height than those of the left. */
static bool is_right_free(const struct fl_svg *s, const struct plan *p, double y)
{
	double gap[2] = {HUGE_VAL, HUGE_VAL};

	for (size_t i = 0; i < s->c->data.n; i++) {
		double x = fl_report_along(&p->x, datum(s, i)->x);
		if (datum(s, i)->b < p->drawn && (x < 0.25 || x > 0.75))
			gap[x > 0.75] = fmin(gap[x > 0.75], fabs(y_of(p, datum(s, i)->y) - y));
	}
	return gap[1] > gap[0];
}

static void put_reference(struct fl_svg *s, const struct plan *p)
{
	double y = y_of(p, s->c->reference);
	bool right = is_right_free(s, p, y);

	fl_svg_line(s, "r", p->left, y, p->right, y);
	if (s->c->reference_words)
		fl_svg_text(s, right ? p->right - 12 : p->left + 12, y - 5,
			right ? FL_SVG_END : FL_SVG_START, "m halo",
			fl_slice_of(s->c->reference_words), p->right - p->left - 12);
}

static void draw(struct fl_svg *s, const struct plan *p)
{
	size_t series = s->c->series.list.n;
	char text[64];

	fl_svg_begin(s, p->bottom + 40 + (series > p->drawn ? FL_SVG_LINE : 0));
	put_axes(s, p);
	for (size_t i = p->drawn; i-- > 0;)
		if (p->last[i])
			put_line(s, p, i);
	if (s->c->reference >= 0)
		put_reference(s, p);
	for (size_t i = p->drawn; i-- > 0;)
		put_marks(s, p, i);
	put_names(s, p);
	if (series > p->drawn) {
		(void)snprintf(text, sizeof(text), "and %zu more lines", series - p->drawn);
		fl_svg_string(s, p->left, p->bottom + 50, FL_SVG_START, "m", text);
	}
	fl_svg_end(s);
}

int fl_svg_lines(struct fl_svg *s)
{
	struct plan p = {0};
	int status = -1;

	p.last = calloc(s->c->series.list.n + 1, sizeof(const struct fl_report_datum *));
	p.count = calloc(s->c->series.list.n + 1, sizeof(*p.count));
	if (p.last && p.count) {
		for (size_t i = 0; i < s->c->data.n; i++) {
			p.last[datum(s, i)->b] = datum(s, i);
			p.count[datum(s, i)->b]++;
		}
		(void)fl_report_extent(&p.e, s->c);
		lay_out(&p, s);
		draw(s, &p);
		status = 0;
	}
	free(p.last);
	free(p.count);
	return status;
}
