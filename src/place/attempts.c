/* Try number 0 is the owner itself, try i the owner of the hash mixed with i times a salt. The
 * tries are independent, so with m of n nodes masked all of them fail with probability
 * (m/n)^65; only then, and for the last few of many owners, does the O(n) order come in. It
 * holds every eligible node, so the list is always complete. */
#include "place/attempts.h"

#include "hash/mix.h"
#include "hash/salt.h"

#include <stdlib.h>

static uint32_t attempt(const struct fl_placement *p, uint64_t hash, unsigned number)
{
	if (number > 0)
		hash = fl_mix64(hash + number * FL_SALT_ATTEMPT);
	return p->lookup(p, hash);
}

uint32_t fl_attempts_pick(const struct fl_placement *p, const struct fl_hrw *rest,
	uint64_t hash, const struct fl_mask *mask)
{
	for (unsigned i = 0; i <= FL_ATTEMPTS; i++) {
		uint32_t slot = attempt(p, hash, i);
		if (!fl_masked(mask, slot))
			return slot;
	}
	return fl_hrw_first_unmasked(rest, hash, mask);
}

bool fl_owners_have(const uint32_t *slots, size_t count, uint32_t slot)
{
	for (size_t i = 0; i < count; i++) {
		if (slots[i] == slot)
			return true;
	}
	return false;
}

/* The distinct unmasked nodes of all tries, in order, at most k. */
static size_t try_all(const struct fl_placement *p, uint64_t hash, const struct fl_mask *mask,
	uint32_t *slots, size_t k)
{
	size_t have = 0;
	for (unsigned i = 0; i <= FL_ATTEMPTS && have < k; i++) {
		uint32_t slot = attempt(p, hash, i);
		if (!fl_masked(mask, slot) && !fl_owners_have(slots, have, slot))
			slots[have++] = slot;
	}
	return have;
}

size_t fl_owners_append(
	uint32_t *slots, size_t have, size_t k, const uint32_t *rest, size_t count)
{
	size_t tried = have;
	for (size_t i = 0; i < count && have < k; i++) {
		if (!fl_owners_have(slots, tried, rest[i]))
			slots[have++] = rest[i];
	}
	return have;
}

int fl_attempts_owners(const struct fl_placement *p, const struct fl_hrw *order, uint64_t hash,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	uint32_t few[64], *rest = few;
	size_t have;
	int found;
	if (k <= 64) {
		have = try_all(p, hash, mask, slots, k);
		if (have == k)
			return (int)k;
	} else if (!(rest = malloc(k * sizeof(*rest)))) {
		return FL_ENOMEM;
	}
	found = fl_hrw_order(order, hash, mask, rest, k);
	if (found >= 0) {
		/* Nothing can fail from here on, so nothing was touched if it did. */
		have = try_all(p, hash, mask, slots, k);
		found = (int)fl_owners_append(slots, have, k, rest, (size_t)found);
	}
	if (rest != few)
		free(rest);
	return found;
}
