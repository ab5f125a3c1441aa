/* Bodies are always_inline functions without intrinsics; each instruction set instantiates them
 * in functions of its own with the target attribute, and the compiler vectorises the loops. They
 * are written for that: fixed strides, no early exit, reductions that are free to reorder
 * (integer max, min and sums; float min of numbers that are never NaN nor a negative zero).
 *
 * The float bound. With s the high half of a score and r = s / 2 rounded down, the whole 64-bit
 * score h has h + 1 <= (r + 1) 2^33, so -log2((h + 1) / 2^64) >= 31 - log2(r + 1). r + 1 is
 * rounded twice on its way to a float, which moves its logarithm by at most 2^-22. The polynomial
 * is within 1.15e-4 of log2 (in exact arithmetic; the unit test tries every float in [1, 2) as
 * computed), the sum of the exponent and it is off by at most 2^-18, and MARGIN, subtracted at
 * the end, is 2.4e-4, so what is left is below the truth. If it is positive, the product with
 * `inverse`, which is a millionth below 1 / weight, stays below after rounding; if negative, any
 * negative number is a lower bound of a value that is never negative. */
#include "place/kernel.h"

#include "place/score.h"

#include <stddef.h>
#include <string.h>

#define BODY   static inline __attribute__((always_inline))
#define MARGIN 0x1p-12f

/* clang unrolls by 64 lanes and leaves the rest to scalar code; our arrays are short. */
#ifdef __clang__
#define LANE_LOOP _Pragma("clang loop vectorize(enable) interleave(disable)")
#else
#define LANE_LOOP
#endif

BODY uint32_t scores_body(const uint32_t *restrict lo, const uint32_t *restrict hi,
	uint32_t padded, uint64_t key, uint32_t *restrict out)
{
	uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32), best = 0;
	padded = padded / FL_LANES * FL_LANES;
	LANE_LOOP
	for (uint32_t i = 0; i < padded; i++) {
		uint32_t s = fl_score_high(lo[i], hi[i], x, y);
		out[i] = s;
		best = s > best ? s : best;
	}
	return best;
}

/* First and last index that has `value`. */
BODY uint32_t where_body(
	const uint32_t *restrict in, uint32_t padded, uint32_t value, uint32_t *restrict last)
{
	uint32_t first = UINT32_MAX, end = 0;
	padded = padded / FL_LANES * FL_LANES;
	LANE_LOOP
	for (uint32_t i = 0; i < padded; i++) {
		uint32_t miss = 0u - (uint32_t)(in[i] != value);
		uint32_t up = i | miss, down = i & ~miss;
		first = up < first ? up : first;
		end = down > end ? down : end;
	}
	*last = end;
	return first;
}

BODY uint32_t top_body(const uint32_t *restrict lo, const uint32_t *restrict hi,
	uint32_t padded, uint64_t key, uint32_t *restrict unsure)
{
	uint32_t buffer[FL_BLOCK] __attribute__((aligned(64)));
	uint32_t best = 0, at = UINT32_MAX, doubt = 0;
	for (uint32_t base = 0; base < padded; base += FL_BLOCK) {
		uint32_t n = padded - base < FL_BLOCK ? padded - base : FL_BLOCK, last;
		uint32_t high = scores_body(lo + base, hi + base, n, key, buffer);
		if (high < best || (high == best && at != UINT32_MAX)) {
			doubt |= high == best;
			continue;
		}
		best = high;
		at = base + where_body(buffer, n, high, &last);
		doubt = base + last != at;
	}
	*unsure = doubt;
	return at;
}

BODY float bound_of(uint32_t score, float inverse)
{
	float f = (float)(int32_t)(score >> 1) + 1.0f, m;
	uint32_t bits;
	memcpy(&bits, &f, sizeof(bits));
	int32_t whole = 31 + 127 - (int32_t)(bits >> 23);
	bits = (bits & 0x7fffffu) | 0x3f800000u;
	memcpy(&m, &bits, sizeof(m));
	m -= 1.0f;
	float p = -0.0784406762f;
	p = p * m + 0.3122694773f;
	p = p * m - 0.6708826790f;
	p = p * m + 1.4368748962f;
	p = p * m + 0.0001145800f;
	return ((float)whole - p - MARGIN) * inverse;
}

