#include "compat/contest.h"

#include "hash/mix.h"
#include "place/log2.h"

#include <stdlib.h>

struct bid {
	uint64_t value;
	uint32_t weight, index;
};

int fl_contest_build(struct fl_placement *p, fl_bid_fn bid)
{
	struct fl_contest *c = malloc(sizeof(*c) + p->eligible * sizeof(c->bidders[0]));
	if (!c)
		return FL_ENOMEM;
	c->bid = bid;
	c->count = 0;
	for (uint32_t slot = 0; slot < p->slots; slot++) {
		const struct fl_node *node = fl_place_at(p, slot);
		if (node && node->weight > 0)
			c->bidders[c->count++] = (struct fl_bidder){
				node->name, slot, (uint32_t)node->weight, 0, {0, 0}};
	}
	p->state = c;
	return FL_OK;
}

void fl_contest_reverse(struct fl_contest *c)
{
	for (uint32_t i = 0, j = c->count; i + 1 < j; i++) {
		struct fl_bidder was = c->bidders[i];
		c->bidders[i] = c->bidders[--j];
		c->bidders[j] = was;
	}
}

void fl_contest_free(struct fl_placement *p)
{
	free(p->state);
}

size_t fl_contest_memory(const struct fl_placement *p)
{
	const struct fl_contest *c = p->state;
	return sizeof(*c) + c->count * sizeof(c->bidders[0]);
}

void fl_contest_shares(const struct fl_placement *p, double *shares)
{
	for (uint32_t i = 0; i < p->count; i++)
		shares[p->nodes[i].slot] = (double)p->nodes[i].weight / (double)p->weight;
}

/* Does a stand before b, whatever their indices? Both values are below FL_BID_NEVER. */
static bool better(const struct bid *a, const struct bid *b)
{
	if (a->weight == b->weight)
		return a->value < b->value;
	uint64_t left = fl_mul_high(a->value, b->weight);
	uint64_t right = fl_mul_high(b->value, a->weight);
	return left != right ? left < right : a->value * b->weight < b->value * a->weight;
}

static struct bid bid_of(const struct fl_contest *c, const void *key, uint32_t i)
{
	return (struct bid){c->bid(c, &c->bidders[i], key), c->bidders[i].weight, i};
}

uint32_t fl_contest_pick(
	const struct fl_placement *p, const void *key, const struct fl_mask *mask)
{
	const struct fl_contest *c = p->state;
	struct bid best = {0, 0, FL_NONE};
	for (uint32_t i = 0; i < c->count; i++) {
		if (fl_masked(mask, c->bidders[i].slot))
			continue;
		struct bid one = bid_of(c, key, i);
		if (one.value != FL_BID_NEVER && (best.index == FL_NONE || better(&one, &best)))
			best = one;
	}
	return best.index == FL_NONE ? FL_NONE : c->bidders[best.index].slot;
}

static int by_bid(const void *a, const void *b)
{
	const struct bid *x = a, *y = b;
	if (better(x, y))
		return -1;
	if (better(y, x))
		return 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Keeps the best `k` in list[0..*have), best first. */
static void insert(struct bid *list, size_t *have, size_t k, struct bid one)
{
	size_t i = *have;
	if (i == k && by_bid(&one, &list[--i]) > 0)
		return;
	*have = i + 1;
	for (; i > 0 && by_bid(&one, &list[i - 1]) < 0; i--)
		list[i] = list[i - 1];
	list[i] = one;
}

/* All bids that can win, into list (room for all nodes, or the best k of them sorted). */
static size_t gather(const struct fl_contest *c, const void *key, const struct fl_mask *mask,
	struct bid *list, size_t k, bool all)
{
	size_t have = 0;
	for (uint32_t i = 0; i < c->count; i++) {
		if (fl_masked(mask, c->bidders[i].slot))
			continue;
		struct bid one = bid_of(c, key, i);
		if (one.value == FL_BID_NEVER)
			continue;
		if (all)
			list[have++] = one;
		else
			insert(list, &have, k, one);
	}
	return have;
}

int fl_contest_owners(const struct fl_placement *p, const void *key, const struct fl_mask *mask,
	uint32_t *slots, size_t k)
{
	const struct fl_contest *c = p->state;
	struct bid few[64] = {{0, 0, 0}}, *list = few;
	size_t have;
	if (k > 64 && !(list = malloc(c->count * sizeof(*list))))
		return FL_ENOMEM;
	have = gather(c, key, mask, list, k, list != few);
	if (list != few) {
		qsort(list, have, sizeof(*list), by_bid);
		have = have < k ? have : k;
	}
	for (size_t i = 0; i < have; i++)
		slots[i] = c->bidders[list[i].index].slot;
	if (list != few)
		free(list);
	return (int)have;
}

uint64_t fl_round53(uint64_t x, bool *over)
{
	unsigned lead = x ? (unsigned)__builtin_clzll(x) : 63;
	unsigned drop = lead < 11 ? 11 - lead : 0;
	uint64_t unit = (uint64_t)1 << drop, rest = x & (unit - 1), low = x - rest;
	*over = false;
	if (rest > unit / 2 || (rest == unit / 2 && drop > 0 && (x & unit))) {
		low += unit;
		*over = low == 0;
	}
	return low;
}

uint64_t fl_bid_log(uint64_t x)
{
	if (x == 0)
		return FL_BID_NEVER;
	uint64_t bid = fl_neg_log2(x - 1);
	return bid == FL_BID_NEVER ? bid - 1 : bid;
}
