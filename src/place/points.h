/* Points on a circle of 64-bit positions, sorted, and cut into lines: what every ring is. */
#ifndef FL_PLACE_POINTS_H
#define FL_PLACE_POINTS_H

#include "place/placement_priv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define FL_LINE_POINTS 15
#define FL_SLOT_BITS   20 /* of an entry of a line; the rest is its cell */

_Static_assert(FL_MAX_NODES <= 1u << FL_SLOT_BITS, "a slot fits into an entry");
_Static_assert(FL_MAX_POINTS <= INT32_MAX, "so does a point's number");

struct fl_point {
	uint64_t at;
	uint32_t slot;
};

/* What a lookup reads, a line of the cache: the first points of an equal part of the circle. Of
 * each its cell (the next 12 bits of its position) and its slot; behind the last of them the next
 * point's slot, in the last cell. Cells are offset so that entries ascend as signed numbers. At
 * the end the number of the first point that is not before this part. */
struct fl_line {
	int32_t entry[FL_LINE_POINTS + 1];
};

struct fl_points {
	struct fl_line *lines; /* by the top bits of a position; and one behind the last */
	uint64_t *at;          /* count positions, ascending, and UINT64_MAX as a sentinel */
	uint32_t *slot; /* beside `at`; beside the sentinel, the first point's: the wrap */
	uint32_t count;
	unsigned shift; /* position >> shift: a line's number, and 32 bits of where on it */
	/* A key belongs to the first point at or after it; if strict, after it, and then keys
	 * and points only use positions whose lowest bit is 0 or that leave the next one free.
	 */
	bool strict;
	void *block; /* all of that */
	size_t bytes;
};

/* Sorts count >= 1 points; those at one position stay in the order given. FL_OK or FL_ENOMEM.
 * Cost O(count) for positions that are spread like hashes, O(count log count) at worst. */
int fl_points_sort(struct fl_points *out, const struct fl_point *list, size_t count);

/* `old` without the points in `gone`, all of which it has, and with those in `added`; of both only
 * count, at and slot are read. Points at one position are put in the order of ranks[slot]. At
 * least one point is left. FL_OK or FL_ENOMEM. Cost: a copy of `old`, and a search for each point
 * that comes or goes. */
int fl_points_merge(struct fl_points *out, const struct fl_points *old,
	const struct fl_points *gone, const struct fl_points *added, const uint32_t *ranks);

void fl_points_fini(struct fl_points *r);

/* The first point at or after `position`, which is not before point `from` and is on `line` or the
 * first one behind it. */
uint32_t fl_points_search(const struct fl_points *r, const struct fl_line *line, uint32_t from,
	uint64_t position);

static inline const struct fl_line *fl_points_line(const struct fl_points *r, uint64_t position)
{
	return &r->lines[position >> r->shift >> 32];
}

/* The least entry that a point in the cell of `position` can have. */
static inline int32_t fl_points_cell(const struct fl_points *r, uint64_t position)
{
	uint32_t next = (uint32_t)(position >> r->shift);
	return (int32_t)((next >> FL_SLOT_BITS << FL_SLOT_BITS) ^ 0x80000000u);
}

static inline uint32_t fl_line_first(const struct fl_line *line)
{
	return (uint32_t)line->entry[FL_LINE_POINTS];
}

/* How many entries lie in earlier cells. They ascend, so it is where the others start. (Compilers
 * vectorise the loop in one place and not in the next.) */
static inline uint32_t fl_line_before(const struct fl_line *line, int32_t cell)
{
#ifdef __SSE2__
	const __m128i *entry = (const __m128i *)(const void *)line->entry;
	__m128i all = _mm_set1_epi32(cell);
	__m128i low =
		_mm_packs_epi32(_mm_cmpgt_epi32(all, entry[0]), _mm_cmpgt_epi32(all, entry[1]));
	__m128i high =
		_mm_packs_epi32(_mm_cmpgt_epi32(all, entry[2]), _mm_cmpgt_epi32(all, entry[3]));
	uint32_t before = (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
	return (uint32_t)__builtin_ctz(~before | 1u << FL_LINE_POINTS);
#else
	uint32_t n = 0;
	for (int i = 0; i < FL_LINE_POINTS; i++)
		n += line->entry[i] < cell;
	return n;
#endif
}

/* Index of the point that owns `position`; it may be the sentinel. Two dependent loads. */
static inline uint32_t fl_points_find(const struct fl_points *r, uint64_t position)
{
	position += r->strict;
	const struct fl_line *line = fl_points_line(r, position);
	uint32_t i = fl_line_first(line);
	i += fl_line_before(line, fl_points_cell(r, position));
	return r->at[i] >= position ? i : fl_points_search(r, line, i, position);
}

/* The owner of `position` on a circle that is not strict: one load, but for about one position
 * in a hundred. */
static inline uint32_t fl_points_owner(const struct fl_points *r, uint64_t position)
{
	const struct fl_line *line = fl_points_line(r, position);
	int32_t cell = fl_points_cell(r, position);
	uint32_t n = fl_line_before(line, cell);
	uint32_t left = n < FL_LINE_POINTS ? (uint32_t)(line->entry[n] ^ cell) : 0;
	if (__builtin_expect(left >> FL_SLOT_BITS == 0, 0))
		return r->slot[fl_points_search(r, line, fl_line_first(line) + n, position)];
	return left & (((uint32_t)1 << FL_SLOT_BITS) - 1);
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
