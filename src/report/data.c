#include "report/data.h"

#include <math.h>
#include <stdlib.h>

static const struct fl_report_datum *datum(const struct fl_report_chart *c, size_t i)
{
	return &FL_REPORT_AT(c->data, struct fl_report_datum, i);
}

/* ---- bars ---- */

struct total {
	double value;
	uint32_t group;
};

static int by_value(const void *pa, const void *pb)
{
	const struct total *a = pa, *b = pb;

	if (a->value != b->value)
		return a->value > b->value ? -1 : 1;
	return (a->group > b->group) - (a->group < b->group);
}

/* What a group is sorted by, and what it needs of the axis. */
static struct total *totals(const struct fl_report_chart *c)
{
	struct total *t = calloc(c->groups.n + 1, sizeof(*t));

	for (size_t i = 0; t && i < c->groups.n; i++)
		t[i].group = (uint32_t)i;
	for (size_t i = 0; t && i < c->data.n; i++) {
		const struct fl_report_datum *d = datum(c, i);
		double *value = &t[d->a].value;
		*value = c->spec.stacked ? *value + d->y : fmax(*value, d->y);
	}
	return t;
}

static void choose(struct fl_report_drawn *d, const struct fl_report_chart *c, struct total *t,
	size_t most)
{
	size_t n = c->groups.n;

	d->groups = n < most ? n : most;
	d->more = n - d->groups;
	d->gap = d->groups;
	if (d->more) {
		qsort(t, n, sizeof(*t), by_value);
		d->gap -= c->spec.stacked ? 0 : d->groups / 4;
		d->more_most = t[d->gap].value;
		d->more_least = t[d->gap + d->more - 1].value;
	}
	for (size_t i = 0; i < d->groups; i++) {
		const struct total *from = &t[i < d->gap ? i : i + d->more];
		d->group[i] = from->group;
		d->sum[i] = from->value;
		d->most = fmax(
			d->most, fmax(from->value, fl_report_group_at(c, from->group)->target));
	}
}

static void fill(struct fl_report_drawn *d, const struct fl_report_chart *c, uint32_t *row)
{
	for (size_t i = 0; i < c->groups.n; i++)
		row[i] = UINT32_MAX;
	for (uint32_t i = 0; i < d->groups; i++) {
		row[d->group[i]] = i;
		for (size_t k = 0; k < d->series; k++)
			d->value[i][k] = -1;
	}
	for (size_t i = 0; i < c->data.n; i++) {
		const struct fl_report_datum *at = datum(c, i);
		if (row[at->a] != UINT32_MAX && at->b < d->series)
			d->value[row[at->a]][at->b] = at->y;
	}
}

int fl_report_drawn(struct fl_report_drawn *d, const struct fl_report_chart *c, size_t most)
{
	size_t series = c->series.list.n;
	struct total *t = totals(c);
	uint32_t *row = calloc(c->groups.n + 1, sizeof(*row));
	int status = t && row ? 0 : -1;

	*d = (struct fl_report_drawn){0};
	d->series = series < FL_REPORT_MOST_BARS ? series : FL_REPORT_MOST_BARS;
	d->more_series = series - d->series;
	if (status == 0) {
		choose(d, c, t, most);
		d->most = fmax(d->most, c->reference);
		fill(d, c, row);
	}
	free(t);
	free(row);
	return status;
}

/* ---- flows ---- */

static int by_pair(const void *pa, const void *pb)
{
	const struct fl_report_datum *a = pa, *b = pb;

	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return (a->b > b->b) - (a->b < b->b);
}

static int by_amount(const void *pa, const void *pb)
{
	const struct fl_report_datum *a = pa, *b = pb;

	if (a->y != b->y)
		return a->y > b->y ? -1 : 1;
	return by_pair(a, b);
}

static void merge(struct fl_report_moves *m)
{
	size_t n = 0;

	qsort(m->p, m->n, sizeof(*m->p), by_pair);
	for (size_t i = 0; i < m->n; i++) {
		m->sum += m->p[i].y;
		m->out[m->p[i].a] += m->p[i].y;
		m->in[m->p[i].b] += m->p[i].y;
		if (n && by_pair(&m->p[n - 1], &m->p[i]) == 0)
			m->p[n - 1].y += m->p[i].y;
		else if (m->p[i].y > 0)
			m->p[n++] = m->p[i];
	}
	m->n = n;
	qsort(m->p, m->n, sizeof(*m->p), by_amount);
}

int fl_report_moves(struct fl_report_moves *m, const struct fl_report_chart *c)
{
	size_t nodes = c->series.list.n;

	*m = (struct fl_report_moves){.n = c->data.n};
	m->p = calloc(m->n + 1, sizeof(*m->p));
	m->out = calloc(nodes + 1, sizeof(*m->out));
	m->in = calloc(nodes + 1, sizeof(*m->in));
	if (!m->p || !m->out || !m->in) {
		fl_report_moves_fini(m);
		return -1;
	}
	if (m->n)
		memcpy(m->p, c->data.p, m->n * sizeof(*m->p));
	merge(m);
	return 0;
}

void fl_report_moves_fini(struct fl_report_moves *m)
{
	free(m->p);
	free(m->out);
	free(m->in);
	*m = (struct fl_report_moves){0};
}

/* ---- ring and rows ---- */

double fl_report_turn(const struct fl_report_chart *c, uint64_t at)
{
	if (c->kind == FL_REPORT_RING)
		return (double)at * 0x1p-64;
	return c->data.n && at < c->data.n ? ((double)at + 0.5) / (double)c->data.n : 1;
}

