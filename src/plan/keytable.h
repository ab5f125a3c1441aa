/* Different keys, counted: exactly while they fit into memory, then a sample of them. */
#ifndef FL_PLAN_KEYTABLE_H
#define FL_PLAN_KEYTABLE_H

#include <stddef.h>
#include <stdint.h>

#define FL_KEYTABLE_LEAST ((size_t)1 << 20) /* bytes */

struct fl_keytable;

struct fl_keytable_entry {
	uint64_t hash; /* 0: free */
	uint64_t weight;
	uint32_t from, to; /* the caller's, of the key's first add */
};

/* Never takes more than `memory` bytes, at least FL_KEYTABLE_LEAST. FL_ENOMEM. */
int fl_keytable_new(struct fl_keytable **out, size_t memory);
void fl_keytable_free(struct fl_keytable *t); /* NULL is fine */

/* Adds `weight` (sums stop at 2^64 - 1) for the key with this hash, which must be uniform over 64
 * bits. FL_ENOMEM only while the table is below its bound. O(1) amortised. */
int fl_keytable_add(
	struct fl_keytable *t, uint64_t hash, uint64_t weight, uint32_t from, uint32_t to);

/* Has the memory fetched that adding this key will touch. A few keys ahead of the one that is added,
 * no add waits for its own. */
void fl_keytable_prefetch(const struct fl_keytable *t, uint64_t hash);

/* One key of so many is in the table, chosen by hash; 1: all of them. A power of two. */
uint64_t fl_keytable_rate(const struct fl_keytable *t);
uint64_t fl_keytable_count(const struct fl_keytable *t); /* of keys in it */

/* The key's entry, or NULL; borrowed until the next add. */
const struct fl_keytable_entry *fl_keytable_find(const struct fl_keytable *t, uint64_t hash);

/* Calls `each` for every key in the table, in an order that the hashes give. */
void fl_keytable_walk(const struct fl_keytable *t,
	void (*each)(void *cookie, const struct fl_keytable_entry *entry), void *cookie);

#endif
