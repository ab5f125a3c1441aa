/* compat:mcrouter-rendezvous and compat:mcrouter-weighted-rendezvous: mcrouter's Rendezvous and
 * WeightedRendezvous. The first was checked against its own function (revision 9d7f4342) with stub
 * types around it; the second shares everything with it but the last step, which was read from the
 * source.
 *
 * With E = MurmurHash64A(node, seed 4193360111) and K = MurmurHash64A(key, seed 2718281828), a
 * node's score is CityHash's Hash128to64 of upper E and lower K. Plain: the greatest score wins,
 * compared as doubles (64 bits rounded to 53); of equal ones the node listed last. Weighted: the
 * greatest weight / -ln(score mod 2^53 / 2^53), of equal ones the node listed first; how that is
 * compared without doubles: contest.h. Weights are integers here: only their ratios matter, so
 * take decimal ones times a power of ten.
 *
 * A node's name is its text in the pool, as "10.0.0.1:11211". A server that is down keeps its keys
 * in mcrouter (they fail or go to another pool); masked here, they go to the next score, which is
 * the placement without it.
 *
 * Moves: only a changed node's own keys. Order matters for ties only. Cost: a few ns a node, about
 * 10 with weights. */
#include "compat/compat.h"

#include "compat/contest.h"
#include "hash/murmur64.h"

#include <string.h>

#define NODE_SEED 4193360111u
#define KEY_SEED  2718281828u
#define CITY      0x9ddfea08eb382d69u
#define BITS53    (((uint64_t)1 << 53) - 1)

static uint64_t score_of(const struct fl_bidder *who, const void *key)
{
	uint64_t upper = who->own[0], a = (*(const uint64_t *)key ^ upper) * CITY;
	uint64_t b = (upper ^ (a ^ (a >> 47))) * CITY;
	return (b ^ (b >> 47)) * CITY;
}

static uint64_t bid_plain(
	const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	bool over;
	uint64_t score = fl_round53(score_of(who, key), &over);
	(void)c;
	return over ? 0 : UINT64_MAX - score;
}

static uint64_t bid_weighted(
	const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	(void)c;
	return fl_bid_log((score_of(who, key) & BITS53) << 11);
}

static int build_with(struct fl_placement *p, fl_bid_fn bid)
{
	struct fl_contest *c;
	if (fl_contest_build(p, bid) != FL_OK)
		return FL_ENOMEM;
	c = p->state;
	for (uint32_t i = 0; i < c->count; i++)
		c->bidders[i].own[0] =
			fl_murmur64a(c->bidders[i].name, strlen(c->bidders[i].name), NODE_SEED);
	return FL_OK;
}

static int build_plain(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	if (build_with(p, bid_plain) != FL_OK)
		return FL_ENOMEM;
	fl_contest_reverse(p->state);
	return FL_OK;
}

static int build_weighted(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return build_with(p, bid_weighted);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	uint64_t hash = fl_murmur64a(key->bytes, key->len, KEY_SEED);
	return fl_contest_pick(p, &hash, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	uint64_t hash = fl_murmur64a(key->bytes, key->len, KEY_SEED);
	return fl_contest_owners(p, &hash, mask, slots, k);
}

const struct fl_algorithm fl_compat_mcrouter_rendezvous = {
	.info = {"compat:mcrouter-rendezvous",
		"mcrouter's Rendezvous: the greatest hash of node and key.", "",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_HISTORY_FREE},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_plain,
	.free = fl_contest_free,
	.pick = pick,
	.owners = owners,
	.shares = fl_place_even_shares,
	.memory = fl_contest_memory,
};

const struct fl_algorithm fl_compat_mcrouter_weighted_rendezvous = {
	.info = {"compat:mcrouter-weighted-rendezvous",
		"mcrouter's WeightedRendezvous: the greatest weight / -ln(hash of node and "
		"key).",
		"",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT | FL_WEIGHTS |
			FL_HISTORY_FREE},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_weighted,
	.free = fl_contest_free,
	.pick = pick,
	.owners = owners,
	.shares = fl_contest_shares,
	.memory = fl_contest_memory,
};
