/* Making placements from an algorithm's row and parsed options. The public entry points, which
 * parse specs, stand in lib/. Contracts as in the public header. */
#ifndef FL_PLACE_PLACE_H
#define FL_PLACE_PLACE_H

#include "place/algorithm.h"

/* All that a placement is made of but its nodes. */
struct fl_recipe {
	const struct fl_algorithm *algorithm;
	const uint64_t *options; /* values of its options in their order, checked */
	struct fl_secret secret; /* only with FL_SECRET */
	/* The removal stack that it had when it was saved (only for a lifo algorithm; NULL: as
	 * built afresh). The nodes must then ask for their slots. */
	const uint32_t *removed;
	uint32_t removed_count;
};

int fl_place_new(struct fl_placement **out, const struct fl_recipe *recipe,
	const struct fl_node *nodes, size_t count, struct fl_error *err);

int fl_place_derive(struct fl_placement **out, const struct fl_placement *old,
	const struct fl_change *changes, size_t count, struct fl_error *err);

struct fl_placement *fl_place_ref(const struct fl_placement *p);
void fl_place_unref(struct fl_placement *p);

uint32_t fl_place_find(const struct fl_placement *p, const char *name);
size_t fl_place_memory(const struct fl_placement *p);

/* Without fl_key's checks: the key has what the algorithm needs (see struct fl_algorithm). */
uint32_t fl_place_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask);
/* For hashes, with FL_BY_HASH: slots[i] = the pick for hashes[i] under `mask` (may be NULL). */
void fl_place_batch(const struct fl_placement *p, const uint64_t *hashes, size_t count,
	const struct fl_mask *mask, uint32_t *slots);
int fl_place_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);

extern const struct fl_algorithm fl_algorithm_table;
extern const struct fl_algorithm fl_algorithm_bounded_table;
extern const struct fl_algorithm fl_algorithm_ring;
extern const struct fl_algorithm fl_algorithm_rendezvous;
extern const struct fl_algorithm fl_algorithm_maglev;
extern const struct fl_algorithm fl_algorithm_multiprobe;
extern const struct fl_algorithm fl_algorithm_jump;
extern const struct fl_algorithm fl_algorithm_jumpback;
extern const struct fl_algorithm fl_algorithm_anchor;
extern const struct fl_algorithm fl_algorithm_dx;
extern const struct fl_algorithm fl_algorithm_modulo;

#endif
