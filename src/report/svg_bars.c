/* Bars lie, so that names stand upright beside them; each has its value at its end, so that one
 * need not go back to the axis. */
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
	LEAST_BAR = 80, /* pixels of the longest */
	MOST_NAME = 180,
	MOST_GROUPS = 40,
	ALL_BARS = 96, /* of groups of more than two */
	BESIDE = 60,   /* of names that stand beside their bars in a narrow drawing */
};

struct plan {
	struct fl_report_drawn d;
	struct fl_report_axis axis;
	double left, right, top, bottom; /* of the bars */
	double thick, pitch;             /* of a bar, from group to group */
	double name;                     /* width */
	const char *value;               /* class of the values */
	bool above;                      /* names stand over their bars */
};

static size_t bars_of(const struct plan *p, const struct fl_svg *s)
{
	return s->c->spec.stacked || p->d.series == 0 ? 1 : p->d.series;
}

/* The line between the largest and the smallest. */
static double gap_height(const struct plan *p)
{
	return p->d.more ? FL_SVG_LINE + 8 : 0;
}

static double x_of(const struct plan *p, double value)
{
	return p->left + fl_report_along(&p->axis, value) * (p->right - p->left);
}

static void lay_out(struct plan *p, struct fl_svg *s)
{
	char out[FL_REPORT_SHORT];
	double name = 0, value = 0;
	size_t bars = bars_of(p, s);

	p->thick = bars == 1 ? 16 : bars == 2 ? 13 : 10;
	p->value = bars > 2 ? "u" : "v";
	for (size_t i = 0; i < p->d.groups; i++) {
		name = fmax(name,
			fl_svg_wide(s, "", fl_report_group_at(s->c, p->d.group[i])->label));
		value = fmax(value, fl_svg_wide(s, p->value,
					    fl_slice_of(fl_svg_quantity(s, out, p->d.sum[i]))));
	}
	p->above = fl_svg_narrow(s) && name > BESIDE;
	p->name = p->above ? s->width : fmin(name, MOST_NAME);
	p->left = p->above ? 0 : p->name + 10;
	p->right = fmax(s->width - value - 8, p->left + LEAST_BAR);
	p->pitch = (double)bars * (p->thick + 2) + (bars == 1 ? 6 : 10) + (p->above ? 15 : 0);
	p->top = p->d.series > 1 ? fl_svg_legend(s, 0, p->d.series, false) : 2;
	if (s->c->reference >= 0 && s->c->reference_words)
		p->top += FL_SVG_LINE;
	p->bottom = p->top + (double)p->d.groups * p->pitch + gap_height(p);
	fl_report_axis(&p->axis, &s->c->spec.y, 0, p->d.most, fl_svg_narrow(s) ? 3 : 5);
}

static void put_axis(struct fl_svg *s, const struct plan *p)
{
	char out[FL_REPORT_SHORT], title[160];

	for (size_t i = 0; i < p->axis.count; i++) {
		double x = x_of(p, p->axis.tick[i]);
		fl_svg_line(s, i ? "g" : "a", x, p->top, x, p->bottom);
		fl_svg_tick(s, x, p->bottom + 14,
			fl_report_quantity(out, &p->axis.how, p->axis.tick[i], true));
	}
	if (*fl_svg_axis_title(&s->c->spec.y, title))
		fl_svg_text(s, p->right, p->bottom + 30, FL_SVG_END, "m", fl_slice_of(title),
			p->right);
}

static void put_reference(struct fl_svg *s, const struct plan *p)
{
	double x = x_of(p, s->c->reference);

	fl_svg_line(s, "r", x, p->top, x, p->bottom);
	if (!s->c->reference_words)
		return;
	enum fl_svg_anchor anchor = x > s->width / 2 ? FL_SVG_END : FL_SVG_START;
	fl_svg_text(s, x, p->top - 5, anchor, "m", fl_slice_of(s->c->reference_words),
		anchor == FL_SVG_END ? x : s->width - x);
}

static void put_bar(struct fl_svg *s, const struct plan *p, const struct fl_slice *label,
	size_t series, double from, double to, double y)
{
	char out[FL_REPORT_SHORT];
	struct fl_slice name = fl_report_name_at(&s->c->series, series);
	double x1 = x_of(p, from), x2 = x_of(p, to);

	fl_svg_rect(s, fl_svg_colour(s, series), x1, y, fmax(x2 - x1, to > from ? 0.8 : 0),
		p->thick);
	fl_svg_tip(s, label, ", ", s->c->series.list.n > 1 ? &name : NULL,
		fl_svg_quantity(s, out, to - from));
	fl_svg_close_rect(s);
}

static void put_value(
	struct fl_svg *s, const struct plan *p, double value, double end, double y)
{
	char out[FL_REPORT_SHORT];
	double x = x_of(p, end) + 5;

