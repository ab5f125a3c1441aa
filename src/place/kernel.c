/* The loops are written once, without intrinsics, and compiled for each instruction set: those of
 * score_lanes.h and weight_lanes.h in GNU vectors as wide as the set has them, those of
 * jumpback_lanes.h as plain loops that the compiler vectorises. */
#include "place/kernel.h"

#include "place/score.h"

#include <stddef.h>
#include <string.h>

/* clang unrolls by 64 lanes and leaves the rest to scalar code; our arrays are short. Builds
 * that do not vectorise at all would be told so as a warning. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#define FL_LANE_LOOP _Pragma("clang loop vectorize(enable) interleave(disable)")
#else
#define FL_LANE_LOOP
#endif

#include "place/jumpback_lanes.h"

#define INSTANCE(SUFFIX, TARGET)                                                               \
	TARGET static void jumpback_##SUFFIX(                                                  \
		const uint64_t *hashes, size_t keys, uint32_t count, uint32_t *out)            \
	{                                                                                      \
		fl_jumpback_body(hashes, keys, count, out);                                    \
	}                                                                                      \
	static const struct fl_kernels kernels_##SUFFIX = {#SUFFIX, top_##SUFFIX,              \
		tops_##SUFFIX, scores_##SUFFIX, lightest_##SUFFIX, lightests_##SUFFIX,         \
		bounds_##SUFFIX, jumpback_##SUFFIX}

#define ORDER4(k) 0 ^ (k), 1 ^ (k), 2 ^ (k), 3 ^ (k)
#define ORDER8(k) ORDER4(k), 4 ^ (k), 5 ^ (k), 6 ^ (k), 7 ^ (k)
#define ORDER16(k)                                                                             \
	ORDER8(k), 8 ^ (k), 9 ^ (k), 10 ^ (k), 11 ^ (k), 12 ^ (k), 13 ^ (k), 14 ^ (k), 15 ^ (k)

#define FL_LANES_SUFFIX baseline
#define FL_LANES_TARGET
#define FL_LANES_BYTES 16
#define FL_LANES_ORDER ORDER4
#define FL_LANES_ORDER ORDER4
#include "place/score_lanes.h"
#include "place/weight_lanes.h"
INSTANCE(baseline, );

#ifdef __x86_64__
#ifdef __clang__
#define AVX512                                                                                 \
	__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw"), min_vector_width(512)))
#else
#define AVX512                                                                                 \
	__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,prefer-vector-width=512")))
#endif
#define AVX2 __attribute__((target("avx2")))

#define FL_LANES_SUFFIX avx2
#define FL_LANES_TARGET AVX2
#define FL_LANES_BYTES  32
#define FL_LANES_ORDER  ORDER8
#include "place/score_lanes.h"
#include "place/weight_lanes.h"
INSTANCE(avx2, AVX2);

#define FL_LANES_SUFFIX avx512
#define FL_LANES_TARGET AVX512
#define FL_LANES_BYTES  64
#define FL_LANES_ORDER  ORDER16
#include "place/score_lanes.h"
#include "place/weight_lanes.h"
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

float fl_inverse(uint32_t weight)
{
	return (float)((1 - 0x1p-12) * 0x1p-31 * 1.4426950408889634 / weight);
}

const struct fl_kernels *fl_kernels_at(unsigned i)
{
	return i < supported() ? all[i] : NULL;
}

const struct fl_kernels *fl_kernels_best(void)
{
	return all[supported() - 1];
}
