/* compat:jump and compat:guava: jump consistent hash as programs use it that number their shards.
 * Nodes are shards 0, 1, ... by ascending slot; the key is a number.
 *
 * jump: the paper's function (Lamping & Veach 2014; place/jump.c), checked against the paper's C++.
 * The key is a decimal number of 64 bits, a negative one as two's complement; other bytes are
 * hashed to a number first (number.h). shards=N: N virtual shards in equal runs, shard s being
 * node s * n / N, rounded down; 0: as many as there are nodes.
 *
 * guava: Hashing.consistentHash of Guava (31.1), the same walk with another division: from bucket c
 * on to (c + 1) / ((draw + 1) / 2^31), one rounding. hash=number: the overload for a long; else
 * that for a HashCode, whose first 8 bytes count, low byte first: the digest of the key's bytes.
 * At the greatest draw Java's sum wraps and the walk ends.
 *
 * Neither says who is next when a shard is down; masked, its keys go on in our own order
 * (numbered.h). Moves: a node more or less at the end 1 / n of the keys; one taken out of the
 * middle renumbers those behind it. Cost: O(ln n). */
#include "compat/compat.h"

#include "base/error.h"
#include "compat/doubles.h"
#include "compat/number.h"
#include "compat/numbered.h"
#include "hash/stream.h"
#include "place/shards.h"

#define STEP 2862933555777941757u

static const char *const hashes[] = {"murmur3_128", "md5", "sha256", "number", NULL};

enum {
	HASH_NUMBER = 3
};

static uint32_t number_jump(const struct fl_placement *p, const struct fl_key *key)
{
	uint64_t hash = fl_number_of(key->bytes, key->len), shards = p->options[0];
	if (shards == 0)
		return fl_jump(hash, p->count);
	return (uint32_t)(fl_jump(hash, (uint32_t)shards) * (uint64_t)p->count / shards);
}

static int build_jump(struct fl_placement *p, struct fl_error *err)
{
	if (p->options[0] != 0 && p->options[0] < p->count)
		return fl_error_set(err, FL_EINVAL,
			"%u nodes for shards=%llu: expected at least as many shards as nodes",
			p->count, (unsigned long long)p->options[0]);
	return fl_numbered_build(p, number_jump, NULL, 0);
}

static uint32_t guava(uint64_t state, uint32_t buckets)
{
	uint32_t bucket = 0;
	for (;;) {
		state = state * STEP + 1;
		uint32_t draw = (uint32_t)(state >> 33);
		double next = (double)(bucket + 1) / (((double)draw + 1) / 0x1p31);
		if (draw == INT32_MAX || next >= (double)buckets)
			return bucket;
		bucket = (uint32_t)next;
	}
}

static uint32_t number_guava(const struct fl_placement *p, const struct fl_key *key)
{
	static const enum fl_stream_kind kinds[] = {
		FL_STREAM_MURMUR3_128, FL_STREAM_MD5, FL_STREAM_SHA256};
	struct fl_stream s;
	if (p->options[0] == HASH_NUMBER)
		return guava(fl_number_of(key->bytes, key->len), p->count);
	fl_stream_init(&s, kinds[p->options[0]]);
	fl_stream_add(&s, key->bytes, key->len);
	return guava(fl_stream_first64(&s), p->count);
}

static int build_guava(struct fl_placement *p, struct fl_error *err)
{
	(void)err;
	return fl_numbered_build(p, number_guava, NULL, 0);
}

const struct fl_algorithm fl_compat_jump = {
	.info = {"compat:jump", "Jump consistent hash of keys that are numbers.", "shards=0",
		FL_MINIMAL_REWEIGHT | FL_HISTORY_FREE},
	.options = {{"shards", 0, 0, INT32_MAX, FL_ANY_NUMBER, NULL}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_jump,
	.free = fl_numbered_free,
	.pick = fl_numbered_pick,
	.owners = fl_numbered_owners,
	.memory = fl_numbered_memory,
};

const struct fl_algorithm fl_compat_guava = {
	.info = {"compat:guava", "Guava's Hashing.consistentHash of a HashCode or a number.",
		"hash=murmur3_128", FL_MINIMAL_REWEIGHT | FL_HISTORY_FREE},
	.options = {{"hash", 0, 0, 3, FL_ANY_NUMBER, hashes}},
	.seed = -1,
	.max_weight = 1,
	.key_hash = FL_KEY_WITH_NODE,
	.by_slot = true,
	.build = build_guava,
	.free = fl_numbered_free,
	.pick = fl_numbered_pick,
	.owners = fl_numbered_owners,
	.memory = fl_numbered_memory,
};
