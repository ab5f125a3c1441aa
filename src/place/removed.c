#include "place/removed.h"

#include <stdlib.h>
#include <string.h>

int fl_removed_init(
	struct fl_removed *r, uint32_t capacity, const uint32_t *old, uint32_t count)
{
	*r = (struct fl_removed){malloc((capacity + 1) * sizeof(*r->slot)), count, capacity};
	if (!r->slot)
		return FL_ENOMEM;
	if (count > 0)
		memcpy(r->slot, old, count * sizeof(*old));
	return FL_OK;
}

void fl_removed_fini(struct fl_removed *r)
{
	free(r->slot);
	*r = (struct fl_removed){NULL, 0, 0};
}

static bool has(const uint64_t *bits, uint32_t slot)
{
	return bits[slot / 64] >> (slot % 64) & 1;
}

void fl_removed_fill(struct fl_removed *r, const uint64_t *in_use)
{
	for (uint32_t slot = r->room; slot-- > 0;) {
		if (!has(in_use, slot))
			r->slot[r->count++] = slot;
	}
}

bool fl_removed_fits(const struct fl_removed *r, uint64_t *in_use)
{
	uint32_t used = 0;
	for (uint32_t i = 0; i < (r->room + 63) / 64; i++)
		used += (uint32_t)__builtin_popcountll(in_use[i]);
	if (r->count + used != r->room)
		return false;
	for (uint32_t i = 0; i < r->count; i++) {
		uint32_t slot = r->slot[i];
		if (slot >= r->room || has(in_use, slot))
			return false;
		in_use[slot / 64] |= (uint64_t)1 << (slot % 64);
	}
	return true;
}
