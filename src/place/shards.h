/* What jump and jumpback have in common: nodes are shards numbered 0..n-1 by their slots, and one
 * integer function turns a hash and n into a number.
 *
 * Nodes of weight 0 stay in the numbering and own nothing: a key that would be theirs goes on to
 * its next owner, as if they were masked. So setting a weight to 0 moves only that node's keys,
 * and back to 1 gives it those keys again. But it stays counted in n: adding or removing a node
 * that has weight 0 passes 1 / n of the keys between others, as its tries come or go. */
#ifndef FL_PLACE_SHARDS_H
#define FL_PLACE_SHARDS_H

#include "place/hrw.h"

/* The bucket of `hash` among 0..count-1, count >= 1. */
typedef uint32_t (*fl_bucket_fn)(uint64_t hash, uint32_t count);

struct fl_shards {
	uint32_t count; /* nodes, those of weight 0 too */
	fl_bucket_fn bucket;
	struct fl_hrw rest; /* the last resort of further owners; knows who has a weight */
};

/* `lookup` serves when all nodes have a weight: what it takes from the state is `count`. */
int fl_shards_build(struct fl_placement *p, fl_bucket_fn bucket,
	uint32_t (*lookup)(const struct fl_placement *p, uint64_t hash));

/* The end of a batch: a node without weight owns nothing, so what `bucket` gave it goes on. */
void fl_shards_pass_on(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots);

/* As the functions of struct fl_algorithm. */
void fl_shards_free(struct fl_placement *p);
uint32_t fl_shards_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask);
int fl_shards_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);
void fl_shards_shares(const struct fl_placement *p, double *out);
size_t fl_shards_memory(const struct fl_placement *p);

/* The two functions, for any count up to 2^31 - 1 and 2^32 - 1. */
uint32_t fl_jump(uint64_t hash, uint32_t count);
uint32_t fl_jumpback(uint64_t hash, uint32_t count);

/* Where jump goes from bucket `bucket`, the generator having given `draw` (31 bits): in doubles,
 * and the same in integers, for machines whose doubles are wider while they are computed with. */
int64_t fl_jump_next(int64_t bucket, uint32_t draw);
int64_t fl_jump_next_integer(int64_t bucket, uint32_t draw);

#endif
