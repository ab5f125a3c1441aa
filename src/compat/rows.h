/* What the Maglev tables of this room share: rows that nodes take one by one, each along its own
 * walk. Who has the turn is the row's own rule. */
#ifndef FL_COMPAT_ROWS_H
#define FL_COMPAT_ROWS_H

#include "place/placement_priv.h"

struct fl_rows {
	uint32_t count; /* a prime */
	uint32_t taken;
	uint64_t *bits;  /* a bit a row: taken */
	uint16_t *slots; /* by row */
};

/* A node on its way over the rows offset, offset + skip, ... */
struct fl_walker {
	uint32_t at, skip;
	uint32_t slot, weight;
	const char *name;
	uint64_t hash; /* for the row's own use */
};

/* Gives all rows to p's nodes, list[0..p->eligible). FL_OK, FL_ENOMEM, or FL_EINVAL with a text. */
typedef int fl_rows_filler(const struct fl_placement *p, struct fl_rows *r,
	struct fl_walker *list, struct fl_error *err);

/* Makes p's state: `count` rows, given out by `fill`. Takes `list`; NULL: no memory. As struct
 * fl_algorithm's build. */
int fl_rows_build(struct fl_placement *p, uint32_t count, struct fl_walker *list,
	fl_rows_filler *fill, struct fl_error *err);

/* The next row of w's walk, modulo the number of rows, that is free; there is one. */
void fl_rows_take(struct fl_rows *r, struct fl_walker *w);

/* The same with a walk that wraps at 2^32 before it is reduced. */
void fl_rows_take_wrapping(struct fl_rows *r, struct fl_walker *w);

/* p's eligible nodes as an array of p->eligible walkers that rest at 0: by name, bytes ascending,
 * or by ascending slot. NULL: no memory. */
struct fl_walker *fl_walkers_by_name(const struct fl_placement *p);
struct fl_walker *fl_walkers_by_slot(const struct fl_placement *p);

/* The owner of row hash % rows. */
uint32_t fl_rows_owner(const struct fl_placement *p, uint64_t hash);

/* As the functions of struct fl_algorithm. */
void fl_rows_free(struct fl_placement *p);
void fl_rows_shares(const struct fl_placement *p, double *shares);
size_t fl_rows_memory(const struct fl_placement *p);
bool fl_rows_starved(const struct fl_placement *p, uint32_t slot);

#endif
