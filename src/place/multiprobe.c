/* multiprobe: multi-probe consistent hashing (Appleton & O'Reilly 2015).
 *
 * Every node has one point on the circle for each unit of weight, those of a ring with one point
 * (node_points.c). A key has not one position but `probes`, each a mix of its hash and the
 * probe's number. Each probe has a nearest point clockwise, and the key belongs to the node whose
 * point is the nearest of them all; of two at one distance, to the first by name.
 *
 * Why it is even with so few points: a node with a long arc gets more probes, but from farther
 * away, and only the shortest distance counts. With 21 probes the peak is about 1.05 of the
 * average from a thousand points on (k / (k - 1) for k probes), 1.08 at a hundred and 1.2 at ten.
 *
 * Weights by points, because all points are alike: over all placements of points each is as
 * likely to be the nearest, so a node's expected share is weight / sum of weights. (The paper has
 * equal nodes only.)
 *
 * Invariant: every (probe, point) pair has a distance that depends on nothing but the two, and
 * the owner is the node of the least. So a new point takes keys from any node but gives none to
 * others, and a removed one leaves them to the next nearest: only a changed node's own keys move,
 * on adding, removing and reweighting. No order, no history. Masking steps every probe over the
 * masked nodes' points, which leaves the least over the rest: exact. Further owners are those
 * that the mask would give one after the other.
 *
 * Movement between placements is sampled, because no arc or row belongs to a node; but shares
 * are known exactly (over independent probes), see `measure`.
 *
 * Cost: `probes` searches of the circle (points.c), independent of each other. (Keeping the least
 * without branches was tried both ways: slower.) Memory and changes as ring's. */
#include "place/place.h"

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/attempts.h"
#include "place/node_points.h"

#include <stdlib.h>
#include <string.h>

enum {
	OPTION_PROBES,
	OPTION_SEED
};

#define MOST_PROBES 64

/* The best so far. */
struct nearest {
	uint64_t distance;
	uint32_t slot; /* FL_NONE: nothing yet */
};

static inline uint64_t probe_at(uint64_t hash, uint64_t number)
{
	return fl_mix64(hash + number * FL_SALT_PROBE);
}

static inline uint32_t first_point(const struct fl_points *r, uint64_t position)
{
	uint32_t i = fl_points_find(r, position);
	return i == r->count ? 0 : i;
}

static inline void consider(
	struct nearest *best, const struct fl_placement *p, uint64_t distance, uint32_t slot)
{
	if (distance > best->distance)
		return;
	if (distance == best->distance && best->slot != FL_NONE &&
		p->ranks[best->slot] <= p->ranks[slot])
		return;
	*best = (struct nearest){distance, slot};
}

/* All points are found before any two are compared: that is a branch which chance decides, and a
 * wrong guess would otherwise wait for a whole search. */
static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	const struct fl_points *r = p->state;
	struct nearest best = {UINT64_MAX, FL_NONE};
	uint64_t probes = p->options[OPTION_PROBES], distance[MOST_PROBES];
	uint32_t point[MOST_PROBES];
	for (uint64_t n = 0; n < probes; n++) {
		uint64_t at = probe_at(hash, n);
		point[n] = first_point(r, at);
		distance[n] = r->at[point[n]] - at;
	}
	for (uint64_t n = 0; n < probes; n++)
		consider(&best, p, distance[n], r->slot[point[n]]);
	return best.slot;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	int rc = fl_node_points_build(p, 1, err);
	if (rc == FL_OK)
		p->lookup = lookup;
	return rc;
}

static int derive(struct fl_placement *p, const struct fl_placement *old, struct fl_error *err)
{
	int rc = fl_node_points_derive(p, old, 1, err);
	if (rc == FL_OK)
		p->lookup = lookup;
	return rc;
}

/* ---- further owners: every probe walks clockwise over who is excluded ---- */

struct walker {
	uint64_t at;
	uint32_t i, seen; /* its point, and how many points it has passed */
};

struct excluded {
	const struct fl_mask *mask;
	const uint32_t *slots; /* the owners that were found */
	size_t count;
	uint64_t *bits; /* the same by slot, or NULL: then they are few */
};

static bool is_excluded(const struct excluded *e, uint32_t slot)
{
	if (fl_masked(e->mask, slot))
		return true;
	if (e->bits)
		return e->bits[slot / 64] >> (slot % 64) & 1;
	return fl_owners_have(e->slots, e->count, slot);
}

