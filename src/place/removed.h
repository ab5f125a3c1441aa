/* The removal stack: the slots below a capacity that own no key, in the order in which they went
 * out of service. Algorithms that are `lifo` take slots back only from its top, and their mapping
 * is a function of (capacity, stack) and nothing else. */
#ifndef FL_PLACE_REMOVED_H
#define FL_PLACE_REMOVED_H

#include "fairlead/fairlead.h"

struct fl_removed {
	uint32_t *slot; /* [count - 1] is the top */
	uint32_t count;
	uint32_t room; /* capacity */
};

/* Room for `capacity` slots; with the entries of `old` (NULL: none). FL_OK or FL_ENOMEM. */
int fl_removed_init(
	struct fl_removed *r, uint32_t capacity, const uint32_t *old, uint32_t count);
void fl_removed_fini(struct fl_removed *r);

/* Pushes every slot below `room` that is not in use, highest first: what a placement that was
 * built afresh starts with, so that the lowest free slot is the next one. */
void fl_removed_fill(struct fl_removed *r, const uint64_t *in_use);

/* Are these exactly the slots that are not in use, each once? Uses `in_use` up. */
bool fl_removed_fits(const struct fl_removed *r, uint64_t *in_use);

#endif
