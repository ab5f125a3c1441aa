#include "obs/counters.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct fl_counters) % 64 == 0, "blocks are whole cache lines");

static const struct {
	const char *name, *doc;
} table[] = {
#define ROW(id, name, doc) [FL_COUNTER_##id] = {name, doc},
	FL_COUNTERS(ROW)
#undef ROW
};

struct fl_counters *fl_counters_new(size_t count)
{
	size_t size;
	struct fl_counters *blocks;

	if (__builtin_mul_overflow(count ? count : 1, sizeof(*blocks), &size))
		return NULL;
	blocks = aligned_alloc(_Alignof(struct fl_counters), size);
	if (blocks)
		memset(blocks, 0, size);
	return blocks;
}

void fl_counters_free(struct fl_counters *blocks)
{
	free(blocks);
}

uint64_t fl_counters_sum(const struct fl_counters *blocks, size_t count, enum fl_counter id)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += atomic_load_explicit(&blocks[i].cells[id], memory_order_relaxed);
	return sum;
}

void fl_counters_sums(
	const struct fl_counters *blocks, size_t count, uint64_t sums[FL_COUNTER_COUNT])
{
	for (int id = 0; id < FL_COUNTER_COUNT; id++)
		sums[id] = fl_counters_sum(blocks, count, (enum fl_counter)id);
}

const char *fl_counter_name(enum fl_counter id)
{
	FL_ASSERT(id < FL_COUNTER_COUNT);
	return table[id].name;
}

const char *fl_counter_doc(enum fl_counter id)
{
	FL_ASSERT(id < FL_COUNTER_COUNT);
	return table[id].doc;
}
