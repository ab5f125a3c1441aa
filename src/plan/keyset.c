/* Keys in the order they came, in arrays; a table of open addressing finds them by their hash. The
 * bytes live in an arena, so that they stay where they are while the arrays grow. */
#include "plan/keyset.h"

#include "base/arena.h"
#include "hash/xxh3.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX
#define CHUNK  ((size_t)256 << 10) /* that an arena takes at a time, at most */

struct fl_keyset {
	struct fl_arena bytes;
	struct fl_key *keys; /* their `hash` is ours, and have_hash is false */
	uint64_t *weights;
	uint32_t *table; /* room entries: index of a key, or NOBODY */
	size_t count, capacity, room;
	uint64_t total;
};

int fl_keyset_new(struct fl_keyset **out)
{
	struct fl_keyset *set = calloc(1, sizeof(*set));

	if (!set)
		return FL_ENOMEM;
	fl_arena_init(&set->bytes, FL_KEYSET_BYTES);
	*out = set;
	return FL_OK;
}

void fl_keyset_free(struct fl_keyset *set)
{
	if (!set)
		return;
	fl_arena_fini(&set->bytes);
	free(set->keys);
	free(set->weights);
	free(set->table);
	free(set);
}

/* The entry that has the key, or the free one where it belongs. */
static uint32_t *find(const struct fl_keyset *set, uint64_t hash, size_t len)
{
	size_t at = hash & (set->room - 1);

	for (;; at = (at + 1) & (set->room - 1)) {
		uint32_t i = set->table[at];

		if (i == NOBODY || (set->keys[i].hash == hash && set->keys[i].len == len))
			return &set->table[at];
	}
}

static int grow_arrays(struct fl_keyset *set)
{
	size_t capacity = set->capacity ? 2 * set->capacity : 1024;
	struct fl_key *keys = realloc(set->keys, capacity * sizeof(*keys));
	uint64_t *weights;

	if (!keys)
		return FL_ENOMEM;
	set->keys = keys;
	weights = realloc(set->weights, capacity * sizeof(*weights));
	if (!weights)
		return FL_ENOMEM;
	set->weights = weights;
	set->capacity = capacity;
	return FL_OK;
}

/* The table has twice as many entries as the arrays have room, so it is never more than half
 * full. */
static int grow(struct fl_keyset *set)
{
	int rc = grow_arrays(set);
	size_t room = 2 * set->capacity;
	uint32_t *table = rc == FL_OK ? malloc(room * sizeof(*table)) : NULL;

	if (!table)
		return FL_ENOMEM;
	memset(table, 0xff, room * sizeof(*table));
	free(set->table);
	set->table = table;
	set->room = room;
	for (size_t i = 0; i < set->count; i++)
		*find(set, set->keys[i].hash, set->keys[i].len) = (uint32_t)i;
	return FL_OK;
}

int fl_keyset_add(struct fl_keyset *set, struct fl_slice key, uint64_t weight)
{
	uint64_t hash = fl_xxh3(key.p, key.n, 0);
	uint32_t *entry;
	char *copy;

	/* An array that grew without its table is put right by the next call. */
	if (2 * set->capacity != set->room || set->count == set->capacity) {
		int rc = grow(set);

		if (rc != FL_OK)
			return rc;
	}
	entry = find(set, hash, key.n);
	if (*entry == NOBODY) {
		if (set->count == FL_KEYSET_KEYS)
			return FL_ELIMIT;
		copy = fl_arena_copy(&set->bytes, key.n ? key.p : "", key.n);
		if (!copy)
			return set->bytes.taken + key.n + CHUNK > FL_KEYSET_BYTES ? FL_ELIMIT
			                                                          : FL_ENOMEM;
		set->keys[set->count] = fl_key_bytes(copy, key.n);
		set->keys[set->count].hash = hash;
		set->weights[set->count] = 0;
		*entry = (uint32_t)set->count++;
	}
	set->weights[*entry] += weight;
	set->total += weight;
	return FL_OK;
}

size_t fl_keyset_count(const struct fl_keyset *set)
{
	return set->count;
}

const struct fl_key *fl_keyset_keys(const struct fl_keyset *set)
{
	return set->keys;
}

const uint64_t *fl_keyset_weights(const struct fl_keyset *set)
{
	return set->weights;
}

uint64_t fl_keyset_total(const struct fl_keyset *set)
{
	return set->total;
}
