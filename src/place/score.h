/* The score of a node for a key, scalar reference. Both are 64-bit hashes.
 *
 * The high 32 bits take in all 64 bits of both and need only 32-bit operations, so that a vector
 * unit scores 8 or 16 nodes at a time; bench/score.c shows why three multiplies are enough. The
 * low 32 bits come from an independent mix and matter only where the high ones tie. Part of
 * mapping version 1. */
#ifndef FL_PLACE_SCORE_H
#define FL_PLACE_SCORE_H

#include "hash/mix.h"
#include "hash/salt.h"

#include <stdint.h>

/* (a, b) are the low and high half of the node's hash, (x, y) those of the key's. */
static inline __attribute__((always_inline)) uint32_t fl_score_high(
	uint32_t a, uint32_t b, uint32_t x, uint32_t y)
{
	uint32_t h = (a ^ x) * 0x9e3779b1u;
	h ^= h >> 15;
	h += b ^ y;
	h *= 0x85ebca6bu;
	h ^= h >> 15;
	h *= 0xc2b2ae35u;
	return h ^ (h >> 16);
}

static inline uint32_t fl_score_low(uint64_t node, uint64_t key)
{
	return (uint32_t)(fl_mix64(fl_rotl64(node, 32) * FL_SALT_LOW + key) >> 32);
}

static inline uint64_t fl_score(uint64_t node, uint64_t key)
{
	uint32_t high = fl_score_high(
		(uint32_t)node, (uint32_t)(node >> 32), (uint32_t)key, (uint32_t)(key >> 32));
	return ((uint64_t)high << 32) | fl_score_low(node, key);
}

#endif
