/* bounded-table: a table in which no node owns more than its cap of rows.
 *
 * Rows and nodes look for each other as in Gale & Shapley (1962): each row asks the nodes in its
 * rendezvous order (hrw.c), each node keeps the best that have asked, as many as its cap allows,
 * and turns the others away, who then ask their next. What makes it a table that machines can
 * agree on is that one score ranks both sides. Write P for the set of pairs (row, node), ordered
 * by
 *     value of the node for the row, then score, then name of the node, then row.
 * That is a strict order of all pairs. Among the pairs of one row it is the rendezvous order;
 * among those of one node, whose weight is then the same throughout, it is "higher score, then
 * lower row", because the value never grows with the score.
 *
 * Stable means: no row and node would both rather have each other than what they have, a node
 * with room being glad of any row. There is exactly one stable outcome, and it is the greedy one:
 * take the pairs in order and join row and node unless the row is taken or the node is full.
 * Proof, by induction over the rows that are left. Let (r, i) be the first pair of all in P, nodes
 * of cap 0 aside. In a stable outcome r is with i: else r would rather be with i than with
 * whatever it has, and i has room or holds a row that stands behind r, so both would change. Fix
 * this pair, take r out and one off i's cap. An outcome that contains (r, i) is stable before just
 * when the rest of it is stable now, as (r, i) suits both and blocks nobody, so what remains has
 * one stable outcome, which is the greedy one; hence so has the whole. The caps add up to the rows
 * at least, so nobody is left over: a row would have been turned away by every node, all of them
 * full, but then all rows have a place.
 *
 * Deferred acceptance ends in a stable outcome whatever the order of asking, thus in this one: no
 * order of nodes and no history can leave a trace, and a derived table is a fresh one. Turning
 * away is for good while it runs, because what a node holds only gets better; so a row that is
 * turned out may as well ask from the start of its order again, and nothing is kept about rows.
 *
 * Caps: floor((1 + epsilon) rows w / W) for every node if these add up to the rows, else ceil for
 * every node. In integers, epsilon in millionths.
 *
 * What moves: more than with the plain table, since rows that were turned away are displaced by
 * changes elsewhere, and caps change with the sum of weights. bench/bounded.c measures it: with
 * 100 nodes, 65536 rows and epsilon 5 %, under 0.05 % of the keys beyond the least, on average
 * over the removals of each node. Masking does not rebuild: a masked node's rows go to the next in
 * the row's own order, caps ignored, and other rows stay. A node whose cap is 0, or whose rows all
 * prefer others, is starved.
 *
 * Related work: Maggs & Sitaraman (2015) tell of stable allocation of traffic to clusters.
 *
 * Cost: a lookup is one load. 4 bytes a row: owners, and the first choices, which are a plain
 * table and are derived like one; then the asking is done anew, O(rows) and a few hundred
 * nanoseconds for each row that is turned away. While building, at most 16 bytes a row more. */
#include "place/bounded.h"

#include "base/assert.h"
#include "place/place.h"
#include "place/score.h"
#include "place/table_priv.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY    UINT32_MAX
#define MILLION   1000000u
#define FIRST_FEW 8
#define AT_A_TIME 64

enum {
	OPTION_EPSILON = FL_TABLE_OPTIONS
};

struct bounded {
	uint16_t *slots; /* by row: the owner */
	unsigned shift;  /* 64 - log2(rows) */
	uint32_t *owned; /* rows by slot */
	struct fl_table *first;
};

/* A node while rows ask. */
struct desk {
	uint32_t *rows; /* that it holds; once full, a heap whose root is the worst */
	uint32_t count, cap;
	bool heaped;
	uint64_t node; /* its hash */
};

struct market {
	const struct fl_table *first;
	struct desk *desks; /* by slot */
	uint32_t slots;
	uint32_t *held;   /* the rows of all desks */
	uint32_t *turned; /* rows away from their first choice */
	size_t turned_count;
	struct fl_mask asked; /* by the row whose turn it is */
	uint64_t *words;      /* of `asked` */
};

