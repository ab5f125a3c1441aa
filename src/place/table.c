/* table: a fixed number of rows, each of which is a key of the rendezvous order, computed ahead.
 *
 * A key's row is the top bits of its hash; the row's owner is the node that comes first in the
 * weighted rendezvous order (hrw.c) of the row. What holds for rendezvous holds for rows:
 * whatever changes, only a changed node's rows move, and order and history leave no trace.
 *
 * Shares are whole rows: with n nodes and R rows a node's share varies by about sqrt(n / R) of
 * itself: peak about 1.13 at 100 nodes and 65536 rows. Good while n <= R / 100; beyond, nodes
 * may get no row at all (starved). The number of rows is never derived from n, because changing
 * it moves keys.
 *
 * Cost: one load a lookup, 2 bytes a row (every slot fits). Further owners and masked picks
 * are computed from the row by the rendezvous order itself, O(n), and are exact. Building is
 * rows * n scores; a derived table recomputes only the rows that a changed node loses, and
 * compares the owner of every other row with each node that gained. */
#include "place/place.h"

#include "hash/salt.h"
#include "place/table_priv.h"

#include <stdlib.h>
#include <string.h>

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	const struct fl_table *t = p->state;
	return t->slots[hash >> t->shift];
}

/* No load waits for another, so the processor has as many under way as it can. */
static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	const struct fl_table *t = p->state;
	const uint16_t *rows = t->slots;
	unsigned shift = t->shift;
	for (size_t i = 0; i < count; i++)
		slots[i] = rows[hashes[i] >> shift];
}

static void set_owner(struct fl_table *t, uint32_t row, uint32_t slot)
{
	t->slots[row] = (uint16_t)slot;
	t->owned[slot]++;
}

void fl_table_free(struct fl_table *t)
{
	if (!t)
		return;
	fl_hrw_fini(&t->order);
	free(t->slots);
	free(t->owned);
	free(t);
}

static struct fl_table *blank(const struct fl_placement *p)
{
	struct fl_table *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->rows = (uint32_t)p->options[FL_TABLE_ROWS];
	t->shift = 64 - (unsigned)__builtin_ctzll(t->rows);
	t->row_seed = fl_salted(p->seed, FL_SALT_ROW);
	t->owned = calloc(p->slots, sizeof(*t->owned));
	t->slots = malloc(t->rows * sizeof(*t->slots));
	if (!t->owned || !t->slots || fl_hrw_init(&t->order, p) != FL_OK) {
		fl_table_free(t);
		return NULL;
	}
	return t;
}

static int adopt(struct fl_placement *p, struct fl_table *t)
{
	if (!t)
		return FL_ENOMEM;
	p->state = t;
	p->lookup = lookup;
	p->rows = t->slots;
	p->row_shift = t->shift;
	return FL_OK;
}

/* There are at least 256 rows, and always a power of two. */
static void fill(struct fl_table *t)
{
	uint64_t keys[256];
	uint32_t slots[256];
	for (uint32_t row = 0; row < t->rows; row += 256) {
		for (uint32_t i = 0; i < 256; i++)
			keys[i] = fl_table_key(t, row + i);
		fl_hrw_firsts(&t->order, keys, 256, slots);
		for (uint32_t i = 0; i < 256; i++)
			set_owner(t, row + i, slots[i]);
	}
}

struct fl_table *fl_table_new(const struct fl_placement *p)
{
	struct fl_table *t = blank(p);
	if (t)
		fill(t);
	return t;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return adopt(p, fl_table_new(p));
}

/* What changed between two memberships, by slot. */
struct changes {
	bool *lost;       /* by old slot: its rows may go to anybody */
	uint32_t *gained; /* slots that may take rows from anybody */
	uint32_t gains;
};

