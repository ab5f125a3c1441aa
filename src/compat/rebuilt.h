/* Masks of systems that build anew from the nodes that are up: the masked pick is the pick of the
 * placement without the masked nodes, and the next owner of a key is who has it when the ones
 * before are gone as well. Exact, and as slow as building: once a pick, k times for k owners. */
#ifndef FL_COMPAT_REBUILT_H
#define FL_COMPAT_REBUILT_H

#include "place/placement_priv.h"

/* As struct fl_algorithm's owners, for a row with `rebuilds`. FL_ENOMEM is possible at any k. */
int fl_rebuilt_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);

#endif
