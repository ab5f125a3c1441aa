/* furc_hash and weightedFurcHash, the functions under mcrouter's Ch3 and WeightedCh4. */
#ifndef FL_COMPAT_FURC_H
#define FL_COMPAT_FURC_H

#include <stddef.h>
#include <stdint.h>

#define FL_FURC_TRIES 32

/* The number of the key among 0..count-1; 1 <= count <= 2^23. */
uint32_t fl_furc(const void *bytes, size_t len, uint32_t count);

/* The same with thresholds[i] in place of number i's weight: trunc(weight * (2^32 - 1)), or
 * UINT32_MAX and above for a weight of 1. */
uint32_t fl_furc_weighted(
	const void *bytes, size_t len, const uint64_t *thresholds, uint32_t count);

#endif
