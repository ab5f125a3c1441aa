/* Space-saving (Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements
 * in Data Streams, ICDT 2005).
 *
 * A key with a counter adds to it. A key without one takes the lightest counter over, weight
 * included, and remembers that weight as its error. Then
 *   - the counters sum to the total, so the lightest is at most total / k;
 *   - the lightest never gets lighter, and when a key lost its counter it weighed at most what the
 *     lightest weighed then; so a key without a counter weighs at most the lightest counter, and
 *     one that takes it over was overrated by at most its error;
 *   - hence weight - error <= true <= weight, error <= total / k, and every key above total / k
 *     has a counter.
 *
 * The lightest comes from a heap that hits do not touch: its entries remember the weight that the
 * counter had when the entry was placed. Weights only grow, so an entry is never too high, and a
 * root that remembers its counter's true weight is the lightest. One that does not is corrected and
 * sinks; a hit costs one probe, a miss O(log k) amortised over the hits that made it sink. */
#include "sketch/space_saving.h"

#include "fairlead/fairlead.h"

#include <stdlib.h>

struct counter {
	uint64_t hash, tag, weight, error;
	size_t len;
};

struct entry {
	uint64_t weight; /* of the counter, once: never more than it has now */
	uint32_t counter;
};

/* Of the index: linear probing, at most half full. */
struct cell {
	uint32_t tag;     /* high half of the hash */
	uint32_t counter; /* plus 1; 0: free */
};

struct fl_space_saving {
	size_t k, used;
	bool lost; /* some key lost its counter */
	struct counter *counters;
	char *keys;         /* FL_SPACE_SAVING_KEY bytes a counter */
	struct entry *heap; /* made when all counters are used */
	struct cell *index;
	size_t index_mask;
};

int fl_space_saving_new(struct fl_space_saving **out, size_t k)
{
	struct fl_space_saving *s;
	size_t cells = 2;

	if (k < 1 || k > FL_SPACE_SAVING_MOST)
		return FL_EINVAL;
	while (cells < 2 * k)
		cells *= 2;
	s = calloc(1, sizeof(*s));
	if (!s)
		return FL_ENOMEM;
	s->k = k;
	s->index_mask = cells - 1;
	s->counters = calloc(k, sizeof(*s->counters));
	s->keys = malloc(k * FL_SPACE_SAVING_KEY);
	s->heap = calloc(k, sizeof(*s->heap));
	s->index = calloc(cells, sizeof(*s->index));
	if (!s->counters || !s->keys || !s->heap || !s->index) {
		fl_space_saving_free(s);
		return FL_ENOMEM;
	}
	*out = s;
	return FL_OK;
}

void fl_space_saving_free(struct fl_space_saving *s)
{
	if (!s)
		return;
	free(s->counters);
	free(s->keys);
	free(s->heap);
	free(s->index);
	free(s);
}

/* ---- the index ---- */

static size_t home(const struct fl_space_saving *s, uint64_t hash)
{
	return (size_t)hash & s->index_mask;
}

/* The cell of the key, or the free one where it would go. */
static struct cell *find(const struct fl_space_saving *s, uint64_t hash, size_t len)
{
	for (size_t i = home(s, hash);; i = (i + 1) & s->index_mask) {
		struct cell *cell = &s->index[i];
		const struct counter *c;

		if (!cell->counter)
			return cell;
		if (cell->tag != (uint32_t)(hash >> 32))
			continue;
		c = &s->counters[cell->counter - 1];
		if (c->hash == hash && c->len == len)
			return cell;
	}
}

/* Closes the gap: a later cell moves into it unless it stands between its home and the gap. */
static void forget(struct fl_space_saving *s, const struct counter *c)
{
	size_t gap = (size_t)(find(s, c->hash, c->len) - s->index);

	for (size_t i = (gap + 1) & s->index_mask; s->index[i].counter;
		i = (i + 1) & s->index_mask) {
		size_t from = home(s, s->counters[s->index[i].counter - 1].hash);

		if (((i - from) & s->index_mask) < ((i - gap) & s->index_mask))
			continue;
		s->index[gap] = s->index[i];
		gap = i;
	}
	s->index[gap].counter = 0;
}

