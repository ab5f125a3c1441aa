/* Points on a circle of 64-bit positions, sorted, with a radix index: what every ring is. */
#ifndef FL_PLACE_POINTS_H
#define FL_PLACE_POINTS_H

#include "place/placement_priv.h"

struct fl_point {
	uint64_t at;
	uint32_t slot;
};

struct fl_points {
	uint64_t *at;    /* count positions, ascending, and UINT64_MAX as a sentinel */
	uint32_t *slot;  /* beside `at`; beside the sentinel, the first point's: the wrap */
	uint32_t *index; /* by the top bits of a position: the first point not below them */
	uint32_t count;
	unsigned shift; /* 64 - bits of the index */
	/* A key belongs to the first point at or after it; if strict, after it, and then keys
	 * and points only use positions whose lowest bit is 0 or that leave the next one free.
	 */
	bool strict;
	size_t bytes;
};

/* Sorts count >= 1 points; those at one position stay in the order given. FL_OK or FL_ENOMEM.
 * Cost O(count) for positions that are spread like hashes, O(count log count) at worst. */
int fl_points_sort(struct fl_points *out, const struct fl_point *list, size_t count);

/* `old` without the points of slots s with drop[s], with `added` (may be NULL) merged in; points
 * at one position are put in the order of ranks[slot]. At least one point is left.
 * FL_OK or FL_ENOMEM. Cost O(points). */
int fl_points_merge(struct fl_points *out, const struct fl_points *old, const bool *drop,
	const struct fl_points *added, const uint32_t *ranks);

void fl_points_fini(struct fl_points *r);

/* Index of the point that owns `position`; it may be the sentinel. Two dependent loads. */
static inline uint32_t fl_points_find(const struct fl_points *r, uint64_t position)
{
	position += r->strict;
	uint32_t i = r->index[position >> r->shift];
	while (r->at[i] < position)
		i++;
	return i;
}

/* The owner of `position`, stepping clockwise over masked slots; FL_NONE if all are. */
uint32_t fl_points_pick(
	const struct fl_points *r, uint64_t position, const struct fl_mask *mask);

/* The next k distinct unmasked slots clockwise, all below `slots_end`; gives their number.
 * Allocates only when k > 64 (FL_ENOMEM). Stops after one turn. */
int fl_points_owners(const struct fl_points *r, uint64_t position, const struct fl_mask *mask,
	uint32_t slots_end, uint32_t *slots, size_t k);

/* As struct fl_algorithm's arc. */
bool fl_points_arc(const struct fl_points *r, size_t i, struct fl_arc *arc);

#endif
