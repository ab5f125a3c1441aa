/* Highest random weight (Thaler & Ravishankar 1998), weighted by the logarithm (Schindelhauer &
 * Schomaker 2005): if u_i is uniform in (0, 1], then -ln(u_i) / w_i is exponential with rate w_i,
 * and node i has the least of them with chance w_i / W exactly. Base 2 instead of e scales all
 * alike. Each node's value depends on nothing but the key, itself and its weight, so adding,
 * removing or reweighting a node moves keys only to or from it, and order and history leave no
 * trace.
 *
 * How exact are the shares? Write s = w_i / W for the true share.
 * (1) fl_neg_log2 is above the true -log2 by d < 2^-57. A comparison of i with j can come out
 *     wrong only if E_i / w_i is within d (1/w_i + 1/w_j) <= 2d of the others' least value, and
 *     an exponential of rate w_i ln 2 falls into a given interval of length 2d, given that it
 *     has to beat the others down to there, with chance at most s W ln 2 * 2d. So the relative
 *     error of a share is at most W ln 2 * 2^-56. The largest legal W, 2^20 nodes of weight
 *     65535, is below 2^36, and there it is below 2^-20.5; with 65536 nodes, below 2^-24.5.
 * (2) Scores are whole numbers of 64 bits: u_i is known to a cell of 2^-64. The outcome depends
 *     on where in its cell u_j is only if j's cell holds the threshold where i and j change
 *     places while both are ahead of all others: given u_i, chance at most 2^-64 times that of i
 *     being ahead of the rest, hence relative at most n 2^-64 W / (W - w_j), or 2^-64 absolute
 *     with only two nodes. W - w_j is at least n - 1, so that n W / (W - w_j) is at most
 *     n + 2 * 65535, and the error below 2^-43.
 * So the smallest legal share, 1 of 2^20 * 65535, is right to one part in 2^20 (supposing
 * uniform scores; bench/score.c measures those).
 *
 * Cost: the kernels (kernel.c) give every node's high score or a float lower bound of its value;
 * only nodes that these cannot rule out are computed exactly, by the 64-bit reference, which
 * alone decides. */
#include "place/hrw.h"

#include "place/log2.h"
#include "place/score.h"

#include <stdlib.h>
#include <string.h>

/* A node's exact place in the order. */
struct rank {
	uint64_t value; /* fl_neg_log2(score); 0 when unweighted */
	uint64_t score;
	uint32_t weight; /* 1 when unweighted */
	uint32_t index;
};

static uint32_t *take(unsigned char **at, size_t bytes)
{
	uint32_t *p = (uint32_t *)(void *)*at;
	*at += bytes;
	return p;
}

static void set_node(struct fl_hrw *h, uint32_t i, const struct fl_placement *p, uint32_t rank)
{
	h->lo[i] = (uint32_t)p->hashes[rank];
	h->hi[i] = (uint32_t)(p->hashes[rank] >> 32);
	h->slot[i] = p->nodes[rank].slot;
	h->weight[i] = (uint32_t)p->nodes[rank].weight;
	h->inverse[i] = fl_inverse(h->weight[i]);
}

int fl_hrw_init(struct fl_hrw *h, const struct fl_placement *p)
{
	uint32_t padded = (p->eligible + FL_LANES - 1) / FL_LANES * FL_LANES;
	size_t lane = padded * sizeof(uint32_t), slots = p->slots * sizeof(uint32_t);
	size_t bytes = (5 * lane + slots + 63) / 64 * 64;
	unsigned char *at = aligned_alloc(64, bytes);
	uint32_t n = 0;
	if (!at)
		return FL_ENOMEM;
	*h = (struct fl_hrw){.kernels = fl_kernels_best(), .padded = padded, .bytes = bytes};
	h->lo = take(&at, lane);
	h->hi = take(&at, lane);
	h->slot = take(&at, lane);
	h->weight = take(&at, lane);
	h->inverse = (float *)take(&at, lane);
	h->index = take(&at, slots);
	memset(h->index, 0xff, slots);
	for (uint32_t r = 0; r < p->count; r++) {
		if (p->nodes[r].weight == 0)
			continue;
		set_node(h, n, p, r);
		h->index[h->slot[n]] = n;
		h->weighted |= h->weight[n] != h->weight[0];
		n++;
	}
	h->count = n;
	for (; n < padded; n++) {
		h->lo[n] = h->lo[h->count - 1];
		h->hi[n] = h->hi[h->count - 1];
		h->slot[n] = h->slot[h->count - 1];
		h->weight[n] = h->weight[h->count - 1];
		h->inverse[n] = h->inverse[h->count - 1];
	}
	return FL_OK;
}

