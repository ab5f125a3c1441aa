/* jumpback (jumpback.c has the paper and the argument) for many keys at once, without branches
 * that keys decide. Included by kernel.c, which compiles it for each instruction set.
 *
 * A block of keys goes through three steps:
 *   1. All lanes: the last active bucket of the key's topmost active interval by the hash's own
 *      bits, and the one of the interval below that. Where the highest bit of u is, and whether
 *      u has an odd number of ones, come from shifts, which every vector unit has.
 *   2. The keys whose bucket is at or above `count` are gathered. Only the topmost interval
 *      reaches that far, so its bounds are the same for all of them.
 *   3. They draw, all lanes again, until each has drawn below `count`; a pair of draws serves at
 *      least three keys in four, and those that it does not serve are gathered again.
 * The last few are left to scalar code. The same integers as fl_jumpback, in the same order. */
#ifndef FL_PLACE_JUMPBACK_LANES_H
#define FL_PLACE_JUMPBACK_LANES_H

#include "hash/mix.h"
#include "hash/salt.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FL_JUMPBACK_BLOCK 512 /* the more, the fewer keys are left to scalar code */
#define FL_JUMPBACK_LANES 16  /* a multiple of FL_JUMPBACK_FEW */
#define FL_JUMPBACK_FEW   8
#define FL_JUMPBACK_BODY  static inline __attribute__((always_inline))

/* All bits below the highest one of x, and that one. */
FL_JUMPBACK_BODY uint32_t fl_smear(uint32_t x)
{
	x |= x >> 1;
	x |= x >> 2;
	x |= x >> 4;
	x |= x >> 8;
	return x | (x >> 16);
}

/* All ones if x has an odd number of ones, else 0. */
FL_JUMPBACK_BODY uint32_t fl_odd_mask(uint32_t x)
{
	x ^= x >> 16;
	x ^= x >> 8;
	x ^= x >> 4;
	x ^= x >> 2;
	x ^= x >> 1;
	return 0u - (x & 1);
}

FL_JUMPBACK_BODY void fl_jumpback_first(const uint64_t *restrict hashes, size_t keys,
	uint32_t mask, uint32_t *restrict first, uint32_t *restrict second)
{
	keys = keys / FL_JUMPBACK_LANES * FL_JUMPBACK_LANES;
	FL_LANE_LOOP
	for (size_t i = 0; i < keys; i++) {
		uint32_t low = (uint32_t)hashes[i], high = (uint32_t)(hashes[i] >> 32);
		uint32_t both = low ^ high, u = both & mask;
		uint32_t half = low ^ (both & fl_odd_mask(u));
		uint32_t below = fl_smear(u) >> 1, q = fl_smear(u) ^ below, rest = u ^ q;
		uint32_t below2 = fl_smear(rest) >> 1, q2 = fl_smear(rest) ^ below2;
		first[i] = q | (half & below);
		second[i] = q2 | ((half ^ both) & below2);
	}
}

/* A pair of draws for each lane: the first below `count`, if there is one. */
FL_JUMPBACK_BODY void fl_jumpback_draw(uint64_t *restrict state, size_t lanes, uint32_t count,
	uint32_t mask, uint32_t *restrict out)
{
	lanes = (lanes + FL_JUMPBACK_FEW - 1) / FL_JUMPBACK_FEW * FL_JUMPBACK_FEW;
	FL_LANE_LOOP
	for (size_t j = 0; j < lanes; j++) {
		uint64_t s = state[j] + FL_SALT_JUMP, draw = fl_mix64(s);
		uint32_t a = (uint32_t)draw & mask, b = (uint32_t)(draw >> 32) & mask;
		state[j] = s;
		out[j] = a < count ? a : b;
	}
}

FL_JUMPBACK_BODY uint32_t fl_jumpback_settle(uint64_t state, uint32_t count, uint32_t mask)
{
	for (;;) {
		uint64_t draw = fl_mix64(state += FL_SALT_JUMP);
		uint32_t a = (uint32_t)draw & mask, b = (uint32_t)(draw >> 32) & mask;
		if (a < count || b < count)
			return a < count ? a : b;
	}
}

/* The places of those at or above count, and how many. `keys` is a multiple of 4; `list` has room
 * for one more. */
FL_JUMPBACK_BODY size_t fl_jumpback_pending(
	const uint32_t *first, size_t keys, uint32_t count, uint32_t *list)
{
	size_t left = 0;
	for (uint32_t i = 0; i < keys; i += 4) {
		list[left] = i;
		left += first[i] >= count;
		list[left] = i + 1;
		left += first[i + 1] >= count;
		list[left] = i + 2;
		left += first[i + 2] >= count;
		list[left] = i + 3;
		left += first[i + 3] >= count;
	}
	return left;
}

/* At most FL_JUMPBACK_BLOCK keys, a multiple of FL_JUMPBACK_LANES. */
FL_JUMPBACK_BODY void fl_jumpback_block(const uint64_t *restrict hashes, size_t keys,
	uint32_t count, uint32_t mask, uint32_t *restrict first)
{
	uint32_t second[FL_JUMPBACK_BLOCK], drawn[FL_JUMPBACK_BLOCK];
	uint32_t list[FL_JUMPBACK_BLOCK + 1];
	uint64_t state[FL_JUMPBACK_BLOCK];
	uint32_t top = (mask >> 1) + 1;
	fl_jumpback_first(hashes, keys, mask, first, second);
	if (count > mask)
		return; /* a power of two: nobody draws */
	size_t left = fl_jumpback_pending(first, keys, count, list);
	for (size_t j = 0; j < left; j++)
		state[j] = hashes[list[j]];
	while (left >= FL_JUMPBACK_FEW) {
		size_t kept = 0;
		for (size_t j = left; j % FL_JUMPBACK_FEW; j++)
			state[j] = 0;
		fl_jumpback_draw(state, left, count, mask, drawn);
		for (size_t j = 0; j < left; j++) {
			uint32_t i = list[j], got = drawn[j];
			uint32_t in = 0u - (uint32_t)(got >= top); /* no branch: a coin */
			first[i] = (got & in) | (second[i] & ~in);
			list[kept] = i;
			state[kept] = state[j];
			kept += got >= count;
		}
		left = kept;
	}
	for (size_t j = 0; j < left; j++) {
		uint32_t i = list[j], got = fl_jumpback_settle(state[j], count, mask);
		first[i] = got >= top ? got : second[i];
	}
}

FL_JUMPBACK_BODY void fl_jumpback_body(
	const uint64_t *hashes, size_t keys, uint32_t count, uint32_t *out)
{
	uint32_t mask = count > 1 ? fl_smear(count - 1) : 0;
	uint64_t padded[FL_JUMPBACK_LANES] = {
		0}; /* a hash of 0 has bucket 0: it needs no draw */
	uint32_t buckets[FL_JUMPBACK_LANES];
	while (keys >= FL_JUMPBACK_LANES) {
		size_t n = keys < FL_JUMPBACK_BLOCK
		                   ? keys / FL_JUMPBACK_LANES * FL_JUMPBACK_LANES
		                   : FL_JUMPBACK_BLOCK;
		fl_jumpback_block(hashes, n, count, mask, out);
		hashes += n;
		out += n;
		keys -= n;
	}
	if (keys == 0)
		return;
	memcpy(padded, hashes, keys * sizeof(*hashes));
	fl_jumpback_block(padded, FL_JUMPBACK_LANES, count, mask, buckets);
	memcpy(out, buckets, keys * sizeof(*out));
}

#endif
