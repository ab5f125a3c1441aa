/* The loops over nodes and keys in lanes of 32 bits. kernel.c includes this once for each
 * instruction set, with the names' suffix, the functions' target and the bytes of a vector.
 *
 * Each lane keeps the best and the second best that it has seen; nothing is stored on the way.
 * The index of a node in its block takes the place of the last 10 bits of what is compared, so
 * that one maximum or minimum tells both the best and where it is.
 *
 * The highest score. When the second highest has other first 22 bits, the highest is alone. When
 * not, one lookup in 2^22 / n, the caller has to look at whole scores. Where nodes are many,
 * rows are taken two at a time and only the higher of two goes on; in the end two scores are
 * computed again to see which it was.
 *
 * The bound of a node, for weights. With s the high half of its score, D = 2^32 - 1 - s, and
 * d = 1 - (h + 1) / 2^64 for the whole 64-bit score h, D / 2^32 <= d < (D + 1) / 2^32. As
 * -ln(1 - d) = d + d^2 / 2 + d^3 / 3 + ..., a lower bound of e = -log2((h + 1) / 2^64) is
 *     q / 2^31 * (1 + D / 2^33) / ln 2          q = D / 2 rounded down.
 *   - q becomes a float, off by 2^-24 of itself at most.
 *   - The second factor is at most 1.5: the bits of D but the last 10, put behind the exponent of
 *     1, are that, rounded down by less than 2^-23.
 *   - The rest, 1 / (weight ln 2 2^31), is in `inverse`, which is 2^-12 of itself too small
 *     (fl_inverse), and off that by less than 2^-23. Two products are off by 2^-24 each.
 *   - The index moves the bound by less than 2^-13 of itself.
 * Together a bound is below e / weight, by 2^-14 to 2^-11 of e / weight and what the series was
 * cut by; but for a bound of 0, whose bits become the index. Not negative, it orders as its bits.
 *
 * How far above its bound can e / weight be? Let y = bound / inverse / 2^31, for y <= 1/2. From
 * the above, (q / 2^31) (1 + q / 2^32) <= y (1 + 2^-12), so q / 2^31 < 0.42. Then with
 * x = (q + 1) / 2^31 >= d,
 *     e ln 2 <= x + x^2 / 2 + x^3 / (3 (1 - x)) < y (1 + 2^-12) + 2^-30 + 0.6 x^3
 * where x^3 < 1.01 y^3 + 2^-30; and a bound of another node that is above
 *     y (1 + 2^-10) + 2^-28 + 0.75 y^3          (in the same unit, of this node)
 * is therefore above e / weight, whatever the roundings: fl_surely_lightest. */
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

/* ---- the least bound ---- */

struct NAME(light) {
	I best, second;
};

/* The bound, index included, as bits. */
BODY I NAME(bound)(U score, U inverse, U index)
{
	U d = ~score;
	F product = __builtin_convertvector((I)(d >> 1), F) * (F)inverse;
	product *= (F)((d >> 10) | 0x3f800000u);
	return (I)(((U)product & ~FL_INDEX) | index);
}

BODY struct NAME(four) NAME(bounds_of)(struct NAME(four) d, struct NAME(four) inverse)
{
	struct NAME(four) f;
	for (int k = 0; k < 4; k++)
		d.v[k] = ~d.v[k];
	for (int k = 0; k < 4; k++)
		f.v[k] = (U)(__builtin_convertvector((I)(d.v[k] >> 1), F) * (F)inverse.v[k]);
	for (int k = 0; k < 4; k++)
		f.v[k] = (U)((F)f.v[k] * (F)((d.v[k] >> 10) | 0x3f800000u)) & ~FL_INDEX;
	return f;
}

BODY void NAME(weigh)(struct NAME(light) * l, I bound)
{
	l->second = NAME(less)(l->second, NAME(more)(l->best, bound));
	l->best = NAME(less)(l->best, bound);
}

BODY I NAME(nothing)(void)
{
	return (I)NAME(all)(FL_NO_BOUND);
}

/* Each lane and the one at j ^ k become one. */
#define JOIN(l, k)                                                                             \
	if (N > (k)) {                                                                         \
		I b = SWAPPED((l).best, k), s = SWAPPED((l).second, k);                        \
		(l).second = NAME(less)(NAME(less)((l).second, s), NAME(more)((l).best, b));   \
		(l).best = NAME(less)((l).best, b);                                            \
	}

/* The least of all lanes, and behind it the second least. */
BODY uint64_t NAME(settle)(struct NAME(light) l)
{
	JOIN(l, 8)
	JOIN(l, 4)
	JOIN(l, 2)
	JOIN(l, 1)
	return ((uint64_t)(uint32_t)l.best[0] << 32) | (uint32_t)l.second[0];
}