/* ---- caps ---- */

/* (1 + epsilon) * rows * weight < 2^21 * 2^24 * 2^16, and W * MILLION < 2^52. */
static uint64_t cap_of(const struct fl_placement *p, int32_t weight, bool up)
{
	uint64_t share = (MILLION + p->options[OPTION_EPSILON]) * p->options[FL_TABLE_ROWS] *
	                 (uint64_t)weight;
	uint64_t whole = p->weight * MILLION, cap = (share + (up ? whole - 1 : 0)) / whole;
	return cap < p->options[FL_TABLE_ROWS] ? cap : p->options[FL_TABLE_ROWS];
}

/* Are there too few places when all caps are rounded down? */
static bool round_up(const struct fl_placement *p)
{
	uint64_t places = 0;
	for (uint32_t i = 0; i < p->count; i++)
		places += cap_of(p, p->nodes[i].weight, false);
	return places < p->options[FL_TABLE_ROWS];
}

uint32_t fl_bounded_cap(const struct fl_placement *p, uint32_t slot)
{
	const struct fl_node *node = fl_place_at(p, slot);
	return node ? (uint32_t)cap_of(p, node->weight, round_up(p)) : 0;
}

/* ---- desks ---- */

/* Would the node rather have row a than row b? */
static bool better(const struct market *m, const struct desk *d, uint32_t a, uint32_t b)
{
	uint64_t x = fl_score(d->node, fl_table_key(m->first, a));
	uint64_t y = fl_score(d->node, fl_table_key(m->first, b));
	return x != y ? x > y : a < b;
}

static void sink(const struct market *m, struct desk *d, uint32_t i)
{
	uint32_t row = d->rows[i];
	for (;;) {
		uint32_t child = 2 * i + 1;
		if (child >= d->count)
			break;
		if (child + 1 < d->count && better(m, d, d->rows[child], d->rows[child + 1]))
			child++;
		if (!better(m, d, row, d->rows[child]))
			break;
		d->rows[i] = d->rows[child];
		i = child;
	}
	d->rows[i] = row;
}

static void make_heap(const struct market *m, struct desk *d)
{
	for (uint32_t i = d->count / 2; i-- > 0;)
		sink(m, d, i);
	d->heaped = true;
}

/* Keeps the best `cap` rows. */
static void turn_away(struct market *m, struct desk *d)
{
	if (d->count <= d->cap)
		return;
	make_heap(m, d);
	while (d->count > d->cap) {
		m->turned[m->turned_count++] = d->rows[0];
		d->rows[0] = d->rows[--d->count];
		sink(m, d, 0);
	}
}

/* Does the node take the row? If so, *out is the row that goes instead, or NOBODY. */
static bool take(struct market *m, struct desk *d, uint32_t row, uint32_t *out)
{
	if (d->count < d->cap) {
		d->rows[d->count++] = row;
		*out = NOBODY;
		return true;
	}
	if (d->cap == 0)
		return false;
	if (!d->heaped)
		make_heap(m, d);
	if (!better(m, d, row, d->rows[0]))
		return false;
	*out = d->rows[0];
	d->rows[0] = row;
	sink(m, d, 0);
	return true;
}

/* The row asks node after node until one takes it. Gives the row that goes instead. */
static uint32_t ask_around(struct market *m, uint32_t row)
{
	const struct fl_hrw *order = &m->first->order;
	uint32_t few[AT_A_TIME], out = NOBODY;
	size_t asked = 0, want = FIRST_FEW;
	memset(m->words, 0, m->asked.count * sizeof(*m->words));
	while (asked < order->count) {
		if (want > order->count - asked)
			want = order->count - asked;
		int n = fl_hrw_order(order, fl_table_key(m->first, row), &m->asked, few, want);
		FL_ASSERT(n == (int)want);
		for (int i = 0; i < n; i++) {
			if (take(m, &m->desks[few[i]], row, &out))
				return out;
			m->words[few[i] / 64] |= (uint64_t)1 << (few[i] % 64);
		}
		asked += want;
		want = AT_A_TIME;
	}
	/* Every node is full, yet this row has no place: the caps cannot add up. */
	FL_ASSERT(!"room for every row");
	return NOBODY;
}

