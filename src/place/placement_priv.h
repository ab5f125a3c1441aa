/* What a placement holds, for the algorithms. */
#ifndef FL_PLACE_PLACEMENT_PRIV_H
#define FL_PLACE_PLACEMENT_PRIV_H

#include "hash/xxh3.h"
#include "place/algorithm.h"
#include "place/removed.h"

#include <stdatomic.h>

#define FL_MAPPING_VERSION 1

struct fl_placement {
	/* The hot path: slot of a hash, no mask. NULL without FL_BY_HASH. */
	uint32_t (*lookup)(const struct fl_placement *p, uint64_t hash);
	/* Where a hash's top bits number a row and the row is a slot: that table, so that a lookup
	 * is its one load and no call. NULL: `lookup` has to be asked. */
	const uint16_t *rows;
	unsigned row_shift;
	void *state; /* the algorithm's; NULL when nobody is eligible */
	uint64_t seed;
	struct fl_secret secret;

	const struct fl_algorithm *algorithm;
	uint64_t options[FL_MAX_OPTIONS];
	atomic_uint references;

	uint32_t count;        /* nodes */
	uint32_t slots;        /* one more than the highest slot in use */
	uint32_t eligible;     /* nodes of positive weight */
	uint64_t weight;       /* their sum */
	struct fl_node *nodes; /* sorted by name, bytes ascending; names and zones in `text` */
	uint64_t *hashes;      /* of the nodes' names, under the seed; beside `nodes` */
	uint32_t *ranks;       /* by slot: index into `nodes`, or FL_NONE */
	char *text;
	size_t text_size;
	uint64_t digest;

	uint32_t capacity;         /* slots are below this */
	struct fl_removed removed; /* of a lifo algorithm: all slots that own nothing */
};

/* The hash under p's secret and seed. */
uint64_t fl_place_hash_secret(const struct fl_placement *p, const void *bytes, size_t len);

/* The hash of a key's bytes, for p->lookup. The seed is in it either way, so that two tiers of
 * balancers may share a secret and still be independent. */
static inline uint64_t fl_place_hash(
	const struct fl_placement *p, const void *bytes, size_t len)
{
	return __builtin_expect(p->secret.given, 0) ? fl_place_hash_secret(p, bytes, len)
	                                            : fl_xxh3(bytes, len, p->seed);
}

/* What the slots are limited to: the option "capacity", or else what the row says. */
uint32_t fl_place_capacity(const struct fl_algorithm *a, const uint64_t *options);

/* What to say behind "too many nodes"; may be "". */
const char *fl_place_advice(const struct fl_algorithm *a);

/* The node in `slot`, or NULL. */
static inline const struct fl_node *fl_place_at(const struct fl_placement *p, uint32_t slot)
{
	if (slot >= p->slots || p->ranks[slot] == FL_NONE)
		return NULL;
	return &p->nodes[p->ranks[slot]];
}

static inline bool fl_masked(const struct fl_mask *mask, uint32_t slot)
{
	size_t word = slot / 64;
	return mask && word < mask->count && (mask->words[word] >> (slot % 64) & 1);
}

/* What a uniform hash gives each of equal nodes: 1 / eligible. As struct fl_algorithm's shares. */
void fl_place_even_shares(const struct fl_placement *p, double *shares);

/* Does `slot` hold one and the same node in both, whatever its weight? */
bool fl_place_kept(const struct fl_placement *a, const struct fl_placement *b, uint32_t slot);

#endif
