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

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/hrw.h"

#include <stdlib.h>
#include <string.h>

#define ATTEMPTS 64

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

/* Try number 0 is the owner itself. */
static uint32_t attempt(const struct fl_placement *p, uint64_t hash, unsigned number)
{
	if (number > 0)
		hash = fl_mix64(hash + number * FL_SALT_ATTEMPT);
	return lookup(p, hash);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct modulo *m = p->state;
	for (unsigned i = 0; i <= ATTEMPTS; i++) {
		uint32_t slot = attempt(p, key->hash, i);
		if (!fl_masked(mask, slot))
			return slot;
	}
	return fl_hrw_first_unmasked(&m->order, key->hash, mask);
}

static bool among(const uint32_t *slots, size_t count, uint32_t slot)
{
	for (size_t i = 0; i < count; i++) {
		if (slots[i] == slot)
			return true;
	}
	return false;
}

/* The distinct unmasked nodes of all tries, in order, at most k. */
static size_t try_all(const struct fl_placement *p, uint64_t hash, const struct fl_mask *mask,
	uint32_t *slots, size_t k)
{
	size_t have = 0;
	for (unsigned i = 0; i <= ATTEMPTS && have < k; i++) {
		uint32_t slot = attempt(p, hash, i);
		if (!fl_masked(mask, slot) && !among(slots, have, slot))
			slots[have++] = slot;
	}
	return have;
}

/* Fills slots[have..k) from the first `count` of the rendezvous order, at most `have` of which
 * are there already. */
static size_t add_rest(
	uint32_t *slots, size_t have, size_t k, const uint32_t *rest, size_t count)
{
	size_t tried = have;
	for (size_t i = 0; i < count && have < k; i++) {
		if (!among(slots, tried, rest[i]))
			slots[have++] = rest[i];
	}
	return have;
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct modulo *m = p->state;
	uint32_t few[64], *rest = few;
	size_t have;
	int found;
	if (k <= 64) {
		have = try_all(p, key->hash, mask, slots, k);
		if (have == k)
			return (int)k;
	} else if (!(rest = malloc(k * sizeof(*rest)))) {
		return FL_ENOMEM;
	}
	found = fl_hrw_order(&m->order, key->hash, mask, rest, k);
	if (found >= 0) {
		/* Nothing can fail from here on, so nothing was touched if it did. */
		have = try_all(p, key->hash, mask, slots, k);
		found = (int)add_rest(slots, have, k, rest, (size_t)found);
	}
	if (rest != few)
		free(rest);
	return found;
}

static void shares(const struct fl_placement *p, double *out)
{
	for (uint32_t i = 0; i < p->count; i++)
		out[p->nodes[i].slot] = p->nodes[i].weight > 0 ? 1.0 / p->eligible : 0.0;
}

static size_t memory(const struct fl_placement *p)
{
	return sizeof(struct modulo) + ((const struct modulo *)p->state)->order.bytes;
}

const struct fl_algorithm fl_algorithm_modulo = {
	.info = {"modulo", "The key's hash mod the number of nodes: nearly all keys move.",
		"seed=0", FL_BY_HASH | FL_ORDER_FREE | FL_HISTORY_FREE},
	.options = {{"seed", 0, 0, UINT64_MAX, false, NULL}},
	.seed = 0,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_XXH3,
	.build = build,
	.free = release,
	.pick = pick,
	.owners = owners,
	.shares = shares,
	.memory = memory,
};
