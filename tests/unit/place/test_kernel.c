/* Every compiled kernel against scalar code, and the float bounds against the integer logarithm. */
#include "place/kernel.h"

#include "place/log2.h"
#include "place/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MOST 1040

static uint32_t lo[MOST] __attribute__((aligned(64))), hi[MOST] __attribute__((aligned(64)));
static uint32_t weight[MOST];
static float inverse[MOST] __attribute__((aligned(64)));

static const uint32_t sizes[] = {1, 2, 15, 16, 17, 100, 255, 256, 257, 511, 513, 1000, 1024};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static uint32_t padded(uint32_t n)
{
	return (n + FL_LANES - 1) / FL_LANES * FL_LANES;
}

static void fill(uint32_t n, uint64_t seed, uint32_t most_weight)
{
	for (uint32_t i = 0; i < padded(n); i++) {
		uint64_t hash = fl_mix64(seed + (i < n ? i : n - 1) * FL_WEYL);
		lo[i] = (uint32_t)hash;
		hi[i] = (uint32_t)(hash >> 32);
		weight[i] = 1 + (uint32_t)(fl_mix64(hash) % most_weight);
		inverse[i] = i < n ? (float)((1.0 - 0x1p-14) / weight[i]) : 0x1p100f;
	}
}

static uint32_t scalar(uint32_t i, uint64_t key)
{
	return fl_score_high(lo[i], hi[i], (uint32_t)key, (uint32_t)(key >> 32));
}

/* Within 2.0e-5 of log2(m) + 2^-15, for every float in [1, 2). */
static void test_float_log(void **state)
{
	(void)state;
	for (uint32_t bits = 0x3f800000u; bits < 0x40000000u; bits++) {
		float m;
		memcpy(&m, &bits, sizeof(m));
		/* x = m 2^63 has -log2(x / 2^64) = 1 - log2(m). */
		uint64_t h = ((uint64_t)((bits & 0x7fffff) | 0x800000) << 40) - 1;
		double exact = 1.0 - (double)fl_neg_log2(h) * 0x1p-58;
		double off = (double)fl_log2_float(m) - 0x1p-15 - exact;
		assert_true(off < 2.0e-5 && off > -2.0e-5);
	}
}

static void test_scores(void **state)
{
	static uint32_t out[FL_BLOCK] __attribute__((aligned(64)));
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint32_t n = 16; n <= FL_BLOCK; n += 16) {
			uint64_t key = fl_mix64(n);
			uint32_t best = 0;
			fill(n, key, 1);
			assert_true(n % FL_LANES == 0);
			uint32_t top = k->scores(lo, hi, n, key, out);
			for (uint32_t i = 0; i < n; i++) {
				assert_int_equal(out[i], scalar(i, key));
				best = out[i] > best ? out[i] : best;
			}
			assert_int_equal(top, best);
		}
	}
}

static void check_top(const struct fl_kernels *k, uint32_t n, uint64_t key)
{
	uint32_t best = 0, first = 0, equal = 0, unsure = 2;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = scalar(i, key);
		equal = s > best || i == 0 ? 1 : equal + (s == best);
		if (s > best) {
			best = s;
			first = i;
		}
	}
	assert_int_equal(k->top(lo, hi, padded(n), key, &unsure), first);
	if (equal > 1)
		assert_int_not_equal(unsure, 0);
	else if (first != n - 1)
		assert_int_equal(unsure, 0);
}

static void test_top(void **state)
{
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (size_t s = 0; s < SIZES; s++) {
			for (uint64_t key = 0; key < 200; key++) {
				fill(sizes[s], fl_mix64(key), 1);
				check_top(k, sizes[s], fl_mix64(~key));
			}
		}
	}
}

/* Two nodes with one hash tie: in one block, and in two. */
static void test_top_with_ties(void **state)
{
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint64_t key = 0; key < 400; key++) {
			uint32_t n = 600, best = 0, twin = (uint32_t)(fl_mix64(key) % n),
				 unsure;
			fill(n, key, 1);
			best = k->top(lo, hi, padded(n), key, &unsure);
			lo[twin] = lo[best];
			hi[twin] = hi[best];
			check_top(k, n, key);
		}
	}
}

