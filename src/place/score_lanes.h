/* The loops over nodes and keys in lanes of 32 bits. kernel.c includes this once for each
 * instruction set, with the names' suffix, the functions' target and the bytes of a vector.
 *
 * Each lane keeps the best and the second best that it has seen; nothing is stored on the way.
 * The index of a node in its block takes the place of the last 10 bits of what is compared, so
 * that one maximum or minimum tells both the best and where it is.
 *
 * The highest score. When the second highest has other first 22 bits, the highest is alone. When
 * not, one lookup in 2^22 / n, the caller has to look at whole scores. Where nodes are many, four
 * rows compete and only the highest of four goes on, as marking and keeping costs half as much as
 * scoring; in the end four scores are computed again to see which it was. */
#include "hash/mix.h"

#include <string.h>

#define PASTE(name, suffix)  name##_##suffix
#define EXPAND(name, suffix) PASTE(name, suffix)
#define NAME(name)           EXPAND(name, FL_LANES_SUFFIX)
#define BODY                 FL_LANES_TARGET static inline __attribute__((always_inline))
#define BLOCK                FL_LANES_TARGET static __attribute__((noinline))
#define N                    ((uint32_t)FL_LANES_BYTES / 4)

typedef uint32_t NAME(u32s) __attribute__((vector_size(FL_LANES_BYTES)));
typedef int32_t NAME(i32s) __attribute__((vector_size(FL_LANES_BYTES)));
typedef float NAME(floats) __attribute__((vector_size(FL_LANES_BYTES)));
#define U NAME(u32s)
#define I NAME(i32s)
#define F NAME(floats)

BODY U NAME(load)(const void *p)
{
	U v;
	memcpy(&v, p, sizeof(v));
	return v;
}

BODY U NAME(all)(uint32_t x)
{
	return x - (U){0};
}

BODY U NAME(numbered)(void)
{
	U v;
	for (uint32_t j = 0; j < N; j++)
		v[j] = j;
	return v;
}

/* fl_score_high in every lane. */
BODY U NAME(score)(U a, U b, U x, U y)
{
	U h = (a ^ x) * 0x9e3779b1u;
	h ^= h >> 15;
	h += b ^ y;
	h *= 0x85ebca6bu;
	h ^= h >> 15;
	h *= 0xc2b2ae35u;
	return h ^ (h >> 16);
}

/* Of four times as many. Each step waits for the one before it, so the four take turns: what
 * looks ahead in a processor does not see far enough to find the next one by itself. */
struct NAME(four) {
	U v[4];
};

BODY struct NAME(four) NAME(scores_of)(struct NAME(four) a, struct NAME(four) b, U x, U y)
{
	for (int k = 0; k < 4; k++)
		a.v[k] = (a.v[k] ^ x) * 0x9e3779b1u;
	for (int k = 0; k < 4; k++)
		a.v[k] = ((a.v[k] ^ (a.v[k] >> 15)) + (b.v[k] ^ y)) * 0x85ebca6bu;
	for (int k = 0; k < 4; k++)
		a.v[k] = (a.v[k] ^ (a.v[k] >> 15)) * 0xc2b2ae35u;
	for (int k = 0; k < 4; k++)
		a.v[k] ^= a.v[k] >> 16;
	return a;
}

/* Four rows, or four numbers in every lane. */
BODY struct NAME(four) NAME(rows)(const void *p)
{
	const char *at = p;
	struct NAME(four) a;
	for (size_t k = 0; k < 4; k++)
		a.v[k] = NAME(load)(at + k * sizeof(U));
	return a;
}

BODY struct NAME(four) NAME(spread)(const void *p)
{
	const char *at = p;
	struct NAME(four) a;
	uint32_t x;
	for (size_t k = 0; k < 4; k++) {
		memcpy(&x, at + k * sizeof(x), sizeof(x));
		a.v[k] = NAME(all)(x);
	}
	return a;
}

/* The lanes in other places, each j at j ^ k; as they are where there are not as many. */
#define SWAPPED(v, k) __builtin_shufflevector(v, v, FL_LANES_ORDER((k) % N))

/* Compilers know these four loops: they are an instruction each. */
BODY U NAME(higher)(U a, U b)
{
	for (uint32_t j = 0; j < N; j++)
		a[j] = a[j] > b[j] ? a[j] : b[j];
	return a;
}

BODY U NAME(lower)(U a, U b)
{
	for (uint32_t j = 0; j < N; j++)
		a[j] = a[j] < b[j] ? a[j] : b[j];
	return a;
}

BODY I NAME(more)(I a, I b)
{
	for (uint32_t j = 0; j < N; j++)
		a[j] = a[j] > b[j] ? a[j] : b[j];
	return a;
}

BODY I NAME(less)(I a, I b)
{
	for (uint32_t j = 0; j < N; j++)
		a[j] = a[j] < b[j] ? a[j] : b[j];
	return a;
}

/* ---- the highest score ---- */

struct NAME(top) {
	U best, second;
};

BODY void NAME(see)(struct NAME(top) * t, U score, U index)
{
	score = (score & ~FL_INDEX) | index;
	t->second = NAME(higher)(t->second, NAME(lower)(t->best, score));
	t->best = NAME(higher)(t->best, score);
}

/* Each lane and the one at j ^ k become one. */
#define MEET(t, k)                                                                             \
	if (N > (k)) {                                                                         \
		U b = SWAPPED((t).best, k), s = SWAPPED((t).second, k);                        \
		(t).second =                                                                   \
			NAME(higher)(NAME(higher)((t).second, s), NAME(lower)((t).best, b));   \
		(t).best = NAME(higher)((t).best, b);                                          \
	}