	fl_svg_text(s, x, y + p->thick / 2 + 4, FL_SVG_START, value < 0 ? "m" : p->value,
		fl_slice_of(value < 0 ? "–" : fl_svg_quantity(s, out, value)), s->width - x);
}

static double put_stack(struct fl_svg *s, const struct plan *p, size_t i, double y)
{
	const struct fl_report_group *group = fl_report_group_at(s->c, p->d.group[i]);
	double at = 0;

	for (size_t k = 0; k < p->d.series; k++) {
		if (p->d.value[i][k] <= 0)
			continue;
		put_bar(s, p, &group->label, k, at, at + p->d.value[i][k], y);
		at += p->d.value[i][k];
		if (at < p->d.sum[i])
			fl_svg_line(s, "w", x_of(p, at), y, x_of(p, at), y + p->thick);
	}
	put_value(s, p, p->d.sum[i], fmax(p->d.sum[i], group->target), y);
	return y + p->thick + 2;
}

static double put_bars(struct fl_svg *s, const struct plan *p, size_t i, double y)
{
	const struct fl_report_group *group = fl_report_group_at(s->c, p->d.group[i]);

	for (size_t k = 0; k < p->d.series; k++) {
		double value = p->d.value[i][k];
		if (value >= 0)
			put_bar(s, p, &group->label, k, 0, value, y);
		/* Behind the target's tick, if the bar ends just before it. */
		double gap = group->target - value;
		put_value(s, p, value,
			value >= 0 && gap > 0 && x_of(p, gap) - p->left < 60 ? group->target
			: value < 0                                          ? 0
									     : value,
			y);
		y += p->thick + 2;
	}
	return y;
}

static void put_group(struct fl_svg *s, const struct plan *p, size_t i)
{
	const struct fl_report_group *group = fl_report_group_at(s->c, p->d.group[i]);
	double y = p->top + (double)i * p->pitch + 3 + (i < p->d.gap ? 0 : gap_height(p)),
	       middle;
	char out[FL_REPORT_SHORT];

	if (p->above) {
		fl_svg_text(s, 0, y + 10, FL_SVG_START, "", group->label, p->name);
		y += 15;
	}
	double end = s->c->spec.stacked ? put_stack(s, p, i, y) : put_bars(s, p, i, y);
	middle = (y + end - 2) / 2 + 4;
	if (!p->above)
		fl_svg_text(s, p->left - 8, middle, FL_SVG_END, "", group->label, p->name);
	if (group->target < 0)
		return;
	double x = x_of(p, group->target);
	(void)fprintf(
		s->out, "<path class=\"t\" d=\"M%.5g %.5gL%.5g %.5g\">", x, y - 2, x, end);
	fl_svg_tip(s, &group->label, "", NULL, fl_svg_quantity(s, out, group->target));
	(void)fputs("</path>", s->out);
}

static void put_gap(struct fl_svg *s, const struct plan *p)
{
	char least[FL_REPORT_SHORT], most[FL_REPORT_SHORT], n[FL_REPORT_SHORT];
	char text[4 * FL_REPORT_SHORT];

	(void)snprintf(text, sizeof(text), "and %s more, from %s to %s",
		fl_report_count(n, p->d.more), fl_svg_quantity(s, least, p->d.more_least),
		fl_svg_quantity(s, most, p->d.more_most));
	fl_svg_text(s, p->left + 5, p->top + (double)p->d.gap * p->pitch + FL_SVG_LINE,
		FL_SVG_START, "m halo", fl_slice_of(text), s->width - p->left - 5);
}

int fl_svg_bars(struct fl_svg *s)
{
	struct plan *p = calloc(1, sizeof(*p));
	size_t each = s->c->spec.stacked ? 1 : s->c->series.list.n;
	char title[160];

	each = each < FL_REPORT_MOST_BARS ? each : FL_REPORT_MOST_BARS;
	if (!p || fl_report_drawn(&p->d, s->c, each > 2 ? ALL_BARS / each : MOST_GROUPS) < 0) {
		free(p);
		return -1;
	}
	lay_out(p, s);
	double floor = p->bottom + (*fl_svg_axis_title(&s->c->spec.y, title) ? 36 : 20);
	fl_svg_begin(s, floor + (p->d.more_series ? FL_SVG_LINE : 0));
	if (p->d.series > 1)
		(void)fl_svg_legend(s, 0, p->d.series, true);
	put_axis(s, p);
	for (size_t i = 0; i < p->d.groups; i++)
		put_group(s, p, i);
	if (s->c->reference >= 0)
		put_reference(s, p);
	if (p->d.more)
		put_gap(s, p);
	if (p->d.more_series) {
		(void)snprintf(
			title, sizeof(title), "and %zu more bars at each", p->d.more_series);
		fl_svg_string(s, p->left, floor + 10, FL_SVG_START, "m", title);
	}
	fl_svg_end(s);
	free(p);
	return 0;
}
