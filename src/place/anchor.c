/* anchor: removal-time sets over a fixed capacity (Mendelson, Vargaftik, Barabash, Lorenz,
 * Keslassy, Orda: AnchorHash, a scalable consistent hash, 2020).
 *
 * There are `capacity` slots; those in use are the working set. When a slot goes out of service,
 * A[slot] keeps the size of the working set that was left, and the keys that reach the slot are
 * hashed again, with the slot, into that set as it was then. A set is not stored: K holds, for
 * each place in the numbering of the working set, who stood there later, so that a number below
 * A[b] which belongs to a slot that was gone already is followed through K ("wrap") to a slot
 * that was not.
 *
 * Invariant: a key goes through removed slots with ever smaller A and ends at one that is in
 * use; each slot in use has 1/n of the keys. Taking slot b out moves b's keys only, evenly to
 * the others; putting the slot removed last back is the exact inverse. So the mapping is a
 * function of the capacity and the removal stack, and nothing else: that is what is saved, and
 * what a derived placement is built from (O(capacity), as copying the arrays would be).
 *
 * What moves: only the keys of the node that changes. Any node may go. Slots come back last in,
 * first out: a new node without a slot of its own takes the one removed last; asking for another
 * is FL_ENOTSUP. Built afresh, the free slots count as removed from the highest down, so the
 * lowest is the next. History matters: the same nodes and slots with another history are another
 * mapping (and another digest); use fl_placement_save where that must survive. Weights: 1, or 0
 * for a slot that is out of service and keeps its name.
 *
 * Cost: 1 + ln(capacity / n) hashes expected, O(1 + ln^2) steps with the wraps; at worst capacity
 * steps. 8 bytes a slot, A and K side by side since they are read together, and 24 a node for
 * the last resort. Masks and further owners: attempts.h. */
#include "place/place.h"

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/attempts.h"

#include <stdlib.h>

struct cell {
	uint32_t left; /* A: 0 while in use, else how many were left without it */
	uint32_t next; /* K */
};

struct anchor {
	struct cell *cells;
	uint32_t capacity;
	struct fl_hrw rest;
};

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	const struct anchor *s = p->state;
	const struct cell *cells = s->cells;
	uint32_t b = (uint32_t)fl_mul_high(hash, s->capacity), left;
	while ((left = cells[b].left) != 0) {
		uint64_t again = fl_mix64(hash + (b + 1) * FL_SALT_ANCHOR);
		b = (uint32_t)fl_mul_high(again, left);
		while (cells[b].left >= left)
			b = cells[b].next;
	}
	return b;
}

#define SOME 256 /* keys that take turns */
#define FEW  8   /* so few left that turns do not pay */

struct traveller {
	uint64_t hash;
	uint32_t at, bound; /* its slot, and the working set it was hashed into */
	uint32_t place;     /* in the batch */
};

/* One step: into the smaller set, or along K if `at` had left before. */
static inline bool step(const struct cell *cells, struct traveller *t)
{
	struct cell c = cells[t->at];
	uint64_t again = fl_mix64(t->hash + (t->at + 1) * FL_SALT_ANCHOR);
	uint32_t into = (uint32_t)fl_mul_high(again, c.left);
	bool wrap = c.left >= t->bound;
	t->at = wrap ? c.next : into;
	t->bound = wrap ? t->bound : c.left;
	return cells[t->at].left != 0;
}

/* All keys make a step, those at removed slots another, and so on. How far one has to go nobody
 * can foresee, so it is no branch here. */
static void take_turns(
	const struct anchor *s, const uint64_t *hashes, uint32_t count, uint32_t *slots)
{
	struct traveller list[SOME + 1];
	uint32_t left = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = (uint32_t)fl_mul_high(hashes[i], s->capacity);
		slots[i] = at;
		list[left] = (struct traveller){hashes[i], at, s->capacity, i};
		left += s->cells[at].left != 0;
	}
	while (left >= FEW) {
		uint32_t kept = 0;
		for (uint32_t j = 0; j < left; j++) {
			struct traveller t = list[j];
			bool on = step(s->cells, &t);
			slots[t.place] = t.at;
			list[kept] = t;
			kept += on;
		}
		left = kept;
	}
	for (uint32_t j = 0; j < left; j++) {
		while (step(s->cells, &list[j])) {
		}
		slots[list[j].place] = list[j].at;
	}
}

static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	for (size_t i = 0; i < count; i += SOME)
		take_turns(p->state, hashes + i,
			count - i < SOME ? (uint32_t)(count - i) : (uint32_t)SOME, slots + i);
}

/* Removes the slots of the stack in order. `at` is the paper's W, who stands at each number, and
 * `number` its L, the number of each slot. */
static void replay(
	struct anchor *s, const struct fl_removed *removed, uint32_t *at, uint32_t *number)
{
	uint32_t left = s->capacity;
	for (uint32_t i = 0; i < s->capacity; i++) {
		s->cells[i] = (struct cell){0, i};
		at[i] = number[i] = i;
	}
	for (uint32_t i = 0; i < removed->count; i++) {
		uint32_t b = removed->slot[i], last = at[--left];
		s->cells[b] = (struct cell){left, last};
		at[number[b]] = last;
		number[last] = number[b];
	}
}

static void destroy(struct anchor *s)
{
	if (s)
		free(s->cells);
	free(s);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	uint32_t capacity = p->capacity;
	struct anchor *s = calloc(1, sizeof(*s));
	uint32_t *work = malloc(2 * capacity * sizeof(*work));
	(void)err;
	if (s)
		s->cells = malloc(capacity * sizeof(*s->cells));
	if (!s || !work || !s->cells || fl_hrw_init(&s->rest, p) != FL_OK) {
		destroy(s);
		free(work);
		return FL_ENOMEM;
	}
	s->capacity = capacity;
	replay(s, &p->removed, work, work + capacity);
	free(work);
	p->state = s;
	p->lookup = lookup;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	struct anchor *s = p->state;
	fl_hrw_fini(&s->rest);
	destroy(s);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct anchor *s = p->state;
	return fl_attempts_pick(p, &s->rest, key->hash, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct anchor *s = p->state;
	return fl_attempts_owners(p, &s->rest, key->hash, mask, slots, k);
}

static size_t memory(const struct fl_placement *p)
{
	const struct anchor *s = p->state;
	return sizeof(*s) + s->capacity * sizeof(*s->cells) + s->rest.bytes;
}

const struct fl_algorithm fl_algorithm_anchor = {
	.info = {"anchor",
		"AnchorHash: any node may go, slots come back last in, first out; its history "
		"counts.",
		"capacity=1024,seed=0",
		FL_BY_HASH | FL_SECRET | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT},
	.options = {{.name = "capacity", .def = 1024, .min = 1, .max = FL_MAX_NODES},
		{.name = "seed", .max = UINT64_MAX}},
	.seed = 1,
	.max_weight = 1,
	.key_hash = FL_KEY_XXH3,
	.by_slot = true,
	.numbered = true,
	.lifo = true,
	.build = build,
	.free = release,
	.pick = pick,
	.owners = owners,
	.batch = batch,
	.shares = fl_place_even_shares,
	.memory = memory,
};
