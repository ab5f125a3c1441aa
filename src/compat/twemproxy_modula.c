/* compat:twemproxy-modula: `distribution: modula`. Checked against twemproxy 0.5.0 (Debian)
 * answering requests.
 *
 * The key's hash (twemproxy_hash.c) mod the sum of the weights falls to a server, in the order of
 * the configuration, here ascending slots. Names do not matter. A server that comes or goes moves
 * nearly all keys.
 *
 * A mask is what auto_eject_hosts does: the sum is that of the servers that are left, which moves
 * nearly all keys at once. (Without auto_eject_hosts the keys of a server that is down fail.)
 *
 * Cost: the key's hash and a search by halves; masked, a walk over the servers. */
#include "compat/compat.h"

#include "compat/peers.h"
#include "compat/twemproxy_hash.h"

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_peers_build(p);
}

static uint32_t pick_left(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_out *out)
{
	const struct fl_peers *q = p->state;
	uint64_t total = 0, number;
	for (uint32_t i = 0; i < q->count; i++)
		total += fl_is_out(out, q->peer[i].slot) ? 0 : q->peer[i].weight;
	if (total == 0)
		return FL_NONE;
	number = fl_twemproxy_hash(p->options, key) % total;
	for (uint32_t i = 0;; i++) {
		const struct fl_peer *peer = &q->peer[i];
		if (fl_is_out(out, peer->slot))
			continue;
		if (number < peer->weight)
			return peer->slot;
		number -= peer->weight;
	}
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct fl_peers *q = p->state;
	struct fl_out out = {mask, NULL, 0, NULL};
	if (mask)
		return pick_left(p, key, &out);
	return q->peer[fl_peers_find(q, fl_twemproxy_hash(p->options, key) % q->total)].slot;
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	return fl_owners_by_picks(p, key, mask, slots, k, pick_left);
}

static void shares(const struct fl_placement *p, double *shares)
{
	fl_peers_shares(p->state, (uint64_t)1 << 32, shares);
}

const struct fl_algorithm fl_compat_twemproxy_modula = {
	.info = {"compat:twemproxy-modula",
		"twemproxy's modula: the key's hash mod the total weight.",
		"hash=fnv1a_64,hash-tag=", FL_EXACT_MASK | FL_WEIGHTS | FL_HISTORY_FREE},
	.options = {FL_TWEMPROXY_OPTIONS},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_TWEMPROXY,
	.key_options = FL_TWEMPROXY_KEY_OPTIONS,
	.by_slot = true,
	.build = build,
	.free = fl_peers_free,
	.pick = pick,
	.owners = owners,
	.shares = shares,
	.memory = fl_peers_memory,
};
