/* compat:nginx-hash: `hash KEY` of nginx's upstreams without `consistent`, http and stream.
 * Checked against nginx 1.22.1 answering requests.
 *
 * For r = 0, 1, ...: bits 16..30 of the CRC-32 of the key (from r = 1 on, of r in decimal and the
 * key) are added to a sum; the sum mod the total weight falls to a server, in the order of the
 * configuration, here ascending slots. A server that cannot be had leads to the next r. Names do
 * not matter. key=text|addr as in nginx-consistent.
 *
 * A mask is what nginx does with a server that is down: it stays in the total weight and only its
 * own keys move. To remove it is another map: nearly all keys move.
 *
 * Not reproduced: after 21 servers that are out nginx goes on by round robin, here it is the next
 * one behind the last that can be had; an empty key is round robin, here its CRC-32 is 0. As the
 * sum has 15 bits at r = 0, weights of more than 32768 in all leave the last servers without keys.
 *
 * Cost: CRC-32 of the key and a search by halves; masked, once more for each server that is out.
 */
#include "compat/compat.h"

#include "compat/address.h"
#include "compat/peers.h"
#include "hash/crc32.h"
#include "hash/legacy.h"

#include <stdio.h>

#define REACH 0x8000 /* numbers at r = 0 are below it */

enum {
	KEY_TEXT,
	KEY_ADDR
};

static const char *const keys[] = {"text", "addr", NULL};

struct sequence {
	const void *bytes;
	size_t len;
	uint32_t sum, r;
};

static uint64_t next(void *sequence)
{
	struct sequence *s = sequence;
	char text[12];
	int n = s->r ? snprintf(text, sizeof(text), "%u", s->r) : 0;
	uint32_t crc = fl_crc32_add(fl_crc32(text, (size_t)n), s->bytes, s->len);
	s->r++;
	return s->sum += crc >> 16 & (REACH - 1);
}

static uint32_t try(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_out *out)
{
	unsigned char address[16];
	size_t size = 0;
	if (p->options[0] == KEY_ADDR)
		size = fl_address_read(key->bytes, key->len, address);
	struct sequence s = {size ? address : key->bytes, size ? size : key->len, 0, 0};
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

/* Numbers below REACH are as good as equally likely, whatever the total is. */
static void shares(const struct fl_placement *p, double *shares)
{
	fl_peers_shares(p->state, REACH, shares);
}

static bool starved(const struct fl_placement *p, uint32_t slot)
{
	return fl_peers_starved(p->state, REACH, slot);
}

const struct fl_algorithm fl_compat_nginx_hash = {
	.info = {"compat:nginx-hash",
		"nginx's `hash KEY`: CRC-32 mod the total weight, hashed again past servers "
		"that "
		"are down.",
		"key=text", FL_WEIGHTS | FL_HISTORY_FREE},
	.options = {{"key", KEY_TEXT, 0, KEY_ADDR, FL_ANY_NUMBER, keys}},
	.seed = -1,
	.max_weight = FL_MAX_WEIGHT,
	.key_hash = FL_KEY_NGINX,
	.key_options = 1,
	.by_slot = true,
	.build = build,
	.free = fl_peers_free,
	.pick = pick,
	.owners = owners,
	.shares = shares,
	.memory = fl_peers_memory,
	.starved = starved,
};
