/* maglev: a table of rows that the nodes fill by taking turns (Eisenbud et al. 2016).
 *
 * Every node has a permutation of the rows, (offset + j skip) mod R with R prime, made from its
 * name and the seed. In its turn a node takes the first row of its permutation that is still
 * free. A key's row is hash * R / 2^64, rounded down.
 *
 * Weights: turn k (from 0) of a node is due at (2k + 1) / (2 weight), nodes of equal time in the
 * order of their names; with equal weights that is the paper's round after round. So the rows
 * are apportioned as Sainte-Lague's rule does it: (2 rows_i - 1) / w_i <= (2 rows_j + 1) / w_j
 * for any two nodes, and no row could go to somebody who has more right to it. With equal
 * weights the numbers of rows differ by at most 1: the peak is all but the average. A node whose
 * weight is worth less than about half a row gets none and is starved; so are nodes beyond R.
 *
 * Invariant: the table is a function of names, weights, R and seed; order and history leave no
 * trace. It is NOT minimal: with one node more or less, other rows change owner as well, because
 * turns shift: with 100 nodes and 65537 rows about 0.6 % of the keys beyond the necessary. Every
 * change is possible, and movement is counted exactly.
 *
 * Further owners: the rows from a start on that the key has of its own (so that keys of one row
 * part when its owner goes), at most 64, then the rest in rendezvous order. A mask skips along
 * that order: only the masked nodes' keys move (own order, not exact).
 *
 * Cost: one load a lookup, 2 bytes a row. Building is R turns, each of O(log n) when weights
 * differ, and about R ln R tries of rows in all: a few milliseconds at 65537 rows. A change is
 * a full build. */
#include "place/place.h"

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/attempts.h"

#include <stdlib.h>

enum {
	OPTION_ROWS,
	OPTION_SEED
};

#define WALK 64

struct maglev {
	uint16_t *slots; /* by row */
	uint32_t rows;
	uint32_t *owned; /* rows by slot */
	struct fl_hrw rest;
};

_Static_assert(FL_MAX_ROWED - 1 <= UINT16_MAX, "a slot fits into a row");

static inline uint32_t row_of(const struct maglev *m, uint64_t hash)
{
	return (uint32_t)fl_mul_high(hash, m->rows);
}

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	const struct maglev *m = p->state;
	return m->slots[row_of(m, hash)];
}

static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	const struct maglev *m = p->state;
	for (size_t i = 0; i < count; i++)
		slots[i] = m->slots[row_of(m, hashes[i])];
}

/* ---- building ---- */

/* A node while the table is filled. */
struct filler {
	uint32_t next, skip; /* the row it tries next, and its step */
	uint32_t slot;
	uint32_t weight, turns; /* turns that it has had */
};

struct filling {
	struct maglev *table;
	uint64_t *taken;        /* a bit a row */
	struct filler *fillers; /* in name order */
	uint32_t *heap;         /* fillers, the one whose turn it is at the root */
	uint32_t count;
};

static void take_row(struct filling *f, struct filler *node)
{
	struct maglev *m = f->table;
	uint32_t row = node->next;
	while (f->taken[row / 64] >> (row % 64) & 1) {
		row += node->skip;
		row -= row >= m->rows ? m->rows : 0;
	}
	f->taken[row / 64] |= (uint64_t)1 << (row % 64);
	m->slots[row] = (uint16_t)node->slot;
	m->owned[node->slot]++;
	node->next = row;
	node->turns++;
}

static void fill_in_rounds(struct filling *f)
{
	for (uint32_t row = 0, i = 0; row < f->table->rows; row++) {
		take_row(f, &f->fillers[i]);
		i = i + 1 == f->count ? 0 : i + 1;
	}
}

/* Is it a's turn before b's? */
static bool due_before(const struct filling *f, uint32_t a, uint32_t b)
{
	const struct filler *x = &f->fillers[a], *y = &f->fillers[b];
	uint64_t left = (2 * (uint64_t)x->turns + 1) * y->weight;
	uint64_t right = (2 * (uint64_t)y->turns + 1) * x->weight;
	return left != right ? left < right : a < b;
}

static void sift_down(struct filling *f, uint32_t i)
{
	for (;;) {
		uint32_t child = 2 * i + 1, moved = f->heap[i];
		if (child >= f->count)
			return;
		if (child + 1 < f->count && due_before(f, f->heap[child + 1], f->heap[child]))
			child++;
		if (!due_before(f, f->heap[child], moved))
			return;
		f->heap[i] = f->heap[child];
		f->heap[child] = moved;
		i = child;
	}
}

static void fill_by_weight(struct filling *f)
{
	for (uint32_t i = 0; i < f->count; i++)
		f->heap[i] = i;
	for (uint32_t i = f->count / 2; i-- > 0;)
		sift_down(f, i);
	for (uint32_t row = 0; row < f->table->rows; row++) {
		take_row(f, &f->fillers[f->heap[0]]);
		sift_down(f, 0);
	}
}

static void set_filler(struct filling *f, const struct fl_placement *p, uint32_t rank)
{
	uint32_t rows = f->table->rows;
	uint64_t offset = fl_mix64(p->hashes[rank] ^ FL_SALT_OFFSET);
	uint64_t skip = fl_mix64(p->hashes[rank] ^ FL_SALT_SKIP);
	f->fillers[f->count++] = (struct filler){.next = (uint32_t)fl_mul_high(offset, rows),
		.skip = (uint32_t)fl_mul_high(skip, rows - 1) + 1,
		.slot = p->nodes[rank].slot,
		.weight = (uint32_t)p->nodes[rank].weight};
}

