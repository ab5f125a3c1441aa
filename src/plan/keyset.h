/* Different keys with their weights, in memory: what placements are compared over. */
#ifndef FL_PLAN_KEYSET_H
#define FL_PLAN_KEYSET_H

#include "base/slice.h"
#include "fairlead/fairlead.h"

#define FL_KEYSET_KEYS  (1u << 24)        /* different keys */
#define FL_KEYSET_BYTES ((size_t)1 << 30) /* of all keys together */

struct fl_keyset;

int fl_keyset_new(struct fl_keyset **out);  /* FL_ENOMEM */
void fl_keyset_free(struct fl_keyset *set); /* NULL is fine */

/* Adds `weight` (1 or more) to a key, whose bytes are copied when it is new. FL_ELIMIT over the
 * bounds above, FL_ENOMEM; the set stays as it was then. Keys are told apart by length and a 64-bit
 * hash. O(1) amortised. */
int fl_keyset_add(struct fl_keyset *set, struct fl_slice key, uint64_t weight);

/* The keys in the order in which they came first, their weights beside them, and the sum of the
 * weights. Borrowed until the next add. */
size_t fl_keyset_count(const struct fl_keyset *set);
const struct fl_key *fl_keyset_keys(const struct fl_keyset *set);
const uint64_t *fl_keyset_weights(const struct fl_keyset *set);
uint64_t fl_keyset_total(const struct fl_keyset *set);

#endif
