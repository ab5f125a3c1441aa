/* The ring of Envoy and gRPC: points in proportion to normalised weights, scaled so that the
 * lightest node has a whole number of them. */
#ifndef FL_COMPAT_SCALED_RING_H
#define FL_COMPAT_SCALED_RING_H

#include "compat/circle.h"

#define FL_RING_MOST 8388608u /* points; both refuse to be told more */

struct fl_scaled_ring {
	uint64_t least, most; /* points in all */
	uint64_t (*point)(const void *bytes, size_t len);
	bool numbers; /* a key that is a decimal number is its position (number.h) */
	bool by_name; /* nodes by name, bytes ascending; else by ascending slot */
};

/* Makes p's state, a struct fl_circle. FL_EINVAL when least > most, or FL_ENOMEM. */
int fl_scaled_ring_build(
	struct fl_placement *p, const struct fl_scaled_ring *ring, struct fl_error *err);

/* A key's hash: XXH64 with seed 0, but for numbers if `numbers`. */
uint64_t fl_scaled_ring_key(unsigned numbers, const void *bytes, size_t len);

/* For `point`: XXH64 with seed 0. */
uint64_t fl_scaled_ring_xxh64(const void *bytes, size_t len);

#endif