/* ---- the market as a whole ---- */

static void market_fini(struct market *m)
{
	free(m->desks);
	free(m->held);
	free(m->turned);
	free(m->words);
}

static size_t set_caps(struct market *m, const struct fl_placement *p, size_t *turned)
{
	bool up = round_up(p);
	size_t places = 0;
	*turned = 0;
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		struct desk *d = &m->desks[slot];
		uint32_t wanted = m->first->owned[slot];
		if (!node || node->weight == 0)
			continue;
		d->cap = (uint32_t)cap_of(p, node->weight, up);
		d->node = p->hashes[p->ranks[slot]];
		places += wanted > d->cap ? wanted : d->cap;
		*turned += wanted > d->cap ? wanted - d->cap : 0;
	}
	return places;
}

static void lay_out(struct market *m)
{
	uint32_t *at = m->held;
	for (uint32_t slot = 0; slot < m->slots; slot++) {
		struct desk *d = &m->desks[slot];
		uint32_t wanted = m->first->owned[slot];
		d->rows = at;
		at += wanted > d->cap ? wanted : d->cap;
	}
	for (uint32_t row = 0; row < m->first->rows; row++) {
		struct desk *d = &m->desks[m->first->slots[row]];
		FL_ASSERT(d->rows);
		d->rows[d->count++] = row;
	}
}

static int market_init(
	struct market *m, const struct fl_placement *p, const struct fl_table *first)
{
	size_t places, turned, words = (p->slots + 63) / 64;
	*m = (struct market){.first = first, .slots = p->slots};
	m->desks = calloc(p->slots, sizeof(*m->desks));
	if (!m->desks)
		return FL_ENOMEM;
	places = set_caps(m, p, &turned);
	m->held = malloc((places + 1) * sizeof(*m->held));
	m->turned = malloc((turned + 1) * sizeof(*m->turned));
	m->words = malloc(words * sizeof(*m->words));
	if (!m->held || !m->turned || !m->words)
		return FL_ENOMEM;
	m->asked = (struct fl_mask){m->words, words};
	lay_out(m);
	return FL_OK;
}

static void settle(struct market *m)
{
	for (uint32_t slot = 0; slot < m->slots; slot++)
		turn_away(m, &m->desks[slot]);
	while (m->turned_count > 0) {
		uint32_t row = m->turned[--m->turned_count];
		while (row != NOBODY)
			row = ask_around(m, row);
	}
}

static void write_down(struct bounded *b, const struct market *m)
{
	for (uint32_t slot = 0; slot < m->slots; slot++) {
		const struct desk *d = &m->desks[slot];
		for (uint32_t i = 0; i < d->count; i++)
			b->slots[d->rows[i]] = (uint16_t)slot;
		b->owned[slot] = d->count;
	}
}

static int assign(struct bounded *b, const struct fl_placement *p, const struct fl_table *first)
{
	struct market m;
	int rc = market_init(&m, p, first);
	if (rc == FL_OK) {
		settle(&m);
		write_down(b, &m);
	}
	market_fini(&m);
	return rc;
}

/* ---- the algorithm ---- */

static uint32_t lookup(const struct fl_placement *p, uint64_t hash)
{
	const struct bounded *b = p->state;
	return b->slots[hash >> b->shift];
}

static void batch(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	const struct bounded *b = p->state;
	const uint16_t *rows = b->slots;
	unsigned shift = b->shift;
	for (size_t i = 0; i < count; i++)
		slots[i] = rows[hashes[i] >> shift];
}

