#include "compat/numbered.h"

#include "hash/xxh3.h"
#include "place/attempts.h"

#include <stdlib.h>

static void release(struct fl_numbered *n)
{
	free(n->slots);
	free(n->extra);
	free(n);
}

int fl_numbered_build(
	struct fl_placement *p, fl_number_fn number, void *extra, size_t extra_bytes)
{
	struct fl_numbered *n = calloc(1, sizeof(*n));
	if (!n) {
		free(extra);
		return FL_ENOMEM;
	}
	n->number = number;
	n->extra = extra;
	n->extra_bytes = extra_bytes;
	n->slots = malloc(p->count * sizeof(*n->slots));
	if (!n->slots || fl_hrw_init(&n->rest, p) != FL_OK) {
		release(n);
		return FL_ENOMEM;
	}
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		if (fl_place_at(p, slot))
			n->slots[n->count++] = slot;
	}
	p->state = n;
	return FL_OK;
}

void fl_numbered_free(struct fl_placement *p)
{
	struct fl_numbered *n = p->state;
	fl_hrw_fini(&n->rest);
	release(n);
}

/* The numbered owner's slot, or FL_NONE when it cannot be had. */
static uint32_t first_of(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct fl_numbered *n = p->state;
	uint32_t slot = n->slots[n->number(p, key)];
	bool out = n->rest.index[slot] == FL_NONE || fl_masked(mask, slot);
	return out ? FL_NONE : slot;
}

uint32_t fl_numbered_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct fl_numbered *n = p->state;
	uint32_t slot = first_of(p, key, mask);
	if (slot != FL_NONE)
		return slot;
	return fl_hrw_first_unmasked(&n->rest, fl_xxh3(key->bytes, key->len, 0), mask);
}

int fl_numbered_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct fl_numbered *n = p->state;
	uint32_t few[64], *rest = few, first = first_of(p, key, mask);
	size_t have = 0;
	int found;
	if (k > 64 && !(rest = malloc(k * sizeof(*rest))))
		return FL_ENOMEM;
	found = fl_hrw_order(&n->rest, fl_xxh3(key->bytes, key->len, 0), mask, rest, k);
	if (found >= 0) {
		if (first != FL_NONE)
			slots[have++] = first;
		found = (int)fl_owners_append(slots, have, k, rest, (size_t)found);
	}
	if (rest != few)
		free(rest);
	return found;
}

size_t fl_numbered_memory(const struct fl_placement *p)
{
	const struct fl_numbered *n = p->state;
	return sizeof(*n) + n->count * sizeof(*n->slots) + n->rest.bytes + n->extra_bytes;
}
