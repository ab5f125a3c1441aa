/* Owners of mappings that have no order of their own: the next owner is who is picked when the
 * owners so far are down as well. */
#ifndef FL_COMPAT_PICKS_H
#define FL_COMPAT_PICKS_H

#include "place/placement_priv.h"

/* Nodes that cannot be picked: masked ones and those that are owners already. */
struct fl_out {
	const struct fl_mask *mask;
	const uint32_t *slots; /* count of them, looked through unless there are bits */
	size_t count;
	const uint64_t *bits; /* or NULL */
};

static inline bool fl_is_out(const struct fl_out *out, uint32_t slot)
{
	if (fl_masked(out->mask, slot))
		return true;
	if (out->bits)
		return out->bits[slot / 64] >> (slot % 64) & 1;
	for (size_t i = 0; i < out->count; i++) {
		if (out->slots[i] == slot)
			return true;
	}
	return false;
}

/* As struct fl_algorithm's owners, by at most k picks; a pick gives FL_NONE when all are out.
 * Allocates only when k > 64 (FL_ENOMEM). */
int fl_owners_by_picks(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k,
	uint32_t (*pick)(const struct fl_placement *p, const struct fl_key *key,
		const struct fl_out *out));

#endif
