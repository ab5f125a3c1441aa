/* The rendezvous order of a placement's eligible nodes (weight > 0) for a 64-bit key: what
 * `rendezvous` is, what each row of a `table` is, and the last resort of others.
 *
 * Node i stands before node j when
 *     E_i / w_i < E_j / w_j        E = fl_neg_log2(score), compared exactly as E_i w_j < E_j w_i
 *     or equal, and score_i > score_j
 *     or equal, and name_i < name_j.
 * With equal weights that is the order of the scores alone, whatever the weight. */
#ifndef FL_PLACE_HRW_H
#define FL_PLACE_HRW_H

#include "place/kernel.h"
#include "place/placement_priv.h"

struct fl_hrw {
	const struct fl_kernels *kernels;
	uint32_t count;  /* nodes; their index is their order by name */
	uint32_t padded; /* rounded up to FL_LANES */
	bool weighted;   /* not all weights are equal */
	uint32_t *lo, *hi, *slot, *weight;
	float *inverse;
	uint32_t *index; /* by slot: index, or FL_NONE */
	size_t bytes;
};

/* For p's eligible nodes, at least one. FL_OK or FL_ENOMEM. Cost O(count + slots). */
int fl_hrw_init(struct fl_hrw *h, const struct fl_placement *p);
void fl_hrw_fini(struct fl_hrw *h);

/* The slot that comes first for `key`. Cost O(count), vectorised. */
uint32_t fl_hrw_first(const struct fl_hrw *h, uint64_t key);

/* The same for many keys. Cost O(count) a key, vectorised, and no more than that of as many calls. */
void fl_hrw_firsts(const struct fl_hrw *h, const uint64_t *keys, size_t count, uint32_t *slots);

/* The first k distinct unmasked slots in order; gives their number. k <= count. Allocates only
 * when k > 64: then FL_ENOMEM is possible. Cost O(count log k). */
int fl_hrw_order(const struct fl_hrw *h, uint64_t key, const struct fl_mask *mask,
	uint32_t *slots, size_t k);

/* The first unmasked slot, or FL_NONE. */
uint32_t fl_hrw_first_unmasked(
	const struct fl_hrw *h, uint64_t key, const struct fl_mask *mask);

/* Does the node in `slot` stand before the one in `other` for `key`? Both are eligible. */
bool fl_hrw_before(const struct fl_hrw *h, uint64_t key, uint32_t slot, uint32_t other);

#endif