void fl_hrw_fini(struct fl_hrw *h)
{
	free(h->lo);
	h->lo = NULL;
}

static struct rank rank_of(const struct fl_hrw *h, uint64_t key, uint32_t index)
{
	uint64_t node = ((uint64_t)h->hi[index] << 32) | h->lo[index];
	struct rank r = {0, fl_score(node, key), 1, index};
	if (h->weighted) {
		r.value = fl_neg_log2(r.score);
		r.weight = h->weight[index];
	}
	return r;
}

/* a.value * b.weight against b.value * a.weight, exactly: 64 x 16 bits, as top and low 32. */
static int compare_values(const struct rank *a, const struct rank *b)
{
	uint64_t a_low = (a->value & UINT32_MAX) * b->weight;
	uint64_t b_low = (b->value & UINT32_MAX) * a->weight;
	uint64_t a_top = (a->value >> 32) * b->weight + (a_low >> 32);
	uint64_t b_top = (b->value >> 32) * a->weight + (b_low >> 32);
	if (a_top != b_top)
		return a_top < b_top ? -1 : 1;
	a_low &= UINT32_MAX;
	b_low &= UINT32_MAX;
	return a_low < b_low ? -1 : a_low > b_low;
}

static bool before(const struct rank *a, const struct rank *b)
{
	int order = compare_values(a, b);
	if (order != 0)
		return order < 0;
	if (a->score != b->score)
		return a->score > b->score;
	return a->index < b->index;
}

bool fl_hrw_before(const struct fl_hrw *h, uint64_t key, uint32_t slot, uint32_t other)
{
	uint32_t i = h->index[slot], j = h->index[other];
	if (!h->weighted) {
		uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32);
		uint32_t a = fl_score_high(h->lo[i], h->hi[i], x, y);
		uint32_t b = fl_score_high(h->lo[j], h->hi[j], x, y);
		if (a != b)
			return a > b;
	}
	struct rank a = rank_of(h, key, i), b = rank_of(h, key, j);
	return before(&a, &b);
}

/* No node that stands before `r` has greater bound bits than this (see struct fl_kernels). */
static int32_t limit_of(const struct rank *r)
{
	float f = (float)((double)r->value * 0x1p-58 / (double)r->weight * (1.0 + 0x1p-20));
	int32_t bits;
	memcpy(&bits, &f, sizeof(bits));
	return bits | (FL_BLOCK - 1);
}

/* Too close to call for the kernel: whole scores decide. */
static uint32_t first_by_whole_score(const struct fl_hrw *h, uint64_t key)
{
	uint32_t scores[FL_BLOCK] __attribute__((aligned(64)));
	struct rank best = rank_of(h, key, 0);
	for (uint32_t base = 0; base < h->padded; base += FL_BLOCK) {
		uint32_t n = h->padded - base < FL_BLOCK ? h->padded - base : FL_BLOCK;
		h->kernels->scores(h->lo + base, h->hi + base, n, key, scores);
		for (uint32_t i = 0; i < n && base + i < h->count; i++) {
			if (scores[i] < (uint32_t)(best.score >> 32))
				continue;
			struct rank r = rank_of(h, key, base + i);
			if (before(&r, &best))
				best = r;
		}
	}
	return best.index;
}

static uint32_t first_by_score(const struct fl_hrw *h, uint64_t key)
{
	uint32_t unsure, at = h->kernels->top(h->lo, h->hi, h->count, key, &unsure);
	return __builtin_expect(unsure == 0, 1) ? at : first_by_whole_score(h, key);
}