static void free_bounded(struct bounded *b)
{
	if (!b)
		return;
	fl_table_free(b->first);
	free(b->slots);
	free(b->owned);
	free(b);
}

/* Takes `first` over, also on failure. */
static int adopt(struct fl_placement *p, struct fl_table *first)
{
	struct bounded *b = calloc(1, sizeof(*b));
	if (!b || !first) {
		fl_table_free(first);
		free(b);
		return FL_ENOMEM;
	}
	b->first = first;
	b->shift = first->shift;
	b->owned = calloc(p->slots, sizeof(*b->owned));
	b->slots = malloc(first->rows * sizeof(*b->slots));
	if (!b->owned || !b->slots || assign(b, p, first) != FL_OK) {
		free_bounded(b);
		return FL_ENOMEM;
	}
	p->state = b;
	p->lookup = lookup;
	p->rows = b->slots;
	p->row_shift = b->shift;
	return FL_OK;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return adopt(p, fl_table_new(p));
}

static int derive(struct fl_placement *p, const struct fl_placement *old, struct fl_error *err)
{
	const struct bounded *b = old->state;
	(void)err;
	return adopt(p, fl_table_derived(p, old, b->first));
}

static void release(struct fl_placement *p)
{
	free_bounded(p->state);
}

static uint64_t key_of(const struct bounded *b, const struct fl_key *key)
{
	return fl_table_key(b->first, key->hash >> b->shift);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct bounded *b = p->state;
	uint32_t slot = b->slots[key->hash >> b->shift];
	if (!fl_masked(mask, slot))
		return slot;
	if (fl_hrw_order(&b->first->order, key_of(b, key), mask, &slot, 1) == 0)
		return FL_NONE;
	return slot;
}

/* The owner, then the row's order without it. */
static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct bounded *b = p->state;
	uint32_t owner = b->slots[key->hash >> b->shift];
	int n = fl_hrw_order(&b->first->order, key_of(b, key), mask, slots, k), at = 0;
	if (n <= 0 || fl_masked(mask, owner))
		return n;
	while (at < n - 1 && slots[at] != owner)
		at++;
	memmove(slots + 1, slots, (size_t)at * sizeof(*slots));
	slots[0] = owner;
	return n;
}

static bool arc(const struct fl_placement *p, size_t i, struct fl_arc *out)
{
	const struct bounded *b = p->state;
	if (i >= b->first->rows)
		return false;
	*out = (struct fl_arc){((uint64_t)(i + 1) << b->shift) - 1, b->slots[i]};
	return true;
}

static size_t memory(const struct fl_placement *p)
{
	const struct bounded *b = p->state;
	return sizeof(*b) + p->slots * sizeof(*b->owned) + b->first->rows * sizeof(*b->slots) +
	       fl_table_memory(b->first, p);
}

static bool starved(const struct fl_placement *p, uint32_t slot)
{
	return ((const struct bounded *)p->state)->owned[slot] == 0;
}

const struct fl_algorithm fl_algorithm_bounded_table = {
	.info = {"bounded-table",
		"A table whose nodes own at most (1 + epsilon) times their share of the rows.",
		"rows=65536,seed=0,epsilon=5%",
		FL_BY_HASH | FL_SECRET | FL_WEIGHTS | FL_ORDER_FREE | FL_HISTORY_FREE |
			FL_EXACT_MOVEMENT},
	.options = {{"rows", 65536, 1u << 8, 1u << 24, FL_POWER_OF_TWO, NULL},
		{"seed", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL},
		{"epsilon", 50000, 0, MILLION, FL_RATIO, NULL}},
	.seed = FL_TABLE_SEED,
	.max_weight = FL_MAX_WEIGHT,
	.max_nodes = FL_MAX_ROWED,
	.key_hash = FL_KEY_XXH3,
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