BODY float bounds_body(const uint32_t *restrict lo, const uint32_t *restrict hi,
	const float *restrict inverse, uint32_t padded, uint64_t key, float *restrict out)
{
	uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32);
	int32_t least = INT32_MAX;
	float result;
	padded = padded / FL_LANES * FL_LANES;
	LANE_LOOP
	for (uint32_t i = 0; i < padded; i++)
		out[i] = bound_of(fl_score_high(lo[i], hi[i], x, y), inverse[i]);
	LANE_LOOP
	for (uint32_t i = 0; i < padded; i++) {
		/* Compilers do not reorder float minima, so compare the bits: as integers they
		 * are in order once the negatives, whose order is reversed, are turned over. */
		int32_t bits;
		memcpy(&bits, &out[i], sizeof(bits));
		bits ^= (bits >> 31) & INT32_MAX;
		least = bits < least ? bits : least;
	}
	least ^= (least >> 31) & INT32_MAX;
	memcpy(&result, &least, sizeof(result));
	return result;
}

BODY uint32_t below_body(
	const float *restrict bounds, uint32_t padded, float limit, uint32_t *restrict count)
{
	uint32_t first = UINT32_MAX, n = 0;
	padded = padded / FL_LANES * FL_LANES;
	LANE_LOOP
	for (uint32_t i = 0; i < padded; i++) {
		uint32_t hit = (uint32_t)(bounds[i] <= limit);
		uint32_t up = i | (hit - 1u);
		first = up < first ? up : first;
		n += hit;
	}
	*count = n;
	return first;
}

#define INSTANCE(SUFFIX, TARGET)                                                               \
	TARGET static uint32_t top_##SUFFIX(const uint32_t *lo, const uint32_t *hi,            \
		uint32_t padded, uint64_t key, uint32_t *unsure)                               \
	{                                                                                      \
		return top_body(lo, hi, padded, key, unsure);                                  \
	}                                                                                      \
	TARGET static uint32_t scores_##SUFFIX(const uint32_t *lo, const uint32_t *hi,         \
		uint32_t padded, uint64_t key, uint32_t *out)                                  \
	{                                                                                      \
		return scores_body(lo, hi, padded, key, out);                                  \
	}                                                                                      \
	TARGET static float bounds_##SUFFIX(const uint32_t *lo, const uint32_t *hi,            \
		const float *inverse, uint32_t padded, uint64_t key, float *out)               \
	{                                                                                      \
		return bounds_body(lo, hi, inverse, padded, key, out);                         \
	}                                                                                      \
	TARGET static uint32_t below_##SUFFIX(                                                 \
		const float *bounds, uint32_t padded, float limit, uint32_t *count)            \
	{                                                                                      \
		return below_body(bounds, padded, limit, count);                               \
	}                                                                                      \
	static const struct fl_kernels kernels_##SUFFIX = {                                    \
		#SUFFIX, top_##SUFFIX, scores_##SUFFIX, bounds_##SUFFIX, below_##SUFFIX}

INSTANCE(baseline, );

#ifdef __x86_64__
#ifdef __clang__
#define AVX512                                                                                 \
	__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"), min_vector_width(512)))
#else
#define AVX512                                                                                 \
	__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512")))
#endif
INSTANCE(avx2, __attribute__((target("avx2"))));
INSTANCE(avx512, AVX512);

static const struct fl_kernels *const all[] = {
	&kernels_baseline, &kernels_avx2, &kernels_avx512};

static unsigned supported(void)
{
	if (!__builtin_cpu_supports("avx2"))
		return 1;
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
		!__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512bw"))
		return 2;
	return 3;
}
#else
static const struct fl_kernels *const all[] = {&kernels_baseline};

static unsigned supported(void)
{
	return 1;
}
#endif

const struct fl_kernels *fl_kernels_at(unsigned i)
{
	return i < supported() ? all[i] : NULL;
}

const struct fl_kernels *fl_kernels_best(void)
{
	return all[supported() - 1];
}