/* The highest of all lanes, and behind it the second highest. */
BODY uint64_t NAME(finish)(struct NAME(top) t)
{
	MEET(t, 8)
	MEET(t, 4)
	MEET(t, 2)
	MEET(t, 1)
	return ((uint64_t)t.best[0] << 32) | t.second[0];
}

/* Of at most FL_BLOCK nodes; from FL_MANY on the index means one of four, N apart. The last row,
 * which may be padding in part, comes first. */
BLOCK uint64_t NAME(top_block)(
	const uint32_t *lo, const uint32_t *hi, size_t count, uint64_t key)
{
	U x = NAME(all)((uint32_t)key), y = NAME(all)((uint32_t)(key >> 32));
	size_t last = (count - 1) / N * N, i = 0;
	U index = NAME(numbered)();
	U s = NAME(score)(NAME(load)(lo + last), NAME(load)(hi + last), x, y);
	struct NAME(top) t = {{0}, {0}};
	t.best = (s & ~FL_INDEX) | (index + (uint32_t)last);
	t.best &= (U)((I)index < (int32_t)(count - last));
	for (; count >= FL_MANY && i + 4 * N <= last; i += 4 * N) {
		struct NAME(four) f =
			NAME(scores_of)(NAME(rows)(lo + i), NAME(rows)(hi + i), x, y);
		s = NAME(higher)(NAME(higher)(f.v[0], f.v[1]), NAME(higher)(f.v[2], f.v[3]));
		NAME(see)(&t, s, index);
		index += 4 * N;
	}
	for (; i + 4 * N <= last; i += 4 * N) {
		struct NAME(four) f =
			NAME(scores_of)(NAME(rows)(lo + i), NAME(rows)(hi + i), x, y);
		for (int k = 0; k < 4; k++, index += N)
			NAME(see)(&t, f.v[k], index);
	}
	for (; i < last; i += N, index += N) {
		s = NAME(score)(NAME(load)(lo + i), NAME(load)(hi + i), x, y);
		NAME(see)(&t, s, index);
	}
	return NAME(finish)(t);
}

/* The highest of `at` and what lies up to three times N behind it, the first of them if equal;
 * then *unsure is set, too. */
BODY uint32_t NAME(one_of_four)(const uint32_t *lo, const uint32_t *hi, uint32_t count,
	uint32_t at, uint64_t key, uint32_t *unsure)
{
	uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32), found = at;
	uint32_t best = fl_score_high(lo[at], hi[at], x, y);
	for (uint32_t i = at + N; i < count && i < at + 4 * N; i += N) {
		uint32_t s = fl_score_high(lo[i], hi[i], x, y);
		*unsure |= s == best;
		found = s > best ? i : found;
		best = s > best ? s : best;
	}
	return found;
}

FL_LANES_TARGET static uint32_t NAME(top)(
	const uint32_t *lo, const uint32_t *hi, uint32_t count, uint64_t key, uint32_t *unsure)
{
	uint32_t best = 0, second = 0, at = 0;
	for (uint32_t base = 0; base < count; base += FL_BLOCK) {
		uint32_t n = count - base < FL_BLOCK ? count - base : FL_BLOCK;
		uint64_t found = NAME(top_block)(lo + base, hi + base, n, key);
		uint32_t high = (uint32_t)(found >> 32), next = (uint32_t)found;
		uint32_t low = high < best ? high : best;
		at = high > best ? base + (high & FL_INDEX) : at;
		best = high > best ? high : best;
		second = low > second ? low : second;
		second = next > second ? next : second;
	}
	*unsure = fl_maybe_equal(best, second);
	if (count >= FL_MANY)
		at = NAME(one_of_four)(lo, hi, count, at, key, unsure);
	return at;
}

/* A lane a key. */
FL_LANES_TARGET static void NAME(tops)(const uint32_t *lo, const uint32_t *hi, uint32_t count,
	const uint64_t *keys, size_t groups, uint32_t *best, uint32_t *second)
{
	uint32_t low[FL_LANES], high[FL_LANES];
	for (size_t g = 0; g < groups * FL_LANES; g += N) {
		for (uint32_t j = 0; j < N; j++) {
			low[j] = (uint32_t)keys[g + j];
			high[j] = (uint32_t)(keys[g + j] >> 32);
		}
		U x = NAME(load)(low), y = NAME(load)(high), index = {0};
		struct NAME(top) t = {{0}, {0}};
		uint32_t i = 0;
		for (; i + 4 <= count; i += 4) {
			struct NAME(four) f = NAME(scores_of)(
				NAME(spread)(lo + i), NAME(spread)(hi + i), x, y);
			for (int k = 0; k < 4; k++, index += 1)
				NAME(see)(&t, f.v[k], index);
		}
		for (; i < count; i++, index += 1)
			NAME(see)
		(&t, NAME(score)(NAME(all)(lo[i]), NAME(all)(hi[i]), x, y), index);
		memcpy(best + g, &t.best, sizeof(t.best));
		memcpy(second + g, &t.second, sizeof(t.second));
	}
}

FL_LANES_TARGET static void NAME(scores)(
	const uint32_t *lo, const uint32_t *hi, uint32_t padded, uint64_t key, uint32_t *out)
{
	U x = NAME(all)((uint32_t)key), y = NAME(all)((uint32_t)(key >> 32));
	for (uint32_t i = 0; i < padded; i += N) {
		U s = NAME(score)(NAME(load)(lo + i), NAME(load)(hi + i), x, y);
		memcpy(out + i, &s, sizeof(s));
	}
}
