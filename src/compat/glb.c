/* compat:glb: the forwarding tables of GitHub's GLB Director, as `glb-director-cli build-config` makes
 * them. Read from the source (src/glb-director/cli/main.c).
 *
 * Nodes are the backends of a table, their names their addresses (IPv4 or IPv6; a port behind it is
 * not hashed). For
 * each of 65536 rows: R = SipHash-2-4 of the row as four bytes, big-endian, under the table's
 * seed; a backend's score is SipHash of R's 8 bytes (little-endian) followed by the address's 4 or
 * 16, under the seed, its bytes read as a big-endian number; the two smallest are the primary and
 * the secondary, the table's whole order goes on like that. Ties cannot be told apart; the one
 * by the lower slot is first.
 *   seed-high, seed-low: the 32 digits of `seed` in the JSON file, cut in halves, each after 0x
 *
 * A key is what the data plane hashes a packet to (SipHash of its source address under hash_key),
 * in decimal; its row is number mod 65536. Other bytes are hashed to a number first (number.h).
 *
 * Masked means draining or unhealthy, which is a swap of primary and secondary: the row's other one
 * comes first if it is not masked. Where both are, GLB leaves the row alone; here the next
 * backend in the row's order follows. So owners are the row's order without the masked ones, and a
 * node that is left out ("inactive") gives the same picks.
 *
 * Moves: only a changed backend's rows. Cost: two SipHashes and one a backend, as no table is kept:
 * a row is computed when it is asked for. */
#include "compat/compat.h"

#include "base/error.h"
#include "compat/address.h"
#include "compat/contest.h"
#include "compat/number.h"
#include "hash/mix.h"
#include "hash/siphash.h"

#include <string.h>

#define ROWS 65536u

enum {
	OPTION_SEED_HIGH,
	OPTION_SEED_LOW
};

/* What bids start from. */
struct row {
	struct fl_siphash_key seed;
	uint64_t hash; /* R */
};

static uint64_t reverse_bytes(uint64_t x)
{
	unsigned char bytes[8];
	uint64_t reversed = 0;
	fl_store64_le(bytes, x);
	for (unsigned i = 0; i < 8; i++)
		reversed = reversed << 8 | bytes[i];
	return reversed;
}

static uint64_t bid(const struct fl_contest *c, const struct fl_bidder *who, const void *key)
{
	const struct row *row = key;
	unsigned char text[24];
	(void)c;
	fl_store64_le(text, row->hash);
	memcpy(text + 8, who->own, who->size);
	return reverse_bytes(fl_siphash(text, 8 + (size_t)who->size, row->seed));
}

static int set_address(struct fl_bidder *who, struct fl_error *err)
{
	struct fl_address address;
	if (!fl_address_parse(&address, who->name))
		return fl_error_set(err, FL_EINVAL,
			"node \"%s\": for glb a name is an IPv4 or IPv6 address", who->name);
	memcpy(who->own, address.bytes, sizeof(who->own));
	who->size = (uint32_t)address.size;
	return FL_OK;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	struct fl_contest *c;
	int rc = fl_contest_build(p, bid);
	if (rc != FL_OK)
		return rc;
	c = p->state;
	for (uint32_t i = 0; rc == FL_OK && i < c->count; i++)
		rc = set_address(&c->bidders[i], err);
	if (rc != FL_OK) {
		fl_contest_free(p);
		p->state = NULL;
	}
	return rc;
}

static struct row row_of(const struct fl_placement *p, const struct fl_key *key)
{
	uint32_t number = (uint32_t)(fl_number_of(key->bytes, key->len) % ROWS);
	unsigned char bytes[4] = {
		0, 0, (unsigned char)(number >> 8), (unsigned char)(number & 255)};
	struct row row = {{reverse_bytes(p->options[OPTION_SEED_HIGH]),
				  reverse_bytes(p->options[OPTION_SEED_LOW])},
		0};
	row.hash = fl_siphash(bytes, sizeof(bytes), row.seed);
	return row;
}

static uint32_t pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	struct row row = row_of(p, key);
	return fl_contest_pick(p, &row, mask);
}

static int owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	struct row row = row_of(p, key);
	return fl_contest_owners(p, &row, mask, slots, k);
}

const struct fl_algorithm fl_compat_glb = {
	.info = {"compat:glb",
		"GitHub's GLB Director: rows in rendezvous order, primary and secondary.",
		"seed-high=0,seed-low=0", FL_EXACT_MASK | FL_MINIMAL_ANY | FL_HISTORY_FREE},
	.options = {{"seed-high", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL},
		{"seed-low", 0, 0, UINT64_MAX, FL_ANY_NUMBER, NULL}},
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
