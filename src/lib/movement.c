/* Shares and movement, from counts of keys by owner before and after.
 *
 * "Moved" and "least" come from the same counts, so that a scheme which moves nothing beyond the
 * necessary shows exactly that, sampled or not. Nobody (no owner) counts as one more place that
 * keys can be at. */
#include "fairlead/fairlead.h"

#include "base/error.h"
#include "lib/interval.h"
#include "lib/keyspace.h"
#include "place/place.h"

#include <stdlib.h>
#include <string.h>

/* ---- shares ---- */

static int count_shares(const struct fl_placement *p, size_t samples, double *shares)
{
	struct fl_flows flows = {0};
	bool exact = fl_keyspace_exact(p, p);
	int rc = exact ? fl_keyspace_walk(p, p, &flows)
	               : fl_keyspace_sample(p, p, samples, &flows);
	double scale = exact ? 1.0 : 0x1p64 / (double)samples;
	for (size_t i = 0; rc == FL_OK && i < flows.size; i++) {
		const struct fl_flow_count *c = &flows.cells[i];
		double share = fl_keys_share(c->keys) * scale;
		if (share > 0 && c->from != FL_NONE)
			shares[c->from] = share;
	}
	fl_flows_fini(&flows);
	return rc;
}

int fl_shares(const fl_placement *p, size_t samples, double *shares)
{
	double *mine = calloc(p->slots + 1, sizeof(*mine));
	int rc = FL_OK;
	if (!mine)
		return FL_ENOMEM;
	if (p->state && p->algorithm->shares)
		p->algorithm->shares(p, mine);
	else if (p->state && p->algorithm->measure)
		rc = p->algorithm->measure(p, mine);
	else if (p->state)
		rc = count_shares(p, samples ? samples : FL_SAMPLES, mine);
	if (rc == FL_OK)
		memcpy(shares, mine, p->slots * sizeof(*mine));
	free(mine);
	return rc;
}

/* ---- movement ---- */

static const char *name_at(const struct fl_placement *p, uint32_t slot)
{
	const struct fl_node *node = fl_place_at(p, slot);
	return node ? node->name : NULL;
}

static int compare_names(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int by_share(const void *a, const void *b)
{
	const struct fl_flow *x = a, *y = b;
	int order;
	if (x->share != y->share)
		return x->share > y->share ? -1 : 1;
	order = compare_names(x->from, y->from);
	return order ? order : compare_names(x->to, y->to);
}

/* Half the sum of |change| over names, given each flow between different names. */
static int least_of(struct fl_movement *m, const struct fl_placement *before,
	const struct fl_placement *after, const struct fl_flow_count *counts, double scale)
{
	size_t nodes = (size_t)before->slots + after->slots + 1;
	double *change = calloc(nodes, sizeof(*change)), sum = 0;
	if (!change)
		return FL_ENOMEM;
	/* One cell a name: its slot in `before` if it has one, else behind those; then nobody. */
	for (size_t i = 0; i < m->count; i++) {
		uint32_t from = counts[i].from, to = counts[i].to;
		double share = fl_keys_share(counts[i].keys) * scale;
		size_t a = from == FL_NONE ? nodes - 1 : from, b = nodes - 1;
		if (to != FL_NONE) {
			uint32_t was = fl_place_find(before, name_at(after, to));
			b = was == FL_NONE ? (size_t)before->slots + to : was;
		}
		change[a] -= share;
		change[b] += share;
	}
	for (size_t i = 0; i < nodes; i++)
		sum += change[i] < 0 ? -change[i] : change[i];
	m->least = sum / 2;
	free(change);
	return FL_OK;
}

/* Moves the flows between different names to the front of the cells; gives their number. */
static size_t select_moves(struct fl_flows *flows, const struct fl_placement *before,
	const struct fl_placement *after)
{
	size_t n = 0;
	for (size_t i = 0; i < flows->size; i++) {
		struct fl_flow_count c = flows->cells[i];
		if (c.keys.low == 0 && c.keys.high == 0)
			continue;
		if (compare_names(name_at(before, c.from), name_at(after, c.to)) != 0)
			flows->cells[n++] = c;
	}
	return n;
}

static int report(struct fl_movement *m, struct fl_flows *flows,
	const struct fl_placement *before, const struct fl_placement *after, double scale)
{
	struct fl_keys moved = {0, 0};
	m->count = select_moves(flows, before, after);
	m->flows = calloc(m->count + 1, sizeof(*m->flows));
	if (!m->flows)
		return FL_ENOMEM;
	for (size_t i = 0; i < m->count; i++) {
		const struct fl_flow_count *c = &flows->cells[i];
		fl_keys_add(&moved, c->keys);
		m->flows[i] = (struct fl_flow){name_at(before, c->from), name_at(after, c->to),
			fl_keys_share(c->keys) * scale};
	}
	m->moved = fl_keys_share(moved) * scale;
	qsort(m->flows, m->count, sizeof(*m->flows), by_share);
	return least_of(m, before, after, flows->cells, scale);
}

static int measure(struct fl_movement *m, const struct fl_placement *before,
	const struct fl_placement *after, size_t samples)
{
	struct fl_flows flows = {0};
	double scale = 1.0;
	int rc;
	m->exact = fl_keyspace_exact(before, after);
	if (m->exact) {
		rc = fl_keyspace_walk(before, after, &flows);
	} else {
		rc = fl_keyspace_sample(before, after, samples, &flows);
		scale = 0x1p64 / (double)samples;
	}
	if (rc == FL_OK)
		rc = report(m, &flows, before, after, scale);
	if (rc == FL_OK && !m->exact)
		m->interval = fl_wilson_reach(m->moved, (double)samples);
	fl_flows_fini(&flows);
	return rc;
}

int fl_movement_new(struct fl_movement **out, const fl_placement *before,
	const fl_placement *after, size_t samples, struct fl_error *err)
{
	struct fl_movement *m = calloc(1, sizeof(*m));
	int rc = FL_ENOMEM;
	if (m)
		rc = measure(m, before, after, samples ? samples : FL_SAMPLES);
	if (rc != FL_OK) {
		fl_movement_free(m);
		return fl_error_set(err, rc, "no memory to compare two placements");
	}
	*out = m;
	return FL_OK;
}

void fl_movement_free(struct fl_movement *m)
{
	if (m)
		free(m->flows);
	free(m);
}
