/* Servers in a list, and a key's hash mod their number: what clients did before there were rings.
 * The list is that of the slots, or sorted. Who is masked is skipped for the next in the list, which
 * is where such clients look for replicas and retry. */
#ifndef FL_COMPAT_ARRAY_H
#define FL_COMPAT_ARRAY_H

#include "place/placement_priv.h"

struct fl_array {
	uint32_t (*hash)(unsigned kind, const void *bytes, size_t len);
	unsigned kind;
	uint32_t count;
	uint32_t slots[];
};

/* Makes p's state of its eligible nodes, by slot, or by `compare` of their names and then by slot.
 * FL_OK or FL_ENOMEM. */
int fl_array_build(struct fl_placement *p,
	uint32_t (*hash)(unsigned kind, const void *bytes, size_t len), unsigned kind,
	int (*compare)(const char *a, const char *b));

/* For the rows: free, pick, owners, memory. */
void fl_array_free(struct fl_placement *p);
uint32_t fl_array_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask);
int fl_array_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);
size_t fl_array_memory(const struct fl_placement *p);

#endif
