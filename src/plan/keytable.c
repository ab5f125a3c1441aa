/* Open addressing by hash, and adaptive sampling when memory ends (Wegman's method; Flajolet: On
 * Adaptive Sampling, 1990).
 *
 * A key is in the sample of level n when the n lowest bits of its hash are 0. The table begins at
 * level 0, with every key; when it is full and may not grow, the level goes up and half of the keys
 * leave. So at any time it holds exactly those keys seen so far that are in the sample of its level,
 * each with its exact weight; their number is binomial with 2^-level, whatever was fed and however
 * often. It never holds less than half of what fits: at 256 MiB three million keys, which give the
 * number of all keys to 0.15 % and a share of them to 0.08 %, 99 times of 100. (That the level
 * follows from the sample itself biases the number a little, far less than that.)
 *
 * The table is 256 small ones, by the highest bits, that grow one at a time: growing needs room for
 * a small one twice, not for everything. */
#include "plan/keytable.h"

#include "fairlead/fairlead.h"

#include <stdbool.h>
#include <stdlib.h>

#define SHARD_BITS 8
#define SHARDS     (1u << SHARD_BITS)
#define FIRST_BITS 4

struct shard {
	struct fl_keytable_entry *cells;
	size_t used;
	unsigned bits; /* 2^bits cells */
};

struct fl_keytable {
	struct shard shards[SHARDS];
	size_t taken, memory;
	unsigned level;
};

static size_t bytes_of(unsigned bits)
{
	return sizeof(struct fl_keytable_entry) << bits;
}

static bool sampled(uint64_t hash, unsigned level)
{
	return (hash & ((UINT64_C(1) << level) - 1)) == 0;
}

int fl_keytable_new(struct fl_keytable **out, size_t memory)
{
	struct fl_keytable *t = calloc(1, sizeof(*t));

	if (!t)
		return FL_ENOMEM;
	t->memory = memory;
	for (size_t i = 0; i < SHARDS; i++) {
		t->shards[i].bits = FIRST_BITS;
		t->shards[i].cells = calloc(1, bytes_of(FIRST_BITS));
		if (!t->shards[i].cells) {
			fl_keytable_free(t);
			return FL_ENOMEM;
		}
		t->taken += bytes_of(FIRST_BITS);
	}
	*out = t;
	return FL_OK;
}

void fl_keytable_free(struct fl_keytable *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < SHARDS; i++)
		free(t->shards[i].cells);
	free(t);
}

/* Lowest bits do not count: in a sample, they are all 0. */
static size_t home(const struct shard *s, uint64_t hash)
{
	return (size_t)(hash << SHARD_BITS >> (64 - s->bits));
}

/* The key's cell, or the free one where it belongs. */
static struct fl_keytable_entry *cell_of(const struct shard *s, uint64_t hash)
{
	size_t mask = ((size_t)1 << s->bits) - 1;
	size_t i = home(s, hash);

	while (s->cells[i].hash && s->cells[i].hash != hash)
		i = (i + 1) & mask;
	return &s->cells[i];
}

/* The shard anew, with so many bits and only the keys of this level. */
static int rebuild(struct fl_keytable *t, struct shard *s, unsigned bits, unsigned level)
{
	struct shard next = {calloc(1, bytes_of(bits)), 0, bits};

	if (!next.cells)
		return FL_ENOMEM;
	for (size_t i = 0; i < (size_t)1 << s->bits; i++) {
		const struct fl_keytable_entry *e = &s->cells[i];
		if (!e->hash || !sampled(e->hash, level))
			continue;
		*cell_of(&next, e->hash) = *e;
		next.used++;
	}
	t->taken = t->taken - bytes_of(s->bits) + bytes_of(bits);
	free(s->cells);
	*s = next;
	return FL_OK;
}

/* Half of the keys leave. */
static int thin(struct fl_keytable *t)
{
	t->level++;
	for (size_t i = 0; i < SHARDS; i++)
		if (rebuild(t, &t->shards[i], t->shards[i].bits, t->level) != FL_OK)
			return FL_ENOMEM;
	return FL_OK;
}

/* Room for one more in this shard, and for the key that comes if it still belongs here. */
static int make_room(struct fl_keytable *t, struct shard *s)
{
	while (4 * (s->used + 1) > (size_t)3 << s->bits) {
		/* A shard that is rebuilt later needs itself once more. */
		size_t after = t->taken - bytes_of(s->bits) + 2 * bytes_of(s->bits + 1);
		int rc = after + sizeof(*t) <= t->memory ? rebuild(t, s, s->bits + 1, t->level)
		                                         : thin(t);
		if (rc != FL_OK)
			return rc;
	}
	return FL_OK;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* 0 marks a free cell. */
static uint64_t proper(uint64_t hash)
{
	return hash ? hash : UINT64_C(1) << 63;
}

int fl_keytable_add(
	struct fl_keytable *t, uint64_t hash, uint64_t weight, uint32_t from, uint32_t to)
{
	struct shard *s;
	struct fl_keytable_entry *cell;
	int rc;

	hash = proper(hash);
	if (!sampled(hash, t->level))
		return FL_OK;
	s = &t->shards[hash >> (64 - SHARD_BITS)];
	cell = cell_of(s, hash);
	if (cell->hash) {
		cell->weight = sum(cell->weight, weight);
		return FL_OK;
	}
	rc = make_room(t, s);
	if (rc != FL_OK || !sampled(hash, t->level))
		return rc;
	*cell_of(s, hash) = (struct fl_keytable_entry){hash, weight, from, to};
	s->used++;
	return FL_OK;
}

/* Most keys are in their first cell or the one behind it, which may be in the next line. */
void fl_keytable_prefetch(const struct fl_keytable *t, uint64_t hash)
{
	const struct shard *s;
	const struct fl_keytable_entry *cell;

	hash = proper(hash);
	if (!sampled(hash, t->level))
		return;
	s = &t->shards[hash >> (64 - SHARD_BITS)];
	cell = &s->cells[home(s, hash)];
	__builtin_prefetch(cell, 1);
	__builtin_prefetch(cell + 1, 1);
}

uint64_t fl_keytable_rate(const struct fl_keytable *t)
{
	return UINT64_C(1) << t->level;
}

uint64_t fl_keytable_count(const struct fl_keytable *t)
{
	uint64_t n = 0;

	for (size_t i = 0; i < SHARDS; i++)
		n += t->shards[i].used;
	return n;
}

const struct fl_keytable_entry *fl_keytable_find(const struct fl_keytable *t, uint64_t hash)
{
	const struct fl_keytable_entry *cell =
		cell_of(&t->shards[proper(hash) >> (64 - SHARD_BITS)], proper(hash));

	return cell->hash ? cell : NULL;
}

void fl_keytable_walk(const struct fl_keytable *t,
	void (*each)(void *cookie, const struct fl_keytable_entry *entry), void *cookie)
{
	for (size_t i = 0; i < SHARDS; i++)
		for (size_t k = 0; k < (size_t)1 << t->shards[i].bits; k++)
			if (t->shards[i].cells[k].hash)
				each(cookie, &t->shards[i].cells[k]);
}
