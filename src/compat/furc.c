/* A binary tree whose leaves are numbers below 2^d, d being the bits of count - 1. A key owns an
 * endless row of random bits, laid out with a stride of 23 (the deepest tree there may be), one
 * lane a depth. From the depth d downwards the first lane whose bit is set says how many bits the
 * number has: its top bit is 1 and the bits that follow in the row are the rest; no lane set is
 * number 0. A number that is not below count is tried again from further on in the row, at its
 * depth; 32 times, then it is 0.
 *
 * Which bits a try reads does not depend on count but for the depth it starts at, so one more
 * number takes 1 / count of the keys from all the others: minimal at the end of the list.
 *
 * Weighted: the 32 bits of the row behind the number must be below its threshold; else all begins
 * anew from there. After 32 refusals those bits mod count are the number.
 *
 * The row comes in words: the first is MurmurHash64A of the key, each further one that of the word
 * before as 8 little-endian bytes. A search never looks back behind where it began, and it spans
 * less than half of the words that are kept. */
#include "compat/furc.h"

#include "hash/mix.h"
#include "hash/murmur64.h"

#include <stdbool.h>

#define SEED   4193360111u
#define STRIDE 23
#define KEPT   512

_Static_assert(FL_FURC_TRIES *(STRIDE + 1) * STRIDE / 64 + 2 < KEPT, "a search fits");

struct row {
	uint64_t word[KEPT]; /* number i is at i mod KEPT */
	unsigned have;
};

struct search {
	struct row row;
	unsigned start; /* where it began */
	unsigned depth; /* lane, from start */
	unsigned at;    /* the bit that is next */
};

static uint64_t word_at(struct row *r, unsigned i)
{
	unsigned char last[8];
	for (; r->have <= i; r->have++) {
		fl_store64_le(last, r->word[(r->have - 1) % KEPT]);
		r->word[r->have % KEPT] = fl_murmur64a(last, sizeof(last), SEED);
	}
	return r->word[i % KEPT];
}

static unsigned bit_at(struct row *r, unsigned at)
{
	return (unsigned)(word_at(r, at / 64) >> (at % 64)) & 1;
}

static uint32_t bits32_at(struct row *r, unsigned at)
{
	uint64_t low = word_at(r, at / 64) >> (at % 64);
	if (at % 64 > 32)
		low |= word_at(r, at / 64 + 1) << (64 - at % 64);
	return (uint32_t)low;
}

static void begin(struct search *s, unsigned start, uint32_t count)
{
	s->start = start;
	s->depth = 32 - (unsigned)__builtin_clz(count - 1);
	s->at = start + s->depth;
}

/* Down to the first lane that is set; false: none is. Afterwards `at` is behind what was read. */
static bool descend(struct search *s)
{
	while (!bit_at(&s->row, s->at)) {
		if (--s->depth == 0)
			break;
		s->at = s->start + s->depth;
	}
	s->at += STRIDE;
	return s->depth > 0;
}

static uint32_t search(struct search *s, uint32_t count)
{
	for (unsigned try = 0; try < FL_FURC_TRIES; try++) {
		uint32_t number = 1;
		if (!descend(s))
			return 0;
		for (unsigned i = 1; i < s->depth; i++, s->at += STRIDE)
			number = 2 * number + bit_at(&s->row, s->at);
		if (number < count)
			return number;
	}
	return 0;
}

uint32_t fl_furc(const void *bytes, size_t len, uint32_t count)
{
	struct search s;
	if (count <= 1)
		return 0;
	s.row.word[0] = fl_murmur64a(bytes, len, SEED);
	s.row.have = 1;
	begin(&s, 0, count);
	return search(&s, count);
}

uint32_t fl_furc_weighted(
	const void *bytes, size_t len, const uint64_t *thresholds, uint32_t count)
{
	struct search s;
	uint32_t drawn = 0;
	if (count <= 1)
		return 0;
	s.row.word[0] = fl_murmur64a(bytes, len, SEED);
	s.row.have = 1;
	begin(&s, 0, count);
	for (unsigned try = 0; try < FL_FURC_TRIES; try++) {
		uint32_t number = search(&s, count);
		if (thresholds[number] >= UINT32_MAX)
			return number;
		drawn = bits32_at(&s.row, s.at);
		if (drawn < thresholds[number])
			return number;
		begin(&s, s.at, count);
	}
	return drawn % count;
}