/* The exact values of all that the bounds leave decide; `best` is one of the nodes. */
static uint32_t first_exactly(const struct fl_hrw *h, uint64_t key, struct rank best)
{
	int32_t bounds[FL_BLOCK] __attribute__((aligned(64)));
	int32_t limit = limit_of(&best);
	for (uint32_t base = 0; base < h->padded; base += FL_BLOCK) {
		uint32_t n = h->padded - base < FL_BLOCK ? h->padded - base : FL_BLOCK;
		h->kernels->bounds(
			h->lo + base, h->hi + base, h->inverse + base, n, key, bounds);
		for (uint32_t i = 0; i < n && base + i < h->count; i++) {
			if (bounds[i] > limit)
				continue;
			struct rank r = rank_of(h, key, base + i);
			if (before(&r, &best)) {
				best = r;
				limit = limit_of(&best);
			}
		}
	}
	return best.index;
}

/* `at` has the least bound. No other can be first whose bound is above the value of `at`. */
static uint32_t first_of_bounds(
	const struct fl_hrw *h, uint64_t key, uint32_t at, int32_t best, int32_t second)
{
	if (__builtin_expect(fl_surely_lightest(best, second, h->inverse[at]), 1))
		return at;
	struct rank r = rank_of(h, key, at);
	return second > limit_of(&r) ? at : first_exactly(h, key, r);
}

static uint32_t first_by_value(const struct fl_hrw *h, uint64_t key)
{
	int32_t bounds[2];
	uint32_t at = h->kernels->lightest(h->lo, h->hi, h->inverse, h->count, key, bounds);
	return first_of_bounds(h, key, at, bounds[0], bounds[1]);
}

uint32_t fl_hrw_first(const struct fl_hrw *h, uint64_t key)
{
	return h->slot[h->weighted ? first_by_value(h, key) : first_by_score(h, key)];
}

/* ---- many keys: a lane each, and no lane has to ask another ---- */

#define KEYS 64 /* a multiple of FL_LANES */

static void firsts_by_score(
	const struct fl_hrw *h, const uint64_t *keys, size_t groups, uint32_t *index)
{
	uint32_t best[KEYS], second[KEYS];
	h->kernels->tops(h->lo, h->hi, h->count, keys, groups, best, second);
	for (size_t i = 0; i < groups * FL_LANES; i++) {
		index[i] = best[i] & FL_INDEX;
		if (__builtin_expect(fl_maybe_equal(best[i], second[i]), 0))
			index[i] = first_by_whole_score(h, keys[i]);
	}
}

static void firsts_by_value(
	const struct fl_hrw *h, const uint64_t *keys, size_t groups, uint32_t *index)
{
	int32_t best[KEYS], second[KEYS];
	h->kernels->lightests(h->lo, h->hi, h->inverse, h->count, keys, groups, best, second);
	for (size_t i = 0; i < groups * FL_LANES; i++)
		index[i] = first_of_bounds(
			h, keys[i], (uint32_t)best[i] & FL_INDEX, best[i], second[i]);
}

static void firsts_of_some(
	const struct fl_hrw *h, const uint64_t *keys, size_t count, uint32_t *slots)
{
	uint64_t padded[KEYS] = {0};
	uint32_t index[KEYS] = {0};
	size_t groups = (count + FL_LANES - 1) / FL_LANES;
	if (groups * FL_LANES > count)
		keys = memcpy(padded, keys, count * sizeof(*keys));
	if (h->weighted)
		firsts_by_value(h, keys, groups, index);
	else
		firsts_by_score(h, keys, groups, index);
	for (size_t i = 0; i < count; i++)
		slots[i] = h->slot[index[i]];
}

void fl_hrw_firsts(const struct fl_hrw *h, const uint64_t *keys, size_t count, uint32_t *slots)
{
	/* Many nodes fill the lanes by themselves, and few keys would leave most of them idle. */
	size_t i = 0, few = h->count < FL_MANY ? FL_LANES / 2 : SIZE_MAX;
	for (; count - i >= few; i += i + KEYS < count ? KEYS : count - i)
		firsts_of_some(h, keys + i, count - i < KEYS ? count - i : KEYS, slots + i);
	for (; i < count; i++)
		slots[i] = fl_hrw_first(h, keys[i]);
}

/* ---- the first k: a heap whose root is the last of those kept ---- */

struct heap {
	struct rank *items;
	size_t count, limit;
};

