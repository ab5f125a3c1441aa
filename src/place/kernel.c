/* Bodies are always_inline functions without intrinsics; each instruction set instantiates them
 * in functions of its own with the target attribute, and the compiler vectorises the loops. They
 * are written for that: fixed strides, no early exit, reductions over integers, which compilers
 * are free to reorder.
 *
 * The bound of a node. With s the high half of its score and r = s / 2 rounded down, the whole
 * 64-bit score h has r 2^33 < h + 1 <= (r + 1) 2^33, so that e = -log2((h + 1) / 2^64) is at
 * least 31 - log2(r + 1), and above that by at most log2((r + 1) / r).
 *   - r + 1 is rounded twice on its way to a float: its logarithm moves by at most 2^-22.
 *   - fl_log2_float is above log2 by 2^-15, within 2.0e-5 either way (the unit test tries every
 *     float in [1, 2)); subtracting it from a whole number below 32 rounds by at most 2^-20.
 * So what comes out is below e by 0.8e-5 or more, and by 5.2e-5 at most. Multiplied by `inverse`,
 * which is 2^-14 of itself below 1 / weight, and with anything below 0 lifted to 0 (e is never
 * negative), it is a lower bound of e / weight, with 2^-14 of itself to spare.
 *   - If it is below 13 (times `inverse`), r >= 2^17 and log2((r + 1) / r) < 1.2e-5, so e is above
 *     it by less than 5.2e-5 + 1.2e-5 < GAP = 2^-13.
 *
 * A bound that is not negative orders as its bits do. The last 8 of them are overwritten with the
 * node's index in its block, which moves the bound by less than 2^-15 of itself and makes one
 * minimum tell both the least and where it is. */
#include "place/kernel.h"

#include "place/score.h"

#include <stddef.h>
#include <string.h>

#define BODY static inline __attribute__((always_inline))
#define GAP  0x1p-13f

/* clang unrolls by 64 lanes and leaves the rest to scalar code; our arrays are short. Builds
 * that do not vectorise at all would be told so as a warning. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#define FL_LANE_LOOP _Pragma("clang loop vectorize(enable) interleave(disable)")
#else
#define FL_LANE_LOOP
#endif

#include "place/jumpback_lanes.h"

BODY uint32_t scores_body(const uint32_t *restrict lo, const uint32_t *restrict hi,
	uint32_t padded, uint64_t key, uint32_t *restrict out)
{
	uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32), best = 0;
	padded = padded / FL_LANES * FL_LANES;
	FL_LANE_LOOP
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
	FL_LANE_LOOP
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

BODY int32_t bound_of(uint32_t score, float inverse)
{
	float f = (float)(int32_t)(score >> 1) + 1.0f, m, product;
	uint32_t bits;
	int32_t bound;
	memcpy(&bits, &f, sizeof(bits));
	int32_t whole = 31 + 127 - (int32_t)(bits >> 23);
	bits = (bits & 0x7fffffu) | 0x3f800000u;
	memcpy(&m, &bits, sizeof(m));
	product = ((float)whole - fl_log2_float(m)) * inverse;
	memcpy(&bound, &product, sizeof(bound));
	return bound > 0 ? bound : 0;
}

BODY int32_t bounds_body(const uint32_t *restrict lo, const uint32_t *restrict hi,
	const float *restrict inverse, uint32_t padded, uint64_t key, int32_t *restrict out)
{
	uint32_t x = (uint32_t)key, y = (uint32_t)(key >> 32);
	int32_t least = INT32_MAX;
	padded = padded / FL_LANES * FL_LANES;
	FL_LANE_LOOP
	for (uint32_t i = 0; i < padded; i++) {
		int32_t bound = bound_of(fl_score_high(lo[i], hi[i], x, y), inverse[i]);
		bound = (bound & ~(FL_BLOCK - 1)) | (int32_t)(i & (FL_BLOCK - 1));
		out[i] = bound;
		least = bound < least ? bound : least;
	}
	return least;
}

/* The least of all but `least`; all differ. */
BODY int32_t second_body(const int32_t *restrict bounds, uint32_t padded, int32_t least)
{
	int32_t second = INT32_MAX;
	padded = padded / FL_LANES * FL_LANES;
	FL_LANE_LOOP
	for (uint32_t i = 0; i < padded; i++) {
		int32_t hit = -(int32_t)(bounds[i] == least);
		int32_t other = bounds[i] | (hit & INT32_MAX);
		second = other < second ? other : second;
	}
	return second;
}

/* Can the node of the second bound still be before the node of the least one? */
BODY uint32_t too_close(int32_t least, int32_t second, float inverse)
{
	float low, high;
	memcpy(&low, &least, sizeof(low));
	memcpy(&high, &second, sizeof(high));
	return low >= 12.5f * inverse || high <= (low + GAP * inverse) * (1.0f + 0x1p-12f);
}

BODY uint32_t lightest_body(const uint32_t *restrict lo, const uint32_t *restrict hi,
	const float *restrict inverse, uint32_t padded, uint64_t key, uint32_t *restrict unsure)
{
	int32_t buffer[FL_BLOCK] __attribute__((aligned(64)));
	int32_t best = INT32_MAX, second = INT32_MAX;
	uint32_t at = 0;
	for (uint32_t base = 0; base < padded; base += FL_BLOCK) {
		uint32_t n = padded - base < FL_BLOCK ? padded - base : FL_BLOCK;
		int32_t least =
			bounds_body(lo + base, hi + base, inverse + base, n, key, buffer);
		if (least >= second)
			continue;
		if (least >= best) {
			second = least;
			continue;
		}
		int32_t next = second_body(buffer, n, least);
		second = best < next ? best : next;
		best = least;
		at = base + ((uint32_t)least & (FL_BLOCK - 1));
	}
	*unsure = too_close(best, second, inverse[at]);
	return at;
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
	TARGET static int32_t bounds_##SUFFIX(const uint32_t *lo, const uint32_t *hi,          \
		const float *inverse, uint32_t padded, uint64_t key, int32_t *out)             \
	{                                                                                      \
		return bounds_body(lo, hi, inverse, padded, key, out);                         \
	}                                                                                      \
	TARGET static uint32_t lightest_##SUFFIX(const uint32_t *lo, const uint32_t *hi,       \
		const float *inverse, uint32_t padded, uint64_t key, uint32_t *unsure)         \
	{                                                                                      \
		return lightest_body(lo, hi, inverse, padded, key, unsure);                    \
	}                                                                                      \
	TARGET static void jumpback_##SUFFIX(                                                  \
		const uint64_t *hashes, size_t keys, uint32_t count, uint32_t *out)            \
	{                                                                                      \
		fl_jumpback_body(hashes, keys, count, out);                                    \
	}                                                                                      \
	static const struct fl_kernels kernels_##SUFFIX = {#SUFFIX, top_##SUFFIX,              \
		scores_##SUFFIX, lightest_##SUFFIX, bounds_##SUFFIX, jumpback_##SUFFIX}

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
