/* compat:nginx-ip-hash: `ip_hash` of nginx's http upstreams. Checked against nginx 1.22.1
 * answering requests.
 *
 * The key is the client's address as text; what is hashed are the first three bytes of IPv4 or
 * all sixteen of IPv6: h = 89, and for each byte h = (h * 113 + byte) mod 6271. h mod the total
 * weight falls to a server, in the order of the configuration, here ascending slots. If that one
 * cannot be had, the same bytes are hashed again from h on. Names do not matter. So all clients of
 * one IPv4 /24 go to one server, and weights above 6271 in all leave the last ones without keys.
 *
 * "unix:", nginx's name for the clients of a unix socket, is three zero bytes (not verified). A
 * key that is no address, which nginx cannot have, is hashed over all of its bytes. An IPv4 client
 * of a socket of both families has sixteen bytes in nginx: its key is then ::ffff:1.2.3.4.
 *
 * A mask, what is not reproduced, and what moves: as in nginx-hash.
 *
 * Cost: a division a byte and a search by halves; masked, once more for each server that is out. */
#include "compat/compat.h"

#include "compat/address.h"
#include "compat/peers.h"

#include <string.h>

#define START 89
#define STEP  113
#define PRIME 6271

struct sequence {
	const unsigned char *bytes;
	size_t len;
	uint32_t h;
};

static uint64_t next(void *sequence)
{
	struct sequence *s = sequence;
	for (size_t i = 0; i < s->len; i++)
		s->h = (s->h * STEP + s->bytes[i]) % PRIME;
	return s->h;
}

static uint32_t try(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_out *out)
{
	unsigned char address[16] = {0};
	size_t size = fl_address_read(key->bytes, key->len, address);
	struct sequence s = {address, size == 4 ? 3 : size, START};
	if (key->len == 5 && memcmp(key->bytes, "unix:", 5) == 0)
		s.len = 3;
	else if (size == 0)
		s = (struct sequence){key->bytes, key->len, START};
	return fl_peers_try(p->state, next, &s, out);
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_peers_build(p);
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	struct fl_out out = {mask, NULL, 0, NULL};
	return try(p, key, &out);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	return fl_owners_by_picks(p, key, mask, slots, k, try);
}

/* Numbers below PRIME are as good as equally likely, whatever the total is. */
static void shares(const struct fl_placement *p, double *shares)
{
	fl_peers_shares(p->state, PRIME, shares);
}

static bool starved(const struct fl_placement *p, uint32_t slot)
{
	return fl_peers_starved(p->state, PRIME, slot);
}

const struct fl_algorithm fl_compat_nginx_ip_hash = {
	.info = {"compat:nginx-ip-hash",
		"nginx's `ip_hash`: the client's /24 or IPv6 address mod the total weight.", "",
		FL_WEIGHTS | FL_HISTORY_FREE},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build,
	.free = fl_peers_free,
	.pick = pick,
	.owners = owners,
	.shares = shares,
	.memory = fl_peers_memory,
	.starved = starved,
};