static void sift_down(struct heap *heap, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= heap->count)
			return;
		if (child + 1 < heap->count &&
			before(&heap->items[child], &heap->items[child + 1]))
			child++;
		if (!before(&heap->items[i], &heap->items[child]))
			return;
		struct rank t = heap->items[i];
		heap->items[i] = heap->items[child];
		heap->items[child] = t;
		i = child;
	}
}

static void sift_up(struct heap *heap, size_t i)
{
	while (i > 0 && before(&heap->items[(i - 1) / 2], &heap->items[i])) {
		struct rank t = heap->items[i];
		heap->items[i] = heap->items[(i - 1) / 2];
		heap->items[(i - 1) / 2] = t;
		i = (i - 1) / 2;
	}
}

static void keep(struct heap *heap, const struct rank *r)
{
	if (heap->count < heap->limit) {
		heap->items[heap->count++] = *r;
		sift_up(heap, heap->count - 1);
	} else if (before(r, &heap->items[0])) {
		heap->items[0] = *r;
		sift_down(heap, 0);
	}
}

static bool full(const struct heap *heap)
{
	return heap->count == heap->limit;
}

static void gather_by_score(
	const struct fl_hrw *h, uint64_t key, const struct fl_mask *mask, struct heap *heap)
{
	uint32_t scores[FL_BLOCK] __attribute__((aligned(64)));
	for (uint32_t base = 0; base < h->padded; base += FL_BLOCK) {
		uint32_t n = h->padded - base < FL_BLOCK ? h->padded - base : FL_BLOCK;
		h->kernels->scores(h->lo + base, h->hi + base, n, key, scores);
		for (uint32_t i = 0; i < n && base + i < h->count; i++) {
			if (full(heap) && scores[i] < (uint32_t)(heap->items[0].score >> 32))
				continue;
			if (fl_masked(mask, h->slot[base + i]))
				continue;
			struct rank r = rank_of(h, key, base + i);
			keep(heap, &r);
		}
	}
}

static void gather_by_value(
	const struct fl_hrw *h, uint64_t key, const struct fl_mask *mask, struct heap *heap)
{
	int32_t bounds[FL_BLOCK] __attribute__((aligned(64)));
	int32_t limit = INT32_MAX;
	for (uint32_t base = 0; base < h->padded; base += FL_BLOCK) {
		uint32_t n = h->padded - base < FL_BLOCK ? h->padded - base : FL_BLOCK;
		h->kernels->bounds(
			h->lo + base, h->hi + base, h->inverse + base, n, key, bounds);
		for (uint32_t i = 0; i < n && base + i < h->count; i++) {
			if (bounds[i] > limit || fl_masked(mask, h->slot[base + i]))
				continue;
			struct rank r = rank_of(h, key, base + i);
			keep(heap, &r);
			if (full(heap))
				limit = limit_of(&heap->items[0]);
		}
	}
}

/* The heap's items, first one first, as slots. Empties the heap. */
static int unwind(const struct fl_hrw *h, struct heap *heap, uint32_t *slots)
{
	int found = (int)heap->count;
	while (heap->count > 0) {
		slots[heap->count - 1] = h->slot[heap->items[0].index];
		heap->items[0] = heap->items[--heap->count];
		sift_down(heap, 0);
	}
	return found;
}

int fl_hrw_order(const struct fl_hrw *h, uint64_t key, const struct fl_mask *mask,
	uint32_t *slots, size_t k)
{
	struct rank few[64];
	struct heap heap = {few, 0, k};
	if (k > sizeof(few) / sizeof(few[0])) {
		heap.items = malloc(k * sizeof(heap.items[0]));
		if (!heap.items)
			return FL_ENOMEM;
	}
	if (h->weighted)
		gather_by_value(h, key, mask, &heap);
	else
		gather_by_score(h, key, mask, &heap);
	int found = unwind(h, &heap, slots);
	if (heap.items != few)
		free(heap.items);
	return found;
}

uint32_t fl_hrw_first_unmasked(const struct fl_hrw *h, uint64_t key, const struct fl_mask *mask)
{
	uint32_t slot = fl_hrw_first(h, key);
	/* The first of all, when it may be had, is the first of those that may be had. */
	if (fl_masked(mask, slot) && fl_hrw_order(h, key, mask, &slot, 1) == 0)
		return FL_NONE;
	return slot;
}
