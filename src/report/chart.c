#include "report/priv.h"

#include <math.h>

static struct fl_report_chart *make(
	struct fl_report *r, enum fl_report_kind kind, const struct fl_report_spec *spec)
{
	if (!fl_report_good(r))
		return NULL;
	struct fl_report_chart *c = fl_arena_alloc(&r->arena, sizeof(*c));
	if (!c) {
		fl_report_fail(r, FL_ENOMEM, "no memory for a report");
		return NULL;
	}
	*c = (struct fl_report_chart){.r = r, .kind = kind, .spec = *spec, .reference = -1};
	c->spec.name = fl_report_string(r, spec->name);
	c->spec.title = fl_report_string(r, spec->title ? spec->title : spec->name);
	c->spec.note = fl_report_string(r, spec->note);
	c->spec.x.title = fl_report_string(r, spec->x.title);
	c->spec.x.unit = fl_report_string(r, spec->x.unit);
	c->spec.y.title = fl_report_string(r, spec->y.title);
	c->spec.y.unit = fl_report_string(r, spec->y.unit);
	if (kind != FL_REPORT_LINES)
		c->spec.x.log = c->spec.y.log = false; /* bars begin at 0 */
	return fl_report_add(r, spec->name, (struct fl_report_item){.chart = c}) ? c : NULL;
}

struct fl_report_chart *fl_report_bars(struct fl_report *r, const struct fl_report_spec *spec)
{
	return make(r, FL_REPORT_BARS, spec);
}

struct fl_report_chart *fl_report_lines(struct fl_report *r, const struct fl_report_spec *spec)
{
	return make(r, FL_REPORT_LINES, spec);
}

struct fl_report_chart *fl_report_flows(struct fl_report *r, const struct fl_report_spec *spec)
{
	return make(r, FL_REPORT_FLOWS, spec);
}

struct fl_report_chart *fl_report_ring(struct fl_report *r, const struct fl_report_spec *spec)
{
	return make(r, FL_REPORT_RING, spec);
}

struct fl_report_chart *fl_report_rows(struct fl_report *r, const struct fl_report_spec *spec)
{
	return make(r, FL_REPORT_ROWS, spec);
}

/* Whether the chart is of one of the kinds (bits); says so if not. */
static bool is(struct fl_report_chart *c, unsigned kinds)
{
	if (!c)
		return false;
	if (!(kinds & 1u << c->kind))
		fl_report_fail(c->r, FL_EINVAL, "chart \"%s\" is not of the kind to take this",
			c->spec.name);
	return fl_report_good(c->r);
}

/* What is so small that one could not divide by it. */
static double flushed(double value)
{
	return fabs(value) < FL_REPORT_LEAST_VALUE ? 0 : value;
}

static bool is_quantity(struct fl_report_chart *c, double value)
{
	if (!(value >= 0 && value <= FL_REPORT_MAX_VALUE))
		fl_report_fail(c->r, FL_EINVAL,
			"chart \"%s\": expected a finite number from 0 on", c->spec.name);
	return fl_report_good(c->r);
}

/* A name's colour in the whole report: that of its first chart, where it was the next one free
 * among charts of the same sort, so that the series of one chart never share one early; the parts
 * of stacks are a sort of their own. */
static uint32_t colour_of(struct fl_report_chart *c, struct fl_slice name)
{
	struct fl_report *r = c->r;
	size_t sort = c->spec.stacked             ? FL_REPORT_ROWS
	              : c->kind > FL_REPORT_FLOWS ? FL_REPORT_FLOWS
	                                          : c->kind;
	uint32_t i = fl_report_intern(r, &r->colours, name, SIZE_MAX);

	if (i == UINT32_MAX)
		return 0;
	if (i < r->colour.n)
		return FL_REPORT_AT(r->colour, uint32_t, i);
	uint32_t *at = fl_report_push(r, &r->colour, sizeof(*at), SIZE_MAX);
	if (!at)
		return 0;
	*at = r->next_colour[sort]++;
	return *at;
}

uint32_t fl_report_series(struct fl_report_chart *c, struct fl_slice name)
{
	if (!c)
		return 0;
	uint32_t i = fl_report_intern(c->r, &c->series, name, FL_REPORT_MAX_SERIES);
	if (i == UINT32_MAX)
		return 0;
	if (i < c->colour.n)
		return i;
	uint32_t colour = colour_of(c, name);
	uint32_t *at = fl_report_push(c->r, &c->colour, sizeof(*at), SIZE_MAX);
	double *last = fl_report_push(c->r, &c->last, sizeof(*last), SIZE_MAX);
	if (!at || !last)
		return 0;
	*at = colour;
	*last = -HUGE_VAL;
	return i;
}