static float as_float(int32_t bits)
{
	float f;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

/* The bits are those of the baseline, carry the index, and are below the exact value. */
static void test_bounds(void **state)
{
	static int32_t out[FL_BLOCK] __attribute__((aligned(64)));
	static int32_t base[FL_BLOCK] __attribute__((aligned(64)));
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint64_t key = 0; key < 300; key++) {
			uint32_t n = FL_BLOCK;
			int32_t least = INT32_MAX;
			fill(n, fl_mix64(key), key % 2 ? 65535 : 3);
			int32_t told = k->bounds(lo, hi, inverse, n, key, out);
			(void)fl_kernels_at(0)->bounds(lo, hi, inverse, n, key, base);
			for (uint32_t i = 0; i < n; i++) {
				uint64_t h = ((uint64_t)scalar(i, key) << 32) | UINT32_MAX;
				double exact = (double)fl_neg_log2(h) * 0x1p-58 / weight[i];
				assert_int_equal(out[i], base[i]);
				assert_int_equal(out[i] & (FL_BLOCK - 1), i);
				assert_true((double)as_float(out[i]) < exact + 1e-40);
				least = out[i] < least ? out[i] : least;
			}
			assert_int_equal(told, least);
		}
	}
}

/* One lane's score can be chosen: with (a, b) = 0, search keys for scores at both ends. */
static void test_bounds_at_the_ends(void **state)
{
	static int32_t out[FL_BLOCK] __attribute__((aligned(64)));
	uint32_t low = UINT32_MAX, high = 0;
	(void)state;
	memset(lo, 0, sizeof(lo));
	memset(hi, 0, sizeof(hi));
	for (uint32_t i = 0; i < MOST; i++)
		inverse[i] = (float)(1.0 - 0x1p-14);
	for (uint64_t key = 0; key < 300000; key++) {
		uint32_t s = scalar(0, key);
		if (s > low && s < high)
			continue;
		low = s < low ? s : low;
		high = s > high ? s : high;
		(void)fl_kernels_at(0)->bounds(lo, hi, inverse, FL_LANES, key, out);
		assert_true(out[0] >= 0);
		uint64_t h = ((uint64_t)s << 32) | UINT32_MAX;
		assert_true(
			(double)as_float(out[0]) < (double)fl_neg_log2(h) * 0x1p-58 + 1e-40);
	}
	assert_true(low < 100000 && high > UINT32_MAX - 100000);
}

/* Sure answers are right: no other node's value is as low as the one named. */
static void test_lightest(void **state)
{
	const struct fl_kernels *k;
	size_t sure = 0, all = 0;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (size_t s = 0; s < SIZES; s++) {
			for (uint64_t key = 0; key < 100; key++, all++) {
				uint32_t n = sizes[s], unsure, expected;
				fill(n, fl_mix64(key + s), key % 3 ? 9 : 65535);
				uint32_t at =
					k->lightest(lo, hi, inverse, padded(n), key, &unsure);
				assert_int_equal(at, fl_kernels_at(0)->lightest(lo, hi, inverse,
							     padded(n), key, &expected));
				assert_int_equal(unsure, expected);
				if (unsure)
					continue;
				sure++;
				uint64_t low = (uint64_t)scalar(at, key) << 32;
				double mine = (double)fl_neg_log2(low) / weight[at];
				for (uint32_t i = 0; i < n; i++) {
					uint64_t h =
						((uint64_t)scalar(i, key) << 32) | UINT32_MAX;
					if (i != at)
						assert_true((double)fl_neg_log2(h) / weight[i] >
							    mine);
				}
			}
		}
	}
	assert_true(sure > all * 8 / 10);
}

static void test_selection(void **state)
{
	unsigned n = 0;
	(void)state;
	while (fl_kernels_at(n))
		n++;
	assert_true(n >= 1);
	assert_ptr_equal(fl_kernels_best(), fl_kernels_at(n - 1));
	assert_string_equal(fl_kernels_at(0)->name, "baseline");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_float_log),
		cmocka_unit_test(test_scores),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_top_with_ties),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_bounds_at_the_ends),
		cmocka_unit_test(test_lightest),
		cmocka_unit_test(test_selection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
