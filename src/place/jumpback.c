/* jumpback: JumpBackHash (Ertl 2024), for shards numbered 0..n-1. Integers only.
 *
 * Call bucket b *active* for a key with chance 1 / (b + 1), independently; 0 always is. The key
 * belongs to the last active bucket below n: going from n to n + 1 moves exactly the keys for
 * which n is active. jump walks the active buckets upwards, jumpback downwards, in steps of whole
 * intervals [q, 2q), q = 2^r:
 *   - no bucket of an interval is active with chance q/(q+1) * ... * (2q-1)/2q = 1/2, so one bit
 *     an interval says whether there is any (bit r of u);
 *   - if there is, the last one is b with chance 1/(b+1) * (b+1)/2q, the same for all: it is
 *     uniform over the interval, r random bits;
 *   - below an active b, the next one is uniform over [0, b) if it is in the interval, and any
 *     value below q says that there is none. Draws from [0, 2q) until one is below b are that;
 *     and since only the first of them that is below n matters, b need not be remembered.
 * Only the topmost interval reaches to n or above it, so there only can more than one draw be
 * needed: at most 5/3 draws of 64 bits on average, the hash itself being the first.
 *
 * Of the hash, the two halves are xored for u, and then one half gives the bits of b. For the
 * next interval it is the other half, by turns (the number of ones left in u tells which): given
 * u, each half alone is uniform, and the bits of u that they share below r have not been looked
 * at. Further draws mix a Weyl sequence that starts at the hash; it runs through all 64-bit
 * values, so the loop ends.
 *
 * Moves, order, history, masks and weights: as jump (jump.c), whose rule for changes is the same:
 * the last slot goes, the next one comes, all else is FL_ENOTSUP. Not jump's mapping.
 * Cost: O(1) a lookup, a few nanoseconds; n just above a power of two is the slowest. No table.
 * Batches run in vector lanes (jumpback_lanes.h), 1 to 4 ns a key at any n. */
#include "place/place.h"

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/shards.h"

/* Bucket of the topmost interval when the hash's own bits gave one at or above count: the first
 * draw below `count`, which is below q if nothing in the interval is active there. */
static uint32_t draw_below(uint64_t hash, uint32_t count, uint32_t mask)
{
	for (;;) {
		hash += FL_SALT_JUMP;
		uint64_t draw = fl_mix64(hash);
		uint32_t bucket = (uint32_t)draw & mask;
		if (bucket < count)
			return bucket;
		bucket = (uint32_t)(draw >> 32) & mask;
		if (bucket < count)
			return bucket;
	}
}

static inline uint32_t half_of(uint64_t hash, uint32_t u)
{
	return (uint32_t)(hash >> (__builtin_popcount(u) % 2 * 32));
}

uint32_t fl_jumpback(uint64_t hash, uint32_t count)
{
	if (count < 2)
		return 0;
	uint32_t u = (uint32_t)(hash ^ (hash >> 32));
	u &= UINT32_MAX >> __builtin_clz(count - 1);
	if (u == 0)
		return 0;
	uint32_t q = (uint32_t)1 << (31 - __builtin_clz(u));
	uint32_t bucket = q | (half_of(hash, u) & (q - 1));
	if (bucket < count)
		return bucket;
	bucket = draw_below(hash, count, 2 * q - 1);
	if (bucket >= q)
		return bucket;
	u ^= q;
	if (u == 0)
		return 0;
	q = (uint32_t)1 << (31 - __builtin_clz(u));
	return q | (half_of(hash, u) & (q - 1));
}

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	return fl_jumpback(hash, ((const struct fl_shards *)p->state)->count);
}

static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	const struct fl_shards *s = p->state;
	s->rest.kernels->jumpback(hashes, count, s->count, slots);
	fl_shards_pass_on(p, hashes, count, slots);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_shards_build(p, fl_jumpback, lookup);
}

const struct fl_algorithm fl_algorithm_jumpback = {
	.info = {"jumpback",
		"Numbered shards: the last bucket that is active for the key, found from "
		"above.",
		"seed=0", FL_BY_HASH | FL_SECRET | FL_MINIMAL_REWEIGHT | FL_HISTORY_FREE},
	.options = {{"seed", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL}},
	.seed = 0,
	.max_weight = 1,
	.key_hash = FL_KEY_XXH3,
	.by_slot = true,
	.stacked = true,
	.build = build,
	.free = fl_shards_free,
	.pick = fl_shards_pick,
	.owners = fl_shards_owners,
	.batch = batch,
	.shares = fl_shards_shares,
	.memory = fl_shards_memory,
};