static bool is_series(struct fl_report_chart *c, uint32_t series)
{
	if (series >= c->colour.n)
		fl_report_fail(
			c->r, FL_EINVAL, "chart \"%s\" has no series %u", c->spec.name, series);
	return fl_report_good(c->r);
}

static void add(struct fl_report_chart *c, struct fl_report_datum datum)
{
	struct fl_report_datum *at =
		fl_report_push(c->r, &c->data, sizeof(*at), FL_REPORT_MAX_POINTS);

	if (at)
		*at = datum;
}

void fl_report_label(struct fl_report_chart *c, struct fl_slice label)
{
	if (!is(c, 1u << FL_REPORT_BARS))
		return;
	struct fl_slice copy = fl_report_copy(c->r, label);
	struct fl_report_group *at =
		fl_report_push(c->r, &c->groups, sizeof(*at), FL_REPORT_MAX_POINTS);
	if (at)
		*at = (struct fl_report_group){.label = copy, .target = -1};
}

static bool has_label(struct fl_report_chart *c)
{
	if (c->groups.n == 0)
		fl_report_fail(c->r, FL_EINVAL, "chart \"%s\" has no label yet", c->spec.name);
	return fl_report_good(c->r);
}

void fl_report_value(struct fl_report_chart *c, uint32_t series, double value)
{
	if (is(c, 1u << FL_REPORT_BARS) && is_series(c, series) && has_label(c) &&
		is_quantity(c, value))
		add(c, (struct fl_report_datum){.a = (uint32_t)c->groups.n - 1,
			       .b = series,
			       .y = flushed(value)});
}

void fl_report_target(struct fl_report_chart *c, double value)
{
	if (is(c, 1u << FL_REPORT_BARS) && has_label(c) && is_quantity(c, value))
		FL_REPORT_AT(c->groups, struct fl_report_group, c->groups.n - 1).target =
			flushed(value);
}

void fl_report_point(struct fl_report_chart *c, uint32_t series, double x, double y)
{
	if (!is(c, 1u << FL_REPORT_LINES) || !is_series(c, series) || !is_quantity(c, y))
		return;
	x = flushed(x);
	y = flushed(y);
	double *last = &FL_REPORT_AT(c->last, double, series);
	if (!(fabs(x) <= FL_REPORT_MAX_VALUE) || x < *last)
		fl_report_fail(c->r, FL_EINVAL, "chart \"%s\": x must be finite and not fall",
			c->spec.name);
	else if ((c->spec.x.log && x <= 0) || (c->spec.y.log && y <= 0))
		fl_report_fail(c->r, FL_EINVAL,
			"chart \"%s\": a logarithmic axis has no place for 0", c->spec.name);
	else
		*last = x;
	add(c, (struct fl_report_datum){.b = series, .x = x, .y = y});
}

void fl_report_reference(struct fl_report_chart *c, double value, const char *words)
{
	if (!is(c, 1u << FL_REPORT_BARS | 1u << FL_REPORT_LINES) || !is_quantity(c, value))
		return;
	value = flushed(value);
	if (c->spec.y.log && value <= 0)
		fl_report_fail(c->r, FL_EINVAL,
			"chart \"%s\": a logarithmic axis has no place for 0", c->spec.name);
	c->reference_words = fl_report_string(c->r, words);
	c->reference = value;
}

void fl_report_flow(
	struct fl_report_chart *c, struct fl_slice from, struct fl_slice to, double value)
{
	if (!is(c, 1u << FL_REPORT_FLOWS) || !is_quantity(c, value))
		return;
	uint32_t a = fl_report_series(c, from), b = fl_report_series(c, to);
	add(c, (struct fl_report_datum){.a = a, .b = b, .y = flushed(value)});
}

void fl_report_ring_point(struct fl_report_chart *c, uint64_t position, uint32_t node)
{
	if (is(c, 1u << FL_REPORT_RING) && is_series(c, node))
		add(c, (struct fl_report_datum){.b = node, .at = position});
}

void fl_report_mark(struct fl_report_chart *c, uint64_t position, struct fl_slice label)
{
	if (!is(c, 1u << FL_REPORT_RING | 1u << FL_REPORT_ROWS))
		return;
	struct fl_slice copy = fl_report_copy(c->r, label);
	struct fl_report_pin *at =
		fl_report_push(c->r, &c->marks, sizeof(*at), FL_REPORT_MAX_MARKS);
	if (at)
		*at = (struct fl_report_pin){.at = position, .label = copy};
}

void fl_report_row(struct fl_report_chart *c, uint32_t node)
{
	if (is(c, 1u << FL_REPORT_ROWS) && (node == FL_NONE || is_series(c, node)))
		add(c, (struct fl_report_datum){.b = node});
}
