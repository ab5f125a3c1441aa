/* Why the shares of nodes that have a weight stay equal whoever else has none: the tries of a key
 * are independent and uniform over all n numbers, so the first that hits somebody with a weight
 * is uniform over those, and so is the rendezvous order that follows 64 misses. */
#include "place/shards.h"

#include "hash/mix.h"
#include "hash/salt.h"
#include "place/attempts.h"

#include <stdlib.h>

/* Some have no weight: the same tries that further owners take. */
static uint32_t lookup_weighted(const struct fl_placement *p, uint64_t hash)
{
	const struct fl_shards *s = p->state;
	for (unsigned i = 0; i <= FL_ATTEMPTS; i++) {
		uint64_t draw = i ? fl_mix64(hash + i * FL_SALT_ATTEMPT) : hash;
		uint32_t slot = s->bucket(draw, s->count);
		if (s->rest.index[slot] != FL_NONE)
			return slot;
	}
	return fl_hrw_first(&s->rest, hash);
}

int fl_shards_build(struct fl_placement *p, fl_bucket_fn bucket,
	uint32_t (*lookup)(const struct fl_placement *p, uint64_t hash))
{
	struct fl_shards *s = malloc(sizeof(*s));
	if (!s || fl_hrw_init(&s->rest, p) != FL_OK) {
		free(s);
		return FL_ENOMEM;
	}
	s->count = p->count;
	s->bucket = bucket;
	p->state = s;
	p->lookup = p->eligible == p->count ? lookup : lookup_weighted;
	return FL_OK;
}

void fl_shards_pass_on(
	const struct fl_placement *p, const uint64_t *hashes, size_t count, uint32_t *slots)
{
	const struct fl_shards *s = p->state;
	if (p->eligible == p->count)
		return;
	for (size_t i = 0; i < count; i++) {
		if (s->rest.index[slots[i]] == FL_NONE)
			slots[i] = p->lookup(p, hashes[i]);
	}
}

void fl_shards_free(struct fl_placement *p)
{
	struct fl_shards *s = p->state;
	fl_hrw_fini(&s->rest);
	free(s);
}

uint32_t fl_shards_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask)
{
	const struct fl_shards *s = p->state;
	return fl_attempts_pick(p, &s->rest, key->hash, mask);
}

int fl_shards_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k)
{
	const struct fl_shards *s = p->state;
	return fl_attempts_owners(p, &s->rest, key->hash, mask, slots, k);
}

void fl_shards_shares(const struct fl_placement *p, double *out)
{
	for (uint32_t i = 0; i < p->count; i++)
		out[p->nodes[i].slot] = p->nodes[i].weight > 0 ? 1.0 / p->eligible : 0.0;
}

size_t fl_shards_memory(const struct fl_placement *p)
{
	return sizeof(struct fl_shards) + ((const struct fl_shards *)p->state)->rest.bytes;
}
