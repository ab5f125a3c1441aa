/* The rows of a table and their first choices: what `table` looks up, and what `bounded-table`
 * starts from. */
#ifndef FL_PLACE_TABLE_PRIV_H
#define FL_PLACE_TABLE_PRIV_H

#include "hash/mix.h"
#include "place/hrw.h"

/* Options that both have, in this order; further ones come behind. */
enum {
	FL_TABLE_ROWS,
	FL_TABLE_SEED,
	FL_TABLE_OPTIONS
};

struct fl_table {
	uint16_t *slots; /* by row: who comes first in its order */
	unsigned shift;  /* 64 - log2(rows) */
	uint32_t rows;
	uint64_t row_seed;
	uint32_t *owned; /* rows by slot */
	struct fl_hrw order;
};

_Static_assert(FL_MAX_ROWED - 1 <= UINT16_MAX, "a slot fits into a row");

/* The table of p's nodes, eligible >= 1; NULL: no memory. With `before`, which is the table of
 * `old`, the same is made from that. */
struct fl_table *fl_table_new(const struct fl_placement *p);
struct fl_table *fl_table_derived(const struct fl_placement *p, const struct fl_placement *old,
	const struct fl_table *before);
void fl_table_free(struct fl_table *t); /* NULL is fine */
size_t fl_table_memory(const struct fl_table *t, const struct fl_placement *p);

/* The key that stands for a row. */
static inline uint64_t fl_table_key(const struct fl_table *t, uint64_t row)
{
	return fl_mix64(t->row_seed + row * FL_WEYL);
}

#endif