/* ---- the heap ---- */

static void sink(struct fl_space_saving *s, size_t i)
{
	struct entry e = s->heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= s->k)
			break;
		if (child + 1 < s->k && s->heap[child + 1].weight < s->heap[child].weight)
			child++;
		if (e.weight <= s->heap[child].weight)
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = e;
}

static void make_heap(struct fl_space_saving *s)
{
	for (size_t i = 0; i < s->k; i++)
		s->heap[i] = (struct entry){s->counters[i].weight, (uint32_t)i};
	for (size_t i = s->k / 2; i-- > 0;)
		sink(s, i);
}

/* The lightest counter, which is then the root's. */
static uint32_t lightest(struct fl_space_saving *s)
{
	struct entry *root = s->heap;

	while (root->weight != s->counters[root->counter].weight) {
		root->weight = s->counters[root->counter].weight;
		sink(s, 0);
	}
	return root->counter;
}

/* ---- counting ---- */

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static void name(
	struct fl_space_saving *s, uint32_t i, struct fl_slice key, uint64_t hash, uint64_t tag)
{
	size_t kept = key.n < FL_SPACE_SAVING_KEY ? key.n : FL_SPACE_SAVING_KEY;

	s->counters[i].hash = hash;
	s->counters[i].tag = tag;
	s->counters[i].len = key.n;
	if (kept)
		memcpy(s->keys + (size_t)i * FL_SPACE_SAVING_KEY, key.p, kept);
	*find(s, hash, key.n) = (struct cell){(uint32_t)(hash >> 32), i + 1};
}

/* A key that has no counter takes the lightest one over. */
static void take_over(struct fl_space_saving *s, struct fl_slice key, uint64_t hash,
	uint64_t tag, uint64_t weight)
{
	uint32_t i = lightest(s);
	struct counter *c = &s->counters[i];

	s->lost = true;
	forget(s, c);
	c->error = c->weight;
	c->weight = sum(c->weight, weight);
	name(s, i, key, hash, tag);
	s->heap->weight = c->weight;
	sink(s, 0);
}

void fl_space_saving_add(struct fl_space_saving *s, struct fl_slice key, uint64_t hash,
	uint64_t tag, uint64_t weight)
{
	const struct cell *cell = find(s, hash, key.n);

	if (!weight)
		return;
	if (cell->counter) {
		struct counter *c = &s->counters[cell->counter - 1];
		c->weight = sum(c->weight, weight);
	} else if (s->used < s->k) {
		uint32_t i = (uint32_t)s->used++;
		s->counters[i].weight = weight;
		name(s, i, key, hash, tag);
		if (s->used == s->k)
			make_heap(s);
	} else {
		take_over(s, key, hash, tag, weight);
	}
}

/* ---- reading ---- */

uint64_t fl_space_saving_floor(const struct fl_space_saving *s)
{
	uint64_t least = s->lost ? UINT64_MAX : 0;

	for (size_t i = 0; s->lost && i < s->k; i++)
		if (s->counters[i].weight < least)
			least = s->counters[i].weight;
	return least;
}

static int by_weight(const void *a, const void *b)
{
	const struct fl_space_saving_item *x = a, *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->len > y->len) - (x->len < y->len);
}

int fl_space_saving_list(
	const struct fl_space_saving *s, struct fl_space_saving_item *items, size_t most)
{
	struct fl_space_saving_item *all = calloc(s->used ? s->used : 1, sizeof(*all));
	size_t n = s->used < most ? s->used : most;

	if (!all)
		return FL_ENOMEM;
	for (size_t i = 0; i < s->used; i++) {
		const struct counter *c = &s->counters[i];
		size_t kept = c->len < FL_SPACE_SAVING_KEY ? c->len : FL_SPACE_SAVING_KEY;

		all[i] = (struct fl_space_saving_item){
			.key = {s->keys + i * FL_SPACE_SAVING_KEY, kept},
			.len = c->len,
			.hash = c->hash,
			.tag = c->tag,
			.weight = c->weight,
			.error = c->error,
		};
	}
	qsort(all, s->used, sizeof(*all), by_weight);
	if (n)
		memcpy(items, all, n * sizeof(*items));
	free(all);
	return (int)n;
}
