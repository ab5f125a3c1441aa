/* jump: jump consistent hash (Lamping & Veach 2014), for shards numbered 0..n-1.
 *
 * Going from n to n + 1 buckets, a key must move to bucket n with chance 1 / (n + 1), else stay.
 * Walking n up with a generator seeded by the key would do; jump skips to the next n at which
 * the key moves: from bucket b, given a uniform r in (0, 1], that is floor((b + 1) / r). The
 * bucket is the last one below n on that walk.
 *
 * Invariant: a key's walk does not depend on n, so adding bucket n moves 1 / (n + 1) of the keys,
 * all to it, and removing it gives them back. That is all it can do: only the last slot can be
 * removed and only the next one be added; any other change is refused with FL_ENOTSUP, and slots
 * with gaps with FL_EINVAL. A node out of the middle can be masked or get weight 0: only its keys
 * move then, each to its next owner (attempts.h; own order, not exact). No other weights. It counts in
 * n all the same, so give the last node its weight back before removing it (shards.h).
 *
 * The mapping is one of numbers: it depends on which name has which slot (the order of the list,
 * when nodes ask for no slot), and on nothing else; history leaves no trace.
 *
 * Cost: O(ln n) a lookup, nearly all of it waiting for one division a jump; no table at all (the
 * rendezvous order for further owners takes 24 bytes a node).
 *
 * The paper's generator and arithmetic are kept, so that a 64-bit key has the bucket that it has
 * in other programs. The doubles: one division and one multiplication, each rounded once as IEEE
 * 754 says, nothing to contract. */
#include "place/place.h"

#include "hash/mix.h"
#include "place/shards.h"

#include <float.h>

#define STEP 2862933555777941757u /* the paper's linear congruential generator */

int64_t fl_jump_next(int64_t bucket, uint32_t draw)
{
	return (int64_t)((double)(bucket + 1) * (0x1p31 / ((double)draw + 1)));
}

/* The nearest integer to 2^power / by, which cannot lie in the middle of two (only a power of two
 * divides 2^(power + 1), and that divides 2^power); 52 <= power <= 83, by <= 2^31. */
static uint64_t divide_rounded(unsigned power, uint64_t by)
{
	unsigned more = power > 63 ? power - 63 : 0;
	uint64_t top = (uint64_t)1 << (power - more);
	uint64_t rest = (top % by) << more;
	uint64_t quotient = ((top / by) << more) + rest / by;
	rest = 2 * (rest % by);
	return quotient + (rest > by);
}

/* high * 2^64 + low without the last `drop` bits, 1..31, rounded to the nearest, ties to even;
 * 53 bits stay. */
static uint64_t shift_rounded(uint64_t high, uint64_t low, unsigned drop)
{
	uint64_t half = (uint64_t)1 << (drop - 1), rest = low & (2 * half - 1);
	uint64_t whole = (high << (64 - drop)) | (low >> drop);
	return whole + (rest > half || (rest == half && (whole & 1)));
}

/* 2^31 / (draw + 1) is m * 2^-(21 + c) with m of 53 bits, 2^c being the power of two at or above
 * draw + 1; then the product is rounded to 53 bits, too. */
int64_t fl_jump_next_integer(int64_t bucket, uint32_t draw)
{
	uint64_t by = (uint64_t)draw + 1;
	unsigned c = draw ? 64 - (unsigned)__builtin_clzll(draw) : 0, drop = 0;
	uint64_t m = divide_rounded(52 + c, by);
	uint64_t low = m * (uint64_t)(bucket + 1);
	uint64_t high = fl_mul_high(m, (uint64_t)(bucket + 1));
	if (high)
		drop = 75 - (unsigned)__builtin_clzll(high);
	else if (low >> 53)
		drop = 11 - (unsigned)__builtin_clzll(low);
	if (drop)
		low = shift_rounded(high, low, drop);
	return (int64_t)(drop > 21 + c ? low << (drop - 21 - c) : low >> (21 + c - drop));
}

static inline int64_t jump_from(int64_t bucket, uint64_t *state)
{
	*state = *state * STEP + 1;
#if FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1
	return fl_jump_next(bucket, (uint32_t)(*state >> 33));
#else
	return fl_jump_next_integer(bucket, (uint32_t)(*state >> 33));
#endif
}

uint32_t fl_jump(uint64_t hash, uint32_t count)
{
	int64_t bucket = 0, next = 0;
	do {
		bucket = next;
		next = jump_from(bucket, &hash);
	} while (next < (int64_t)count);
	return (uint32_t)bucket;
}

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	return fl_jump(hash, ((const struct fl_shards *)p->state)->count);
}

#define SOME 256 /* keys that take turns */

struct jumper {
	uint64_t state;
	uint32_t bucket, place; /* place: in the batch */
};

/* All keys jump, those that are still below `count` jump again, and so on: the divisions do not
 * wait for each other, and how often one jumps, which nobody can foresee, is no branch. */
static void take_turns(const uint64_t *hashes, uint32_t keys, int64_t count, uint32_t *slots)
{
	struct jumper list[SOME + 1];
	uint32_t left = keys;
	for (uint32_t i = 0; i < keys; i++)
		list[i] = (struct jumper){hashes[i], 0, i};
	while (left > 0) {
		uint32_t kept = 0;
		for (uint32_t j = 0; j < left; j++) {
			struct jumper t = list[j];
			int64_t next = jump_from(t.bucket, &t.state);
			slots[t.place] = t.bucket;
			t.bucket = (uint32_t)next;
			list[kept] = t;
			kept += next < count;
		}
		left = kept;
	}
}

static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	const struct fl_shards *s = p->state;
	for (size_t i = 0; i < count; i += SOME)
		take_turns(hashes + i,
			count - i < SOME ? (uint32_t)(count - i) : (uint32_t)SOME, s->count,
			slots + i);
	fl_shards_pass_on(p, hashes, count, slots);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_shards_build(p, fl_jump, lookup);
}

const struct fl_algorithm fl_algorithm_jump = {
	.info = {"jump",
		"Numbered shards: jumps to the last count at which the key would have moved.",
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
