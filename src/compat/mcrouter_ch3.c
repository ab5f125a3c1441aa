/* compat:mcrouter-ch3 and compat:mcrouter-crc32: how mcrouter picks a server of a pool with
 * hash_func Ch3 (its default) and Crc32. Checked against mcrouter's own functions, compiled from
 * lib/fbi/hash.c (revision 9d7f4342).
 *
 * Ch3: the server number furc(key, n) (furc.h). Crc32: (CRC-32 of the key & 0x7fffffff) mod n.
 * Servers are numbered by their place in the pool, from 0: by ascending slot. The key is the
 * routing key: what stands before "|#|" if the key has that, and without mcrouter's prefix.
 *
 * mcrouter does not rehash when a server is down: it answers with an error or asks another pool,
 * as its failover routes say. Masked here, the key goes to its next owner in our own order
 * (numbered.h), so only the masked servers' keys move.
 *
 * Moves: Ch3, one server more or less at the end of the pool: 1 / n of the keys; a server taken
 * out of the middle renumbers those behind it. Crc32: nearly everything. Cost: a few hashes. */
#include "compat/compat.h"

#include "compat/furc.h"
#include "compat/numbered.h"
#include "hash/legacy.h"

static uint32_t number_ch3(const struct fl_placement *p, const struct fl_key *key)
{
	return fl_furc(key->bytes, key->len, p->count);
}

static uint32_t number_crc32(const struct fl_placement *p, const struct fl_key *key)
{
	return (fl_crc32(key->bytes, key->len) & 0x7fffffff) % p->count;
}

static int build_ch3(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_numbered_build(p, number_ch3, NULL, 0);
}

static int build_crc32(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_numbered_build(p, number_crc32, NULL, 0);
}

const struct fl_algorithm fl_compat_mcrouter_ch3 = {
	.info = {"compat:mcrouter-ch3",
		"mcrouter's Ch3, its default: servers by number, one more moves 1/n.", "",
		FL_MINIMAL_REWEIGHT | FL_HISTORY_FREE},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_ch3,
	.free = fl_numbered_free,
	.pick = fl_numbered_pick,
	.owners = fl_numbered_owners,
	.memory = fl_numbered_memory,
};

const struct fl_algorithm fl_compat_mcrouter_crc32 = {
	.info = {"compat:mcrouter-crc32",
		"mcrouter's Crc32: 31 bits of CRC-32 modulo the servers.", "",
		FL_MINIMAL_REWEIGHT | FL_HISTORY_FREE},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_crc32,
	.free = fl_numbered_free,
	.pick = fl_numbered_pick,
	.owners = fl_numbered_owners,
	.memory = fl_numbered_memory,
};