static int fill(struct maglev *m, const struct fl_placement *p)
{
	struct filling f = {.table = m};
	f.taken = calloc(m->rows / 64 + 1, sizeof(*f.taken));
	f.fillers = calloc(p->eligible, sizeof(*f.fillers));
	f.heap = calloc(p->eligible, sizeof(*f.heap));
	bool fine = f.taken && f.fillers && f.heap;
	for (uint32_t r = 0; fine && r < p->count; r++) {
		if (p->nodes[r].weight > 0)
			set_filler(&f, p, r);
	}
	if (fine && m->rest.weighted)
		fill_by_weight(&f);
	else if (fine)
		fill_in_rounds(&f);
	free(f.taken);
	free(f.fillers);
	free(f.heap);
	return fine ? FL_OK : FL_ENOMEM;
}

static void free_table(struct maglev *m)
{
	if (!m)
		return;
	fl_hrw_fini(&m->rest);
	free(m->slots);
	free(m->owned);
	free(m);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	struct maglev *m = calloc(1, sizeof(*m));
	(void)err;
	if (!m)
		return FL_ENOMEM;
	m->rows = (uint32_t)p->options[OPTION_ROWS];
	m->slots = malloc(m->rows * sizeof(*m->slots));
	m->owned = calloc(p->slots, sizeof(*m->owned));
	if (!m->slots || !m->owned || fl_hrw_init(&m->rest, p) != FL_OK ||
		fill(m, p) != FL_OK) {
		free_table(m);
		return FL_ENOMEM;
	}
	p->state = m;
	p->lookup = lookup;
	return FL_OK;
}

static void release(struct fl_placement *p)
{
	free_table(p->state);
}

/* ---- owners ---- */

/* The owner first, then the owners of the rows from the key's own start on. */
static uint32_t walk(const struct maglev *m, uint64_t hash, uint32_t start, unsigned step)
{
	uint64_t row = step ? (uint64_t)start + step - 1 : row_of(m, hash);
	return m->slots[row % m->rows];
}

static uint32_t start_of(const struct maglev *m, uint64_t hash)
{
	return row_of(m, fl_mix64(hash + FL_SALT_ATTEMPT));
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct maglev *m = p->state;
	uint32_t start = start_of(m, key->hash);
	for (unsigned i = 0; i <= WALK; i++) {
		uint32_t slot = walk(m, key->hash, start, i);
		if (!fl_masked(mask, slot))
			return slot;
	}
	return fl_hrw_first_unmasked(&m->rest, key->hash, mask);
}

static size_t walk_all(const struct maglev *m, uint64_t hash, const struct fl_mask *mask,
	uint32_t *slots, size_t k)
{
	uint32_t start = start_of(m, hash);
	size_t have = 0;
	for (unsigned i = 0; i <= WALK && have < k; i++) {
		uint32_t slot = walk(m, hash, start, i);
		if (!fl_masked(mask, slot) && !fl_owners_have(slots, have, slot))
			slots[have++] = slot;
	}
	return have;
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct maglev *m = p->state;
	uint32_t few[64], *rest = few;
	int found;
	if (k <= 64) {
		if (walk_all(m, key->hash, mask, slots, k) == k)
			return (int)k;
	} else if (!(rest = malloc(k * sizeof(*rest)))) {
		return FL_ENOMEM;
	}
	found = fl_hrw_order(&m->rest, key->hash, mask, rest, k);
	if (found >= 0) {
		/* Nothing can fail from here on, so nothing was touched if it did. */
		size_t have = walk_all(m, key->hash, mask, slots, k);
		found = (int)fl_owners_append(slots, have, k, rest, (size_t)found);
	}
	if (rest != few)
		free(rest);
	return found;
}

/* ---- what it is ---- */

/* Row i ends below (i + 1) 2^64 / rows, which is no whole number for an odd prime but at the end.
 * Long division in two steps of 32 bits. */
static bool arc(const struct fl_placement *p, size_t i, struct fl_arc *out)
{
	const struct maglev *m = p->state;
	uint64_t end = (uint64_t)i + 1;
	if (i >= m->rows)
		return false;
	uint64_t high = (end << 32) / m->rows, rest = (end << 32) % m->rows;
	uint64_t last = (high << 32) + (rest << 32) / m->rows;
	out->last = end == m->rows ? UINT64_MAX : last;
	out->slot = m->slots[i];
	return true;
}

static size_t memory(const struct fl_placement *p)
{
	const struct maglev *m = p->state;
	return sizeof(*m) + m->rest.bytes + p->slots * sizeof(*m->owned) +
	       m->rows * sizeof(*m->slots);
}

static bool starved(const struct fl_placement *p, uint32_t slot)
{
	return ((const struct maglev *)p->state)->owned[slot] == 0;
}

const struct fl_algorithm fl_algorithm_maglev = {
	.info = {"maglev",
		"Nodes take turns to fill a table: even shares, not minimal on changes.",
		"rows=65537,seed=0",
		FL_BY_HASH | FL_SECRET | FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE |
			FL_EXACT_MOVEMENT},
	.options = {{"rows", 65537, 251, 16777213, FL_PRIME, NULL},
		{"seed", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL}},
	.seed = OPTION_SEED,
	.max_weight = FL_MAX_WEIGHT,
	.max_nodes = FL_MAX_ROWED,
	.key_hash = FL_KEY_XXH3,
	.build = build,
	.free = release,
	.pick = pick,
	.owners = owners,
	.batch = batch,
	.arc = arc,
	.part = FL_PART_ROW,
	.memory = memory,
	.starved = starved,
};