static int by_position(const void *pa, const void *pb)
{
	const struct fl_report_datum *a = pa, *b = pb;

	return (a->at > b->at) - (a->at < b->at);
}

static void add_arc(struct fl_report_owners *o, double from, double to, uint32_t node)
{
	if (to <= from)
		return;
	if (node != FL_NONE)
		o->share[node] += to - from;
	if (o->n && o->arcs[o->n - 1].node == node)
		o->arcs[o->n - 1].to = to;
	else
		o->arcs[o->n++] = (struct fl_report_arc){from, to, node};
}

/* A point owns what leads up to it; the first also what is left after the last. */
static int ring_arcs(struct fl_report_owners *o, const struct fl_report_chart *c)
{
	size_t n = c->data.n;
	struct fl_report_datum *points = calloc(n + 1, sizeof(*points));
	double from = 0;

	if (!points)
		return -1;
	if (n)
		memcpy(points, c->data.p, n * sizeof(*points));
	qsort(points, n, sizeof(*points), by_position);
	for (size_t i = 0; i < n; i++) {
		double to = (double)points[i].at * 0x1p-64;
		add_arc(o, from, to, points[i].b);
		from = fmax(from, to);
	}
	if (n)
		add_arc(o, from, 1, points[0].b);
	free(points);
	return 0;
}

static void row_arcs(struct fl_report_owners *o, const struct fl_report_chart *c)
{
	double n = (double)c->data.n;

	for (size_t i = 0; i < c->data.n; i++)
		add_arc(o, (double)i / n, (double)(i + 1) / n, datum(c, i)->b);
}

static void rank(struct fl_report_owners *o, size_t nodes, struct total *t)
{
	for (size_t i = 0; i < nodes; i++)
		t[i] = (struct total){o->share[i], (uint32_t)i};
	qsort(t, nodes, sizeof(*t), by_value);
	for (size_t i = 0; i < nodes; i++) {
		o->rank[i] = t[i].group;
		o->place[t[i].group] = (uint32_t)i;
	}
}

int fl_report_owners(struct fl_report_owners *o, const struct fl_report_chart *c)
{
	size_t nodes = c->series.list.n;
	struct total *t = calloc(nodes + 1, sizeof(*t));

	*o = (struct fl_report_owners){0};
	o->arcs = calloc(c->data.n + 2, sizeof(*o->arcs));
	o->share = calloc(nodes + 1, sizeof(*o->share));
	o->rank = calloc(nodes + 1, sizeof(*o->rank));
	o->place = calloc(nodes + 1, sizeof(*o->place));
	if (!t || !o->arcs || !o->share || !o->rank || !o->place ||
		(c->kind == FL_REPORT_RING && ring_arcs(o, c) < 0)) {
		free(t);
		fl_report_owners_fini(o);
		return -1;
	}
	if (c->kind == FL_REPORT_ROWS)
		row_arcs(o, c);
	rank(o, nodes, t);
	free(t);
	return 0;
}

void fl_report_owners_fini(struct fl_report_owners *o)
{
	free(o->arcs);
	free(o->share);
	free(o->rank);
	free(o->place);
	*o = (struct fl_report_owners){0};
}

/* Arcs are as long as they like and a node may have several here, but those few that matter for
 * a picture are the longest. */
uint32_t fl_report_owner_of(
	const struct fl_report_owners *o, double from, double to, size_t *at)
{
	uint32_t best = FL_NONE;
	double most = 0;

	while (*at + 1 < o->n && o->arcs[*at].to <= from)
		++*at;
	for (size_t i = *at; i < o->n && o->arcs[i].from < to; i++) {
		double part = fmin(to, o->arcs[i].to) - fmax(from, o->arcs[i].from);
		if (part > most) {
			most = part;
			best = o->arcs[i].node;
		}
	}
	return best;
}

uint32_t fl_report_owner_at(const struct fl_report_owners *o, double turn)
{
	size_t low = 0, high = o->n;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		/* A point owns what leads up to it, its own place included. */
		if (o->arcs[middle].from < turn)
			low = middle;
		else
			high = middle;
	}
	return o->n ? o->arcs[low].node : FL_NONE;
}

uint32_t fl_report_owner_in(const struct fl_report_owners *o, const struct fl_report_chart *c,
	size_t cell, size_t cells)
{
	for (size_t i = 0; i < c->marks.n; i++) {
		double turn =
			fl_report_turn(c, FL_REPORT_AT(c->marks, struct fl_report_pin, i).at);
		if ((size_t)(turn * (double)cells) == cell)
			return fl_report_owner_at(o, turn);
	}
	return fl_report_owner_at(o, ((double)cell + 0.5) / (double)cells);
}

/* ---- lines ---- */

bool fl_report_extent(struct fl_report_extent *e, const struct fl_report_chart *c)
{
	*e = (struct fl_report_extent){HUGE_VAL, -HUGE_VAL, HUGE_VAL, 0};
	for (size_t i = 0; i < c->data.n; i++) {
		e->left = fmin(e->left, datum(c, i)->x);
		e->right = fmax(e->right, datum(c, i)->x);
		e->low = fmin(e->low, datum(c, i)->y);
		e->high = fmax(e->high, datum(c, i)->y);
	}
	if (c->reference >= 0 && c->data.n) {
		e->low = fmin(e->low, c->reference);
		e->high = fmax(e->high, c->reference);
	}
	if (!c->spec.y.log && !c->spec.y.tight)
		e->low = 0;
	return c->data.n > 0;
}