BLOCK uint64_t NAME(lightest_block)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, size_t count, uint64_t key)
{
	U x = NAME(all)((uint32_t)key), y = NAME(all)((uint32_t)(key >> 32));
	size_t last = (count - 1) / N * N;
	U index = NAME(numbered)();
	U s = NAME(score)(NAME(load)(lo + last), NAME(load)(hi + last), x, y);
	I bound = NAME(bound)(s, NAME(load)(inverse + last), index + (uint32_t)last);
	I real = (I)index < (int32_t)(count - last);
	struct NAME(light) l = {(bound & real) | (NAME(nothing)() & ~real), NAME(nothing)()};
	size_t i = 0;
	for (; i + 4 * N <= last; i += 4 * N) {
		struct NAME(four) f =
			NAME(scores_of)(NAME(rows)(lo + i), NAME(rows)(hi + i), x, y);
		f = NAME(bounds_of)(f, NAME(rows)(inverse + i));
		for (int k = 0; k < 4; k++, index += N)
			NAME(weigh)(&l, (I)(f.v[k] | index));
	}
	for (; i < last; i += N, index += N) {
		s = NAME(score)(NAME(load)(lo + i), NAME(load)(hi + i), x, y);
		NAME(weigh)(&l, NAME(bound)(s, NAME(load)(inverse + i), index));
	}
	return NAME(settle)(l);
}

FL_LANES_TARGET static uint32_t NAME(lightest)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, uint32_t count, uint64_t key, int32_t bounds[2])
{
	int32_t best = FL_NO_BOUND, second = FL_NO_BOUND;
	uint32_t at = 0;
	for (uint32_t base = 0; base < count; base += FL_BLOCK) {
		uint32_t n = count - base < FL_BLOCK ? count - base : FL_BLOCK;
		uint64_t found =
			NAME(lightest_block)(lo + base, hi + base, inverse + base, n, key);
		int32_t least = (int32_t)(found >> 32), next = (int32_t)(uint32_t)found;
		int32_t more = least > best ? least : best;
		at = least < best ? base + ((uint32_t)least & FL_INDEX) : at;
		best = least < best ? least : best;
		second = more < second ? more : second;
		second = next < second ? next : second;
	}
	bounds[0] = best;
	bounds[1] = second;
	return at;
}

/* A lane a key. */
FL_LANES_TARGET static void NAME(lightests)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, uint32_t count, const uint64_t *keys, size_t groups,
	int32_t *best, int32_t *second)
{
	uint32_t low[FL_LANES], high[FL_LANES], bits;
	for (size_t g = 0; g < groups * FL_LANES; g += N) {
		for (uint32_t j = 0; j < N; j++) {
			low[j] = (uint32_t)keys[g + j];
			high[j] = (uint32_t)(keys[g + j] >> 32);
		}
		U x = NAME(load)(low), y = NAME(load)(high), index = {0};
		struct NAME(light) l = {NAME(nothing)(), NAME(nothing)()};
		uint32_t i = 0;
		for (; i + 4 <= count; i += 4) {
			struct NAME(four) f = NAME(scores_of)(
				NAME(spread)(lo + i), NAME(spread)(hi + i), x, y);
			f = NAME(bounds_of)(f, NAME(spread)(inverse + i));
			for (int k = 0; k < 4; k++, index += 1)
				NAME(weigh)(&l, (I)(f.v[k] | index));
		}
		for (; i < count; i++, index += 1) {
			U s = NAME(score)(NAME(all)(lo[i]), NAME(all)(hi[i]), x, y);
			memcpy(&bits, inverse + i, sizeof(bits));
			NAME(weigh)(&l, NAME(bound)(s, NAME(all)(bits), index));
		}
		memcpy(best + g, &l.best, sizeof(l.best));
		memcpy(second + g, &l.second, sizeof(l.second));
	}
}

FL_LANES_TARGET static void NAME(bounds)(const uint32_t *lo, const uint32_t *hi,
	const float *inverse, uint32_t padded, uint64_t key, int32_t *out)
{
	U x = NAME(all)((uint32_t)key), y = NAME(all)((uint32_t)(key >> 32));
	U index = NAME(numbered)();
	for (uint32_t i = 0; i < padded; i += N, index += N) {
		U s = NAME(score)(NAME(load)(lo + i), NAME(load)(hi + i), x, y);
		I bound = NAME(bound)(s, NAME(load)(inverse + i), index);
		memcpy(out + i, &bound, sizeof(bound));
	}
}

#undef PASTE
#undef EXPAND
#undef NAME
#undef BODY
#undef BLOCK
#undef N
#undef SWAPPED
#undef MEET
#undef JOIN
#undef U
#undef I
#undef F
#undef FL_LANES_SUFFIX
#undef FL_LANES_TARGET
#undef FL_LANES_BYTES
#undef FL_LANES_ORDER
