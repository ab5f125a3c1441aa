/* compat:redis-cluster: Redis Cluster's hash slots, dealt out as `redis-cli --cluster create` does.
 * The slots were checked against Redis 7.0.15 (CLUSTER KEYSLOT).
 *
 * A key's hash slot is CRC-16/XMODEM mod 16384 of its hash tag: what stands between the first '{'
 * and the next '}', if that is not empty; else of the whole key.
 *
 * Masters, by ascending slot, get runs of hash slots: with n masters and the float s = 16384 / n,
 * and a float cursor that grows by s after each, a master's run goes up to cursor + s - 1, rounded
 * to the nearest; the last one's to the end. That is the cluster as it was made; slots that were
 * moved since (reshard, rebalance) are not known here. At most 16384 masters; with as many of
 * them, master number i is hash slot i.
 *
 * A master that is down keeps its slots until a replica of its takes them over under the same
 * number; masked, its keys go on in our own order (numbered.h). Moves: Redis moves nothing by
 * itself; another number of masters deals out anew. Cost: a CRC and one load. */
#include "compat/compat.h"

#include "compat/doubles.h"
#include "compat/numbered.h"
#include "hash/crc16.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS 16384u

static uint32_t hash_slot(const struct fl_key *key)
{
	const char *bytes = key->bytes, *open = NULL, *close = NULL;
	if (key->len > 0)
		open = memchr(bytes, '{', key->len);
	if (open)
		close = memchr(open + 1, '}', key->len - (size_t)(open + 1 - bytes));
	if (close && close > open + 1)
		return fl_crc16_xmodem(open + 1, (size_t)(close - open - 1)) % SLOTS;
	return fl_crc16_xmodem(bytes, key->len) % SLOTS;
}

static uint32_t number(const struct fl_placement *p, const struct fl_key *key)
{
	const uint16_t *masters = ((const struct fl_numbered *)p->state)->extra;
	return masters[hash_slot(key)];
}

/* By hash slot: the number of its master. */
static uint16_t *deal(uint32_t count)
{
	uint16_t *masters = malloc(SLOTS * sizeof(*masters));
	float each = (float)SLOTS / (float)count, cursor = 0;
	uint32_t slot = 0;
	for (uint32_t i = 0; masters && i < count; i++) {
		/* Half up is away from zero here, as lround does it: nothing is negative. */
		float end = cursor + each - 1;
		uint32_t last = (uint32_t)((double)end + 0.5);
		if (last >= SLOTS || i == count - 1)
			last = SLOTS - 1;
		if (last < slot)
			last = slot;
		while (slot <= last && slot < SLOTS)
			masters[slot++] = (uint16_t)i;
		cursor += each;
	}
	return masters;
}

static int build(struct fl_placement *p, struct fl_error *err)
{
	uint16_t *masters = deal(p->count);
	(void)err;
	if (!masters)
		return FL_ENOMEM;
	return fl_numbered_build(p, number, masters, SLOTS * sizeof(*masters));
}

const struct fl_algorithm fl_compat_redis_cluster = {
	.info = {"compat:redis-cluster",
		"Redis Cluster's hash slots in equal runs, as when it is made.", "",
		FL_MINIMAL_REWEIGHT | FL_HISTORY_FREE},
	.options = {{NULL, 0, 0, 0, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.max_nodes = SLOTS,
	.build = build,
	.free = fl_numbered_free,
	.pick = fl_numbered_pick,
	.owners = fl_numbered_owners,
	.memory = fl_numbered_memory,
};
