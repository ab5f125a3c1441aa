/* Bars and flows in a terminal. */
#include "report/data.h"
#include "report/pen.h"

enum {
	MOST_LABELS = 40,
	MOST_FLOWS = 20,
	MOST_BAR = 40,
	LEAST_BAR = 4,
	MOST_LABEL = 28,
};

static const char *const signs[FL_REPORT_MOST_BARS][2] = {{"█", "#"}, {"▒", "="}, {"▓", "%"},
	{"░", "."}, {"■", "o"}, {"▪", "+"}, {"▬", "-"}, {"▫", ":"}};

struct columns { /* of a chart: label, series' name, bar, value */
	size_t label, series, bar, value;
};

static size_t most_of(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t shown_value(
	const struct fl_pen *pen, const struct fl_report_chart *c, double v, char *out)
{
	return fl_report_columns(
		fl_slice_of(fl_report_quantity(out, &c->spec.y, v, pen->utf8)), pen->utf8);
}

/* Divides the line: values are whole, names get at most what bars can spare. */
static void divide(struct columns *w, size_t width)
{
	size_t fixed = FL_PEN_INDENT + w->value + 4 + (w->series ? 2 : 0);
	size_t room = width > fixed + LEAST_BAR ? width - fixed - LEAST_BAR : 2;

	w->label = w->label > MOST_LABEL ? MOST_LABEL : w->label;
	w->series = w->series > MOST_LABEL ? MOST_LABEL : w->series;
	while (w->label + w->series > room && w->label + w->series > 2) {
		if (w->label >= w->series)
			w->label--;
		else
			w->series--;
	}
	size_t used = fixed + w->label + w->series;
	w->bar = width > used ? width - used : 0;
	w->bar = w->bar > MOST_BAR ? MOST_BAR : w->bar;
}

/* ---- bars ---- */

static void put_value(struct fl_pen *pen, const struct fl_report_chart *c,
	const struct columns *w, double value)
{
	char out[FL_REPORT_SHORT];

	fl_pen_blanks(pen, 1);
	fl_pen_field(pen,
		value < 0 ? fl_slice_of(pen->utf8 ? "–" : "-")
			  : fl_slice_of(fl_report_quantity(out, &c->spec.y, value, pen->utf8)),
		w->value, true);
}

static void put_label(
	struct fl_pen *pen, struct fl_slice label, const struct columns *w, bool first)
{
	fl_pen_blanks(pen, FL_PEN_INDENT);
	fl_pen_field(pen, first ? label : (struct fl_slice){"", 0}, w->label, false);
	fl_pen_blanks(pen, 1);
}

static void put_group(struct fl_pen *pen, const struct fl_report_chart *c,
	const struct fl_report_drawn *d, const struct columns *w, size_t i)
{
	const struct fl_report_group *group = fl_report_group_at(c, d->group[i]);
	double scale = d->most > 0 ? d->most : 1;

	for (size_t k = 0; k < d->series; k++) {
		double value = d->value[i][k];
		put_label(pen, group->label, w, k == 0);
		if (w->series) {
			fl_pen_field(pen, fl_report_name_at(&c->series, k), w->series, false);
			fl_pen_blanks(pen, 2);
		}
		fl_pen_style(pen, FL_PEN_SERIES + FL_REPORT_AT(c->colour, uint32_t, k));
		fl_pen_bar(pen, value / scale, w->bar,
			group->target < 0 ? -1 : group->target / scale);
		fl_pen_style(pen, FL_PEN_PLAIN);
		put_value(pen, c, w, value);
		fl_pen_end(pen);
	}
}

/* A label's values end to end in one bar, each of its own sign; then their sum. */
static void put_stack(struct fl_pen *pen, const struct fl_report_chart *c,
	const struct fl_report_drawn *d, const struct columns *w, size_t i)
{
	double sum = 0, scale = d->most > 0 ? d->most : 1;

	put_label(pen, fl_report_group_at(c, d->group[i])->label, w, true);
	size_t begin = pen->at;
	for (size_t k = 0; k < d->series; k++) {
		sum += d->value[i][k] > 0 ? d->value[i][k] : 0;
		size_t to = begin + (size_t)(sum / scale * (double)w->bar + 0.5);
		fl_pen_style(pen, FL_PEN_SERIES + FL_REPORT_AT(c->colour, uint32_t, k));
		fl_pen_sign(pen, signs[k][0], signs[k][1], to > pen->at ? to - pen->at : 0);
	}
	fl_pen_style(pen, FL_PEN_PLAIN);
	fl_pen_to(pen, begin + w->bar);
	put_value(pen, c, w, d->sum[i]);
	fl_pen_end(pen);
}

/* What the signs of a stack mean. */
static void put_signs(
	struct fl_pen *pen, const struct fl_report_chart *c, const struct fl_report_drawn *d)
{
	for (size_t k = 0; k < d->series; k++) {
		fl_pen_blanks(pen, FL_PEN_INDENT);
		fl_pen_style(pen, FL_PEN_SERIES + FL_REPORT_AT(c->colour, uint32_t, k));
		fl_pen_sign(pen, signs[k][0], signs[k][1], 1);
		fl_pen_style(pen, FL_PEN_PLAIN);
		fl_pen_blanks(pen, 1);
		(void)fl_pen_show(pen, fl_report_name_at(&c->series, k), SIZE_MAX);
		fl_pen_end(pen);
	}
}

static struct columns measure(const struct fl_pen *pen, const struct fl_report_chart *c,
	const struct fl_report_drawn *d)
{
	struct columns w = {.value = 1};
	char out[FL_REPORT_SHORT];

	for (size_t i = 0; i < d->groups; i++) {
		w.label = most_of(
			w.label, fl_report_columns(
					 fl_report_group_at(c, d->group[i])->label, pen->utf8));
		w.value = most_of(w.value, shown_value(pen, c, d->sum[i], out));
		for (size_t k = 0; k < d->series; k++)
			if (d->value[i][k] >= 0)
				w.value = most_of(
					w.value, shown_value(pen, c, d->value[i][k], out));
	}
	for (size_t k = 0; d->series > 1 && !c->spec.stacked && k < d->series; k++)
		w.series = most_of(w.series,
			fl_report_columns(fl_report_name_at(&c->series, k), pen->utf8));
	divide(&w, pen->width);
	return w;
}

static void put_gap(
	struct fl_pen *pen, const struct fl_report_chart *c, const struct fl_report_drawn *d)
{
	char least[FL_REPORT_SHORT], most[FL_REPORT_SHORT], n[FL_REPORT_SHORT];
	char text[4 * FL_REPORT_SHORT];

	(void)snprintf(text, sizeof(text), "and %s more, from %s to %s",
		fl_report_count(n, d->more),
		fl_report_quantity(least, &c->spec.y, d->more_least, pen->utf8),
		fl_report_quantity(most, &c->spec.y, d->more_most, pen->utf8));
	fl_pen_note(pen, text);
}

static void put_rest(
	struct fl_pen *pen, const struct fl_report_chart *c, const struct fl_report_drawn *d)
{
	char most[FL_REPORT_SHORT], text[2 * FL_REPORT_SHORT];

	if (d->more_series) {
		(void)snprintf(text, sizeof(text), "and %zu more bars at each", d->more_series);
		fl_pen_note(pen, text);
	}
	if (c->reference >= 0) {
		(void)snprintf(text, sizeof(text), "%.100s: %s",
			c->reference_words ? c->reference_words : "reference",
			fl_report_quantity(most, &c->spec.y, c->reference, pen->utf8));
		fl_pen_note(pen, text);
	}
	for (size_t i = 0; i < d->groups; i++) {
		if (fl_report_group_at(c, d->group[i])->target < 0)
			continue;
		fl_pen_note(pen, pen->utf8 ? "│ what it should have" : "| what it should have");
		break;
	}
}

int fl_report_text_bars(struct fl_pen *pen, const struct fl_report_chart *c)
{
	struct fl_report_drawn d;

	if (fl_report_drawn(&d, c, MOST_LABELS) < 0)
		return -1;
	struct columns w = measure(pen, c, &d);
	for (size_t i = 0; i <= d.groups; i++) {
		if (i == d.gap && d.more)
			put_gap(pen, c, &d);
		if (i == d.groups)
			break;
		if (c->spec.stacked)
			put_stack(pen, c, &d, &w, i);
		else
			put_group(pen, c, &d, &w, i);
	}
	if (c->spec.stacked)
		put_signs(pen, c, &d);
	put_rest(pen, c, &d);
	return 0;
}

/* ---- flows ---- */

int fl_report_text_flows(struct fl_pen *pen, const struct fl_report_chart *c)
{
	struct columns w = {.value = 1};
	struct fl_report_moves m;
	char out[2 * FL_REPORT_SHORT];
	double rest = 0;

	if (fl_report_moves(&m, c) < 0)
		return -1;
	size_t n = m.n < MOST_FLOWS ? m.n : MOST_FLOWS;
	for (size_t i = 0; i < n; i++) {
		w.label = most_of(w.label,
			fl_report_columns(fl_report_name_at(&c->series, m.p[i].a), pen->utf8));
		w.series = most_of(w.series,
			fl_report_columns(fl_report_name_at(&c->series, m.p[i].b), pen->utf8) +
				3);
		w.value = most_of(w.value, shown_value(pen, c, m.p[i].y, out));
	}
	divide(&w, pen->width);
	for (size_t i = 0; i < n; i++) {
		size_t name = w.series > 3 ? w.series - 3 : 1;
		put_label(pen, fl_report_name_at(&c->series, m.p[i].a), &w, true);
		fl_pen_sign(pen, "→", ">", 1);
		fl_pen_blanks(pen, 1);
		fl_pen_field(pen, fl_report_name_at(&c->series, m.p[i].b), name, false);
		fl_pen_blanks(pen, 1);
		fl_pen_style(pen, FL_PEN_SERIES + FL_REPORT_AT(c->colour, uint32_t, m.p[i].a));
		fl_pen_bar(pen, m.p[i].y / m.p[0].y, w.bar, -1);
		fl_pen_style(pen, FL_PEN_PLAIN);
		put_value(pen, c, &w, m.p[i].y);
		fl_pen_end(pen);
	}
	for (size_t i = n; i < m.n; i++)
		rest += m.p[i].y;
	if (m.n > n) {
		char line[2 * FL_REPORT_SHORT];
		(void)snprintf(line, sizeof(line), "and %zu more, %s together", m.n - n,
			fl_report_quantity(out, &c->spec.y, rest, pen->utf8));
		fl_pen_note(pen, line);
	}
	fl_report_moves_fini(&m);
	return 0;
}