static size_t start_walkers(
	const struct fl_placement *p, uint64_t hash, struct walker walkers[MOST_PROBES])
{
	size_t count = p->options[OPTION_PROBES];
	for (size_t n = 0; n < count; n++) {
		uint64_t at = probe_at(hash, n);
		walkers[n] = (struct walker){at, first_point(p->state, at), 0};
	}
	return count;
}

/* The next owner, or FL_NONE. */
static uint32_t next_owner(const struct fl_placement *p, struct walker *walkers, size_t count,
	const struct excluded *e)
{
	const struct fl_points *r = p->state;
	struct nearest best = {UINT64_MAX, FL_NONE};
	for (size_t n = 0; n < count; n++) {
		struct walker *w = &walkers[n];
		while (w->seen < r->count && is_excluded(e, r->slot[w->i])) {
			w->i = w->i + 1 == r->count ? 0 : w->i + 1;
			w->seen++;
		}
		/* All have been passed: so it is for the other probes. */
		if (w->seen == r->count)
			return FL_NONE;
		consider(&best, p, r->at[w->i] - w->at, r->slot[w->i]);
	}
	return best.slot;
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	struct walker walkers[MOST_PROBES];
	struct excluded e = {mask, NULL, 0, NULL};
	size_t count = start_walkers(p, key->hash, walkers);
	return next_owner(p, walkers, count, &e);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	struct walker walkers[MOST_PROBES];
	struct excluded e = {mask, slots, 0, NULL};
	size_t count = start_walkers(p, key->hash, walkers);
	if (k > 64 && !(e.bits = calloc(p->slots / 64 + 1, sizeof(*e.bits))))
		return FL_ENOMEM;
	while (e.count < k) {
		uint32_t slot = next_owner(p, walkers, count, &e);
		if (slot == FL_NONE)
			break;
		slots[e.count++] = slot;
		if (e.bits)
			e.bits[slot / 64] |= (uint64_t)1 << (slot % 64);
	}
	free(e.bits);
	return (int)e.count;
}

/* ---- shares ---- */

struct length {
	double length; /* of the arc that ends at a point, whole circle 1 */
	uint32_t slot;
};

static int by_length(const void *a, const void *b)
{
	const struct length *x = a, *y = b;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static double power(double x, uint64_t k)
{
	double y = 1;
	for (; k > 0; k--)
		y *= x;
	return y;
}

/* A probe is farther than d from its point with chance S(d) = sum of max(0, length - d) over all
 * arcs; the least of k is with S(d)^k. While d grows from one arc's length to the next longer
 * one's, S falls in a line, and the drop of S^k belongs in equal parts to the arcs that are
 * longer. */
static void add_by_length(
	const struct length *list, uint32_t count, uint64_t probes, double *shares)
{
	double from = 0, beyond = 1, whole = 1, each = 0;
	for (uint32_t i = 0; i < count; i++) {
		double longer = count - i;
		beyond -= longer * (list[i].length - from);
		from = list[i].length;
		double left = i + 1 == count || beyond < 0 ? 0 : power(beyond, probes);
		each += (whole - left) / longer;
		whole = left;
		shares[list[i].slot] += each;
	}
}

static int measure(const struct fl_placement *p, double *shares)
{
	const struct fl_points *r = p->state;
	struct length *list = malloc(r->count * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	for (uint32_t i = 0; i < r->count; i++) {
		uint64_t before = r->at[i ? i - 1 : r->count - 1];
		list[i] = (struct length){(double)(r->at[i] - before) * 0x1p-64, r->slot[i]};
	}
	if (r->count == 1)
		list[0].length = 1;
	qsort(list, r->count, sizeof(*list), by_length);
	add_by_length(list, r->count, p->options[OPTION_PROBES], shares);
	free(list);
	return FL_OK;
}

const struct fl_algorithm fl_algorithm_multiprobe = {
	.info = {"multiprobe", "Many probes a key, few points a node: the nearest point wins.",
		"probes=21,seed=0",
		FL_BY_HASH | FL_SECRET | FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT |
			FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE},
	.options = {{"probes", 21, 1, MOST_PROBES, FL_ANY_NUMBER, NULL},
		{"seed", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL}},
	.seed = OPTION_SEED,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_XXH3,
	.build = build,
	.derive = derive,
	.free = fl_node_points_free,
	.pick = pick,
	.owners = owners,
	.measure = measure,
	.memory = fl_node_points_memory,
};
