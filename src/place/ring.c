/* ring: consistent hashing on a circle (Karger et al. 1997), with points by weight.
 *
 * Each node has points * weight points, a keyless mix of its name's hash and the point's number,
 * so a node's points depend on nothing but itself, and a node of twice the weight has the same
 * points and as many more. A key belongs to the first point at or after its hash, wrapping at
 * the end. Points at one position are in the order of their nodes' names, and the first has it.
 *
 * Moves: a new point takes keys only from the point after it and a removed one gives them to it:
 * only a changed node's own keys, on adding, removing and reweighting. No order, no history.
 * Masking steps over the masked nodes' points: the same as a ring without them.
 *
 * Cost: lookup O(1) expected (points.c); one change by merging, O(points) with a small constant;
 * 12 bytes a point and about 16 for the index. Balance: a node's share varies by about
 * 1/sqrt(points * weight) of itself: peak about 1.3 at 100 nodes with 160 points. */
#include "place/place.h"

#include "base/error.h"
#include "hash/mix.h"
#include "hash/salt.h"
#include "place/points.h"

#include <stdlib.h>

enum {
	OPTION_POINTS,
	OPTION_SEED
};

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	const struct fl_points *r = p->state;
	uint32_t i = r->index[hash >> r->shift];
	while (r->at[i] < hash)
		i++;
	return r->slot[i];
}

static int check(const struct fl_placement *p, struct fl_error *err)
{
	uint64_t each = p->options[OPTION_POINTS];
	if (p->weight * each > FL_MAX_POINTS)
		return fl_error_set(err, FL_ELIMIT,
			"a sum of weights of %llu and %llu points each make more than %u "
			"points; "
			"use smaller weights or fewer points",
			(unsigned long long)p->weight, (unsigned long long)each, FL_MAX_POINTS);
	return FL_OK;
}

static size_t put_points(const struct fl_placement *p, uint32_t rank, struct fl_point *to)
{
	const struct fl_node *node = &p->nodes[rank];
	uint64_t base = fl_mix64(p->hashes[rank] ^ FL_SALT_POINT);
	size_t n = (size_t)node->weight * p->options[OPTION_POINTS];
	for (size_t i = 0; i < n; i++)
		to[i] = (struct fl_point){fl_mix64(base + i * FL_WEYL), node->slot};
	return n;
}

/* The points of the nodes that are chosen (by rank; NULL: all), sorted. count may be 0. */
static int chosen_points(
	struct fl_points *out, const struct fl_placement *p, const bool *chosen, size_t *count)
{
	struct fl_point *list;
	size_t weight = 0, n = 0;
	int rc = FL_OK;
	for (uint32_t r = 0; r < p->count; r++)
		weight += !chosen || chosen[r] ? (size_t)p->nodes[r].weight : 0;
	*count = weight * p->options[OPTION_POINTS];
	if (*count == 0)
		return FL_OK;
	list = malloc(*count * sizeof(*list));
	if (!list)
		return FL_ENOMEM;
	for (uint32_t r = 0; r < p->count; r++) {
		if (!chosen || chosen[r])
			n += put_points(p, r, list + n);
	}
	rc = fl_points_sort(out, list, n);
	free(list);
	return rc;
}

static int adopt(struct fl_placement *p, const struct fl_points *points)
{
	struct fl_points *r = malloc(sizeof(*r));
	if (!r)
		return FL_ENOMEM;
	*r = *points;
	p->state = r;
	p->lookup = lookup;
	return FL_OK;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	struct fl_points points;
	size_t count;
	int rc = check(p, err);
	if (rc == FL_OK)
		rc = chosen_points(&points, p, NULL, &count);
	if (rc != FL_OK)
		return rc;
	rc = adopt(p, &points);
	if (rc != FL_OK)
		fl_points_fini(&points);
	return rc;
}

/* What stays as it is: neither dropped from the old ring nor generated for the new one. */
static void find_changes(const struct fl_placement *p, const struct fl_placement *old,
	bool *dropped, bool *chosen)
{
	for (uint32_t slot = 0; slot < old->slots; slot++)
		dropped[slot] = true;
	for (uint32_t r = 0; r < p->count; r++) {
		uint32_t slot = p->nodes[r].slot;
		bool same = fl_place_kept(p, old, slot) &&
		            fl_place_at(old, slot)->weight == p->nodes[r].weight;
		chosen[r] = !same;
		if (same)
			dropped[slot] = false;
	}
}

static int merge(struct fl_placement *p, const struct fl_placement *old, const bool *dropped,
	const bool *chosen)
{
	struct fl_points added, points;
	size_t count;
	int rc = chosen_points(&added, p, chosen, &count);
	if (rc != FL_OK)
		return rc;
	rc = fl_points_merge(&points, old->state, dropped, count ? &added : NULL, p->ranks);
	if (count)
		fl_points_fini(&added);
	if (rc != FL_OK)
		return rc;
	rc = adopt(p, &points);
	if (rc != FL_OK)
		fl_points_fini(&points);
	return rc;
}

static int derive(struct fl_placement *p, const struct fl_placement *old, struct fl_error *err)
{
	int rc = check(p, err);
	bool *flags;
	if (rc != FL_OK)
		return rc;
	flags = malloc((size_t)old->slots + p->count);
	if (!flags)
		return FL_ENOMEM;
	find_changes(p, old, flags, flags + old->slots);
	rc = merge(p, old, flags, flags + old->slots);
	free(flags);
	return rc;
}

static void release(struct fl_placement *p)
{
	fl_points_fini(p->state);
	free(p->state);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	return fl_points_pick(p->state, key->hash, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	return fl_points_owners(p->state, key->hash, mask, p->slots, slots, k);
}

static bool arc(const struct fl_placement *p, size_t i, struct fl_arc *out)
{
	return fl_points_arc(p->state, i, out);
}

static size_t memory(const struct fl_placement *p)
{
	return sizeof(struct fl_points) + ((const struct fl_points *)p->state)->bytes;
}

const struct fl_algorithm fl_algorithm_ring = {
	.info = {"ring", "Points on a circle; a key belongs to the first point clockwise.",
		"points=160,seed=0",
		FL_BY_HASH | FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT | FL_WEIGHTS |
			FL_ORDER_FREE | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{"points", 160, 1, 65535, FL_ANY_NUMBER, NULL},
		{"seed", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL}},
	.seed = OPTION_SEED,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_XXH3,
	.build = build,
	.derive = derive,
	.free = release,
	.pick = pick,
	.owners = owners,
	.arc = arc,
	.memory = memory,
};
