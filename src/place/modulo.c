/* modulo: the key's hash mod the number of eligible nodes, sorted by name. It is here as the
 * reference that shows why consistent hashing exists, and for what must not keep a table.
 *
 * Invariant: node number hash % n by name. Weights above 1 count as 1. Adding or removing one of
 * n nodes moves nearly all keys; the order nodes are given in does not matter.
 *
 * Further owners: at most 64 further tries with a salted hash, then the rest in rendezvous
 * order. A mask skips along that order, so only the masked nodes' keys move.
 *
 * Cost: one division a lookup; 4 bytes a node, and what the rendezvous order takes. */
#include "place/place.h"

#include "place/attempts.h"

#include <stdlib.h>

struct modulo {
	struct fl_hrw order; /* its slots are in name order: they are the table as well */
};

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	const struct modulo *m = p->state;
	return m->order.slot[hash % m->order.count];
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	struct modulo *m = malloc(sizeof(*m));
	(void)err;
	if (!m || fl_hrw_init(&m->order, p) != FL_OK) {
		free(m);
		return FL_ENOMEM;
	}
	/* The last resort ignores weights as the rest does. */
	m->order.weighted = false;
	p->state = m;
	p->lookup = lookup;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	struct modulo *m = p->state;
	fl_hrw_fini(&m->order);
	free(m);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct modulo *m = p->state;
	return fl_attempts_pick(p, &m->order, key->hash, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct modulo *m = p->state;
	return fl_attempts_owners(p, &m->order, key->hash, mask, slots, k);
}

static size_t memory(const struct fl_placement *p)
{
	return sizeof(struct modulo) + ((const struct modulo *)p->state)->order.bytes;
}

const struct fl_algorithm fl_algorithm_modulo = {
	.info = {"modulo", "The key's hash mod the number of nodes: nearly all keys move.",
		"seed=0", FL_BY_HASH | FL_SECRET | FL_ORDER_FREE | FL_HISTORY_FREE},
	.options = {{"seed", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL}},
	.seed = 0,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_XXH3,
	.build = build,
	.free = release,
	.pick = pick,
	.owners = owners,
	.shares = fl_place_even_shares,
	.memory = memory,
};
