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
 * Cost: a lookup waits for one line of the cache (points.c); a change copies the old circle and
 * merges the changed nodes' points (points_merge.c); 12 bytes a point and 6.4 to 12.8 for the
 * lines. Balance: a node's share varies by about 1/sqrt(points * weight) of itself: peak about
 * 1.3 at 100 nodes with 160 points. */
#include "place/place.h"

#include "place/node_points.h"

enum {
	OPTION_POINTS,
	OPTION_SEED
};

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	return fl_points_owner(p->state, hash);
}

#define AHEAD 16 /* lookups under way at a time */

/* What a lookup waits for is its line. Those of a group are fetched before any is looked at, so
 * that the waits overlap. */
static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	const struct fl_points *r = p->state;
	for (size_t from = 0; from < count; from += AHEAD) {
		size_t n = count - from < AHEAD ? count - from : AHEAD;
		const uint64_t *hash = hashes + from;
		for (size_t i = 0; i < n; i++)
			__builtin_prefetch(fl_points_line(r, hash[i]));
		for (size_t i = 0; i < n; i++)
			slots[from + i] = fl_points_owner(r, hash[i]);
	}
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	int rc = fl_node_points_build(p, p->options[OPTION_POINTS], err);
	if (rc == FL_OK)
		p->lookup = lookup;
	return rc;
}

static int derive(struct fl_placement *p, const struct fl_placement *old, struct fl_error *err)
{
	int rc = fl_node_points_derive(p, old, p->options[OPTION_POINTS], err);
	if (rc == FL_OK)
		p->lookup = lookup;
	return rc;
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

const struct fl_algorithm fl_algorithm_ring = {
	.info = {"ring", "Points on a circle; a key belongs to the first point clockwise.",
		"points=160,seed=0",
		FL_BY_HASH | FL_SECRET | FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT |
			FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{"points", 160, 1, 65535, FL_ANY_NUMBER, NULL},
		{"seed", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL}},
	.seed = OPTION_SEED,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_XXH3,
	.build = build,
	.derive = derive,
	.free = fl_node_points_free,
	.pick = pick,
	.owners = owners,
	.batch = batch,
	.arc = arc,
	.part = FL_PART_POINT,
	.memory = fl_node_points_memory,
};