static void find_changes(
	const struct fl_placement *p, const struct fl_placement *old, struct changes *c)
{
	uint32_t end = p->slots > old->slots ? p->slots : old->slots;
	for (uint32_t slot = 0; slot < end; slot++) {
		const struct fl_node *was = fl_place_at(old, slot), *is = fl_place_at(p, slot);
		int32_t before = was ? was->weight : 0, after = is ? is->weight : 0;
		bool kept = fl_place_kept(p, old, slot);
		if (slot < old->slots)
			c->lost[slot] = before > 0 && (!kept || after < before);
		if (after > 0 && (!kept || after > before))
			c->gained[c->gains++] = slot;
	}
}

static void refill(struct fl_table *t, const struct fl_table *old, const struct changes *c)
{
	for (uint32_t row = 0; row < t->rows; row++) {
		uint64_t key = fl_table_key(t, row);
		uint32_t slot = old->slots[row];
		if (c->lost[slot]) {
			slot = fl_hrw_first(&t->order, key);
		} else {
			for (uint32_t i = 0; i < c->gains; i++) {
				if (fl_hrw_before(&t->order, key, c->gained[i], slot))
					slot = c->gained[i];
			}
		}
		set_owner(t, row, slot);
	}
}

struct fl_table *fl_table_derived(const struct fl_placement *p, const struct fl_placement *old,
	const struct fl_table *before)
{
	struct changes c = {malloc(old->slots), malloc(p->slots * sizeof(*c.gained)), 0};
	struct fl_table *t = c.lost && c.gained ? blank(p) : NULL;
	if (t) {
		find_changes(p, old, &c);
		/* A comparison costs as much as a few dozen nodes in the vectorised search. */
		if (c.gains > 2 + p->eligible / 32)
			fill(t);
		else
			refill(t, before, &c);
	}
	free(c.lost);
	free(c.gained);
	return t;
}

static int derive(struct fl_placement *p, const struct fl_placement *old, struct fl_error *err)
{
	(void)err;
	return adopt(p, fl_table_derived(p, old, old->state));
}

static void release(struct fl_placement *p)
{
	fl_table_free(p->state);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct fl_table *t = p->state;
	uint32_t slot = t->slots[key->hash >> t->shift];
	if (!fl_masked(mask, slot))
		return slot;
	if (fl_hrw_order(&t->order, fl_table_key(t, key->hash >> t->shift), mask, &slot, 1) ==
		0)
		return FL_NONE;
	return slot;
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct fl_table *t = p->state;
	return fl_hrw_order(&t->order, fl_table_key(t, key->hash >> t->shift), mask, slots, k);
}

static bool arc(const struct fl_placement *p, size_t i, struct fl_arc *out)
{
	const struct fl_table *t = p->state;
	if (i >= t->rows)
		return false;
	*out = (struct fl_arc){((uint64_t)(i + 1) << t->shift) - 1, t->slots[i]};
	return true;
}

size_t fl_table_memory(const struct fl_table *t, const struct fl_placement *p)
{
	return sizeof(*t) + t->order.bytes + p->slots * sizeof(*t->owned) +
	       t->rows * sizeof(*t->slots);
}

static size_t memory(const struct fl_placement *p)
{
	return fl_table_memory(p->state, p);
}

static bool starved(const struct fl_placement *p, uint32_t slot)
{
	return ((const struct fl_table *)p->state)->owned[slot] == 0;
}

const struct fl_algorithm fl_algorithm_table = {
	.info = {"table", "Rows computed ahead in rendezvous order: one load a lookup.",
		"rows=65536,seed=0",
		FL_BY_HASH | FL_SECRET | FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT |
			FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE | FL_EXACT_MOVEMENT},
	.options = {{"rows", 65536, 1u << 8, 1u << 24, true, NULL},
		{"seed", 0, 0, UINT64_MAX, false, NULL}},
	.seed = FL_TABLE_SEED,
	.max_weight = FL_MAX_WEIGHT,
	.max_nodes = FL_MAX_ROWED,
	.key_hash = FL_KEY_XXH3,
	.variant = &fl_algorithm_bounded_table,
	.build = build,
	.derive = derive,
	.free = release,
	.pick = pick,
	.owners = owners,
	.batch = batch,
	.arc = arc,
	.part = FL_PART_ROW,
	.memory = memory,
	.starved = starved,
};
