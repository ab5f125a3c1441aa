/* Further owners for mappings that have an owner for each hash but no order behind it: at most
 * FL_ATTEMPTS further tries with a salted hash, then the rest in rendezvous order. A mask skips
 * along that order, so only the masked nodes' keys move. */
#ifndef FL_PLACE_ATTEMPTS_H
#define FL_PLACE_ATTEMPTS_H

#include "place/hrw.h"

#define FL_ATTEMPTS 64

/* As struct fl_algorithm's pick and owners, over p->lookup; `rest` holds p's eligible nodes. */
uint32_t fl_attempts_pick(const struct fl_placement *p, const struct fl_hrw *rest,
	uint64_t hash, const struct fl_mask *mask);
int fl_attempts_owners(const struct fl_placement *p, const struct fl_hrw *rest, uint64_t hash,
	const struct fl_mask *mask, uint32_t *slots, size_t k);

/* Fills slots[have..k), the first `have` of which are taken already, from `rest` (at most
 * `count`), stepping over what is there; gives how many there are then. */
size_t fl_owners_append(
	uint32_t *slots, size_t have, size_t k, const uint32_t *rest, size_t count);

/* Is `slot` among slots[0..count)? */
bool fl_owners_have(const uint32_t *slots, size_t count, uint32_t slot);

#endif
