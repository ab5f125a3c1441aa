/* compat:traefik: the hrw strategy of Traefik 3.5 (highest random weight by client address).
 * Checked against its own function (pkg/server/service/loadbalancer/hrw, revision fd5a576df2).
 *
 * A server's score is weight / -ln(FNV-1a 64 of key and name, one behind the other, / 2^64),
 * computed in doubles, the hash first rounded to one; the greatest wins, of equal ones the first.
 * How that is compared without doubles: contest.h. A hash that rounds to 2^64 gives minus infinity
 * and wins nothing. The key is the client's address as Traefik takes it, the name that of the
 * server in Traefik (for a service of addresses, its URL: "http://127.0.0.1:8080").
 *
 * A server that is down is left out, and so is a masked one. Moves: only a changed server's keys,
 * on reweighting, too. Order matters for ties only. Cost: a hash and a logarithm a server. */
#include "compat/compat.h"

#include "compat/contest.h"
#include "hash/fnv.h"

#include <string.h>

static uint64_t bid(const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	uint64_t hash = fl_fnv1a_64(*(const uint64_t *)key, who->name, strlen(who->name));
	bool over;
	(void)c;
	hash = fl_round53(hash, &over);
	return over ? FL_BID_NEVER : fl_bid_log(hash);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_contest_build(p, bid);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	uint64_t hash = fl_fnv1a_64(FL_FNV64, key->bytes, key->len);
	return fl_contest_pick(p, &hash, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	uint64_t hash = fl_fnv1a_64(FL_FNV64, key->bytes, key->len);
	return fl_contest_owners(p, &hash, mask, slots, k);
}

const struct fl_algorithm fl_compat_traefik = {
	.info = {"compat:traefik",
		"Traefik's hrw: the greatest weight / -ln(hash of key and server).", "",
		FL_EXACT_MASK | FL_MINIMAL_ANY | FL_MINIMAL_REWEIGHT | FL_WEIGHTS |
			FL_HISTORY_FREE},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build,
	.free = fl_contest_free,
	.pick = pick,
	.owners = owners,
	.memory = fl_contest_memory,
};
