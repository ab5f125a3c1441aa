/* What the mappings of this room share that know nodes by number only: the peer's formula gives a
 * key's number in 0..n-1, counted over the nodes by ascending slot, and has nothing to say about
 * a second owner. What follows is ours: the rendezvous order of the key's XXH3. So a mask moves
 * only the masked nodes' keys, and a node of weight 0 stays in the numbering and owns nothing. */
#ifndef FL_COMPAT_NUMBERED_H
#define FL_COMPAT_NUMBERED_H

#include "place/hrw.h"
#include "place/placement_priv.h"

/* A key's number, below p->count. */
typedef uint32_t (*fl_number_fn)(const struct fl_placement *p, const struct fl_key *key);

struct fl_numbered {
	fl_number_fn number;
	uint32_t count;
	uint32_t *slots; /* by number */
	void *extra;     /* the row's own, freed with the rest; or NULL */
	size_t extra_bytes;
	struct fl_hrw rest;
};

/* Makes p's state. `extra` comes from malloc and is taken over, also on failure. FL_OK or
 * FL_ENOMEM. */
int fl_numbered_build(
	struct fl_placement *p, fl_number_fn number, void *extra, size_t extra_bytes);

/* As the functions of struct fl_algorithm. */
void fl_numbered_free(struct fl_placement *p);
uint32_t fl_numbered_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask);
int fl_numbered_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);
size_t fl_numbered_memory(const struct fl_placement *p);

#endif
