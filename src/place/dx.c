/* dx: a pseudo-random sequence of slots until one is in use (Dong & Wang: DxHash, a scalable
 * consistent hash based on the pseudo-random sequence, 2021).
 *
 * There are `capacity` slots, given once. A key draws slots from a sequence of its own, evenly
 * over all slots, whether in use or not, and belongs to the first one that is in use. Draw i is
 * the mix of (hash + i * salt), so no draw waits for the one before it.
 *
 * Where n is small against the capacity that may take long; so after 64 draws without a hit, the
 * key belongs to the first node in its rendezvous order. This is not in the paper, and it keeps
 * the promises: the set of keys without a hit depends on which slots are in use alone, a slot
 * that goes sends its keys on along their sequence or to the rendezvous order, and one that
 * comes takes keys for itself and from nobody else. The chance of going there is
 * (1 - n/capacity)^64: 1e-8 at n = capacity/4, a half at capacity/93.
 *
 * Invariant: a function of the set of (name, slot) in use; each node has 1/n of the keys.
 * What moves: only the keys of the node that changes. Any node may come and go in any order;
 * history leaves no trace. The order nodes are given in matters only by the slots that nodes
 * without one of their own take from it. Another capacity is another mapping: doubling it keeps
 * a key only where its first hit stays the first, so give room to grow from the start.
 * Weights: 1, or 0 for a node that keeps its slot and owns nothing.
 *
 * Cost: capacity/n draws expected, at most 64 and then O(n), vectorised. 1 bit a slot is all
 * that draws read; 24 bytes a node for the last resort. Masks are exact and further owners come
 * from the same sequence: the next distinct slots in use. */
#include "place/place.h"

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/attempts.h"

#include <stdlib.h>

#define DRAWS 64

struct dx {
	uint64_t *used; /* a bit a slot */
	uint32_t capacity;
	struct fl_hrw rest;
};

static inline uint32_t draw(const struct dx *d, uint64_t hash, unsigned i)
{
	return (uint32_t)fl_mul_high(fl_mix64(hash + i * FL_SALT_DRAW), d->capacity);
}

static inline bool in_use(const struct dx *d, uint32_t slot)
{
	return d->used[slot / 64] >> (slot % 64) & 1;
}

/* The draws before number `i` did not hit. */
static inline uint32_t first_from(const struct dx *d, uint64_t hash, unsigned i)
{
	for (; i < DRAWS; i++) {
		uint32_t slot = draw(d, hash, i);
		if (in_use(d, slot))
			return slot;
	}
	return fl_hrw_first(&d->rest, hash);
}

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	return first_from(p->state, hash, 0);
}

#define SOME 256 /* keys that take turns */
#define FEW  8   /* so few left that turns do not pay */

/* All keys make their first draw, those without a hit their second, and so on. Whether a draw
 * hits nobody can foresee, so it is no branch here; one key alone waits for one about each time. */
static void take_turns(
	const struct fl_placement *p, const uint64_t *hashes, uint32_t count, uint32_t *slots)
{
	const struct dx *d = p->state;
	uint32_t list[SOME + 1], left = count;
	unsigned turn = 0;
	for (uint32_t i = 0; i < count; i++)
		list[i] = i;
	for (; turn < DRAWS && left >= FEW; turn++) {
		uint32_t kept = 0;
		for (uint32_t j = 0; j < left; j++) {
			uint32_t i = list[j], slot = draw(d, hashes[i], turn);
			slots[i] = slot;
			list[kept] = i;
			kept += !in_use(d, slot);
		}
		left = kept;
	}
	for (uint32_t j = 0; j < left; j++)
		slots[list[j]] = first_from(d, hashes[list[j]], turn);
}

static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	for (size_t i = 0; i < count; i += SOME)
		take_turns(p, hashes + i,
			count - i < SOME ? (uint32_t)(count - i) : (uint32_t)SOME, slots + i);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	struct dx *d = calloc(1, sizeof(*d));
	(void)err;
	if (d)
		d->used = calloc(p->capacity / 64 + 1, sizeof(*d->used));
	if (!d || !d->used || fl_hrw_init(&d->rest, p) != FL_OK) {
		free(d ? d->used : NULL);
		free(d);
		return FL_ENOMEM;
	}
	d->capacity = p->capacity;
	for (uint32_t i = 0; i < p->count; i++) {
		uint32_t slot = p->nodes[i].slot;
		if (p->nodes[i].weight > 0)
			d->used[slot / 64] |= (uint64_t)1 << (slot % 64);
	}
	p->state = d;
	p->lookup = lookup;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	struct dx *d = p->state;
	fl_hrw_fini(&d->rest);
	free(d->used);
	free(d);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct dx *d = p->state;
	for (unsigned i = 0; i < DRAWS; i++) {
		uint32_t slot = draw(d, key->hash, i);
		if (in_use(d, slot) && !fl_masked(mask, slot))
			return slot;
	}
	return fl_hrw_first_unmasked(&d->rest, key->hash, mask);
}

/* The distinct unmasked nodes of all draws, in order, at most k. */
static size_t draw_all(const struct dx *d, uint64_t hash, const struct fl_mask *mask,
	uint32_t *slots, size_t k)
{
	size_t have = 0;
	for (unsigned i = 0; i < DRAWS && have < k; i++) {
		uint32_t slot = draw(d, hash, i);
		if (in_use(d, slot) && !fl_masked(mask, slot) &&
			!fl_owners_have(slots, have, slot))
			slots[have++] = slot;
	}
	return have;
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct dx *d = p->state;
	uint32_t few[64], *rest = few;
	int found;
	if (k <= 64) {
		size_t have = draw_all(d, key->hash, mask, slots, k);
		if (have == k)
			return (int)k;
	} else if (!(rest = malloc(k * sizeof(*rest)))) {
		return FL_ENOMEM;
	}
	found = fl_hrw_order(&d->rest, key->hash, mask, rest, k);
	if (found >= 0) {
		/* Nothing can fail from here on, so nothing was touched if it did. */
		size_t have = draw_all(d, key->hash, mask, slots, k);
		found = (int)fl_owners_append(slots, have, k, rest, (size_t)found);
	}
	if (rest != few)
		free(rest);
	return found;
}

static size_t memory(const struct fl_placement *p)
{
	const struct dx *d = p->state;
	return sizeof(*d) + (d->capacity / 64 + 1) * sizeof(*d->used) + d->rest.bytes;
}

const struct fl_algorithm fl_algorithm_dx = {
	.info = {"dx",
		"DxHash: slots drawn at random until one is in use; any node may come and go.",
		"capacity=1024,seed=0",
		FL_BY_HASH | FL_SECRET | FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT |
			FL_HISTORY_FREE},
	.options = {{.name = "capacity", .def = 1024, .min = 1, .max = FL_MAX_NODES},
		{.name = "seed", .max = UINT64_MAX}},
	.seed = 1,
	.max_weight = 1,
	.key_hash = FL_KEY_XXH3,
	.by_slot = true,
	.numbered = true,
	.build = build,
	.free = release,
	.pick = pick,
	.owners = owners,
	.batch = batch,
	.shares = fl_place_even_shares,
	.memory = memory,
};
