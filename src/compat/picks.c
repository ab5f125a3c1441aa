#include "compat/picks.h"

#include <stdlib.h>

int fl_owners_by_picks(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k,
	uint32_t (*pick)(const struct fl_placement *p, const struct fl_key *key,
		const struct fl_out *out))
{
	uint64_t *bits = NULL;
	struct fl_out out = {mask, slots, 0, NULL};
	if (k > 64 && !(bits = calloc(p->slots / 64 + 1, sizeof(*bits))))
		return FL_ENOMEM;
	out.bits = bits;
	while (out.count < k) {
		uint32_t slot = pick(p, key, &out);
		if (slot == FL_NONE)
			break;
		slots[out.count++] = slot;
		if (bits)
			bits[slot / 64] |= (uint64_t)1 << (slot % 64);
	}
	free(bits);
	return (int)out.count;
}
