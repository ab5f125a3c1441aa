/* compat:caddy: the hashing policies of Caddy's reverse_proxy (ip_hash, uri_hash, header, cookie,
 * ...). version=2.6 is checked against Caddy 2.6.2 itself and version=2.8 against its own function
 * (revision 0cf03d32f); 2.5 and 2.6.3 are read from the source.
 *   2.5:   up to 2.5.0. Upstream number FNV-1a 32 of the key, mod n; while that one is not
 *          available, the next
 *   2.6:   2.6.0 to 2.6.2. The greatest FNV-1a 32 of key and upstream, one behind the other
 *   2.6.3: 2.6.3 to 2.7. The same of upstream and key
 *   2.8:   since then. The greatest XXH64 of upstream and key
 * Of equal hashes the upstream listed first wins; 0 wins nothing. An upstream's name is its dial
 * address ("127.0.0.1:8080"), the key what the policy takes from the request; upstreams stand by
 * ascending slot. No weights.
 *
 * An upstream that is not available is stepped over, and so is a masked one. Since 2.6 that is as
 * if it were not there, and a change moves only the changed upstream's keys; in 2.5 nearly all,
 * which is why the capabilities do not claim it. Cost: a hash an upstream; 2.5: one. */
#include "compat/compat.h"

#include "compat/contest.h"
#include "compat/picks.h"
#include "hash/fnv.h"
#include "hash/stream.h"

#include <string.h>

enum {
	VERSION_2_5,
	VERSION_2_6,
	VERSION_2_6_3,
	VERSION_2_8
};

static const char *const versions[] = {"2.5", "2.6", "2.6.3", "2.8", NULL};

static uint64_t bid_of_hash(uint64_t hash)
{
	return UINT64_MAX - hash; /* of 0: FL_BID_NEVER */
}

static uint64_t bid_2_6(
	const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	uint32_t hash = *(const uint32_t *)key;
	(void)c;
	return bid_of_hash(fl_fnv1a_32(hash, who->name, strlen(who->name)));
}

static uint64_t bid_2_6_3(
	const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	const struct fl_key *k = key;
	(void)c;
	return bid_of_hash(fl_fnv1a_32((uint32_t)who->own[0], k->bytes, k->len));
}

static uint64_t bid_2_8(
	const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	const struct fl_key *k = key;
	struct fl_stream s;
	(void)c;
	fl_stream_init(&s, FL_STREAM_XXH64);
	fl_stream_add(&s, who->name, strlen(who->name));
	fl_stream_add(&s, k->bytes, k->len);
	return bid_of_hash(fl_stream_first64(&s));
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	static const fl_bid_fn bids[] = {NULL, bid_2_6, bid_2_6_3, bid_2_8};
	struct fl_contest *c;
	(void)err;
	if (fl_contest_build(p, bids[p->options[0]]) != FL_OK)
		return FL_ENOMEM;
	c = p->state;
	for (uint32_t i = 0; i < c->count; i++)
		c->bidders[i].own[0] =
			fl_fnv1a_32(FL_FNV32, c->bidders[i].name, strlen(c->bidders[i].name));
	return FL_OK;
}

static uint32_t probe(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_out *out)
{
	const struct fl_contest *c = p->state;
	uint32_t first = fl_fnv1a_32(FL_FNV32, key->bytes, key->len) % c->count;
	for (uint32_t i = 0; i < c->count; i++) {
		uint32_t slot = c->bidders[(first + i) % c->count].slot;
		if (!fl_is_out(out, slot))
			return slot;
	}
	return FL_NONE;
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	if (p->options[0] == VERSION_2_5)
		return probe(p, key, &(struct fl_out){.mask = mask});
	uint32_t hash = fl_fnv1a_32(FL_FNV32, key->bytes, key->len);
	return fl_contest_pick(
		p, p->options[0] == VERSION_2_6 ? (const void *)&hash : key, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	if (p->options[0] == VERSION_2_5)
		return fl_owners_by_picks(p, key, mask, slots, k, probe);
	uint32_t hash = fl_fnv1a_32(FL_FNV32, key->bytes, key->len);
	return fl_contest_owners(
		p, p->options[0] == VERSION_2_6 ? (const void *)&hash : key, mask, slots, k);
}

const struct fl_algorithm fl_compat_caddy = {
	.info = {"compat:caddy",
		"Caddy's hashing policies: the greatest hash of key and upstream.",
		"version=2.8", FL_HISTORY_FREE},
	.options = {{"version", VERSION_2_8, 0, 3, FL_ANY_NUMBER, versions}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build,
	.free = fl_contest_free,
	.pick = pick,
	.owners = owners,
	.memory = fl_contest_memory,
};
