/* Every compiled kernel against scalar code, and the float bounds against the integer logarithm.
 * Scores are chosen, not only drawn: a node can be made for any score that it shall have. */
#include "place/kernel.h"

#include "place/log2.h"
#include "place/score.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MOST   2112 /* two blocks and some */
#define GUARD  0xdeadbeefu
#define ALIGN  __attribute__((aligned(64)))
#define GROUPS 3

static uint32_t lo[MOST] ALIGN, hi[MOST] ALIGN, weight[MOST];
static float inverse[MOST] ALIGN;

/* Around the widths of vectors, of four rows, of FL_MANY and of a block. */
static const uint32_t sizes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	47, 48, 49, 63, 64, 65, 71, 72, 73, 79, 80, 81, 127, 128, 129, 255, 256, 257, 271, 272,
	273, 511, 512, 513, 1000, 1023, 1024, 1025, 1040, 1041, 2047, 2048, 2049};
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
		inverse[i] = fl_inverse(weight[i]);
	}
}

static uint32_t scalar(uint32_t i, uint64_t key)
{
	return fl_score_high(lo[i], hi[i], (uint32_t)key, (uint32_t)(key >> 32));
}

static uint32_t inverse_of(uint32_t odd)
{
	uint32_t x = odd;
	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

/* Makes node i one that scores `score` for `key`: fl_score_high backwards. */
static void set_score(uint32_t i, uint64_t key, uint32_t score)
{
	uint32_t h = score ^ (score >> 16);
	h *= inverse_of(0xc2b2ae35u);
	h ^= (h >> 15) ^ (h >> 30);
	h *= inverse_of(0x85ebca6bu);
	h -= hi[i] ^ (uint32_t)(key >> 32);
	h ^= (h >> 15) ^ (h >> 30);
	lo[i] = (h * inverse_of(0x9e3779b1u)) ^ (uint32_t)key;
	assert_int_equal(scalar(i, key), score);
}

/* Padding repeats the last node. */
static void repeat_last(uint32_t n)
{
	for (uint32_t i = n; i < padded(n); i++) {
		lo[i] = lo[n - 1];
		hi[i] = hi[n - 1];
		inverse[i] = inverse[n - 1];
	}
}

static void test_scores(void **state)
{
	static uint32_t out[FL_BLOCK] ALIGN;
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint32_t n = 16; n <= FL_BLOCK; n += 16) {
			uint64_t key = fl_mix64(n);
			fill(n, key, 1);
			assert_true(n % FL_LANES == 0);
			k->scores(lo, hi, n, key, out);
			for (uint32_t i = 0; i < n; i++)
				assert_int_equal(out[i], scalar(i, key));
		}
	}
}

/* ---- the highest ---- */

/* Sure: it is the highest, alone. Unsure: somebody else has its first 22 bits, or they are 0. */
static void check_top(const struct fl_kernels *k, uint32_t n, uint64_t key)
{
	uint32_t best = 0, close = 0, equal = 0, unsure = 2, at;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = scalar(i, key);
		best = s > best ? s : best;
	}
	for (uint32_t i = 0; i < n; i++) {
		close += (scalar(i, key) | FL_INDEX) == (best | FL_INDEX);
		equal += scalar(i, key) == best;
	}
	at = k->top(lo, hi, n, key, &unsure);
	if (at >= n)
		fail_msg("%s: %u of %u", k->name, at, n);
	if (unsure) {
		assert_true(close > 1 || best <= FL_INDEX);
	} else {
		assert_int_equal(scalar(at, key), best);
		assert_int_equal(equal, 1);
	}
}

static void check_tops(const struct fl_kernels *k, uint32_t n, uint64_t seed)
{
	uint64_t keys[GROUPS * FL_LANES];
	uint32_t best[GROUPS * FL_LANES + 1], second[GROUPS * FL_LANES + 1];
	for (size_t j = 0; j < GROUPS * FL_LANES; j++)
		keys[j] = j == 0 ? seed : fl_mix64(seed + j);
	best[GROUPS * FL_LANES] = second[GROUPS * FL_LANES] = GUARD;
	k->tops(lo, hi, n, keys, GROUPS, best, second);
	for (size_t j = 0; j < GROUPS * FL_LANES; j++) {
		uint32_t first = 0, other = 0;
		for (uint32_t i = 0; i < n; i++) {
			uint32_t s = (scalar(i, keys[j]) & ~FL_INDEX) | i;
			uint32_t less = s < first ? s : first;
			other = less > other ? less : other;
			first = s > first ? s : first;
		}
		assert_int_equal(best[j], first);
		assert_int_equal(second[j], other);
	}
	assert_int_equal(best[GROUPS * FL_LANES], GUARD);
	assert_int_equal(second[GROUPS * FL_LANES], GUARD);
}

static void test_top(void **state)
{
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (size_t s = 0; s < SIZES; s++) {
			for (uint64_t key = 0; key < 30; key++) {
				fill(sizes[s], fl_mix64(key), 1);
				check_top(k, sizes[s], fl_mix64(~key));
			}
			if (sizes[s] <= FL_BLOCK)
				check_tops(k, sizes[s], s);
		}
	}
}

/* Every node is the highest once, by a hair, by 10 bits, or alone; one that nearly is as high
 * stands everywhere. */
static void test_top_at_every_place(void **state)
{
	static const uint32_t some[] = {2, 9, 16, 33, 40, 100, 255, 273};
	static const uint32_t off[] = {0, 1, 1023, 1024, 100000};
	const struct fl_kernels *k;
	uint64_t key = 0x123456789abcdef0u;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (size_t s = 0; s < sizeof(some) / sizeof(some[0]); s++) {
			for (uint32_t i = 0; i < some[s]; i++) {
				uint32_t j = (uint32_t)(fl_mix64(i) % some[s]);
				fill(some[s], i, 1);
				set_score(j, key, 0xfffffc00u - off[i % 5]);
				set_score(i, key, 0xfffffc00u);
				repeat_last(some[s]);
				check_top(k, some[s], key);
				if (i % 7 == 0)
					check_tops(k, some[s], key);
			}
		}
	}
}

/* Two highest in every pair of places, and pairs in different blocks. */
static void test_top_with_ties(void **state)
{
	const struct fl_kernels *k;
	uint64_t key = 77;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint32_t i = 0; i < 40; i++) {
			for (uint32_t j = 0; j < i; j++) {
				fill(40, 5, 1);
				set_score(i, key, 0xfffffff0u);
				set_score(j, key, 0xfffffff0u + (i % 3 == 0));
				check_top(k, 40, key);
			}
		}
		for (uint32_t i = 0; i < 2049; i += 13) {
			for (uint32_t j = 5; j < i; j += 141) {
				fill(2049, 6, 1);
				set_score(i, key, UINT32_MAX);
				set_score(j, key, UINT32_MAX - (i % 3 == 0 ? 1 : 0));
				check_top(k, 2049, key);
			}
		}
	}
}

/* All scores are as low as can be, or 0: padding and lanes without a node have not won. */
static void test_top_of_the_lowest(void **state)
{
	const struct fl_kernels *k;
	uint64_t key = 99;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint32_t n = 1; n < 300; n++) {
			fill(n, n, 1);
			for (uint32_t i = 0; i < n; i++)
				set_score(i, key, n % 2 ? 0 : 1024 * i);
			repeat_last(n);
			check_top(k, n, key);
		}
	}
}

/* ---- the least bound ---- */

static float as_float(int32_t bits)
{
	float f;
	memcpy(&f, &bits, sizeof(f));
	return f;
}

static double exact_value(uint32_t score, uint32_t low, uint32_t w)
{
	return (double)fl_neg_log2(((uint64_t)score << 32) | low) * 0x1p-58 / w;
}

/* The bits are those of the baseline, carry the index, and are below the exact value. */
static void test_bounds(void **state)
{
	static int32_t out[FL_BLOCK] ALIGN, base[FL_BLOCK] ALIGN;
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint64_t key = 0; key < 100; key++) {
			uint32_t n = FL_BLOCK;
			fill(n, fl_mix64(key), key % 2 ? 65535 : 3);
			k->bounds(lo, hi, inverse, n, key, out);
			fl_kernels_at(0)->bounds(lo, hi, inverse, n, key, base);
			for (uint32_t i = 0; i < n; i++) {
				double exact =
					exact_value(scalar(i, key), UINT32_MAX, weight[i]);
				assert_int_equal(out[i], base[i]);
				assert_int_equal(out[i] & (int32_t)FL_INDEX, i);
				assert_true((double)as_float(out[i]) < exact + 1e-40);
			}
		}
	}
}

/* The least bound of another node that fl_surely_lightest takes for far enough, or -1. */
static int32_t least_far(int32_t bound, float inv)
{
	int32_t low = 0, high = FL_NO_BOUND;
	if (!fl_surely_lightest(bound, high, inv))
		return -1;
	while (low < high) {
		int32_t middle = low + (high - low) / 2;
		if (fl_surely_lightest(bound, middle, inv))
			high = middle;
		else
			low = middle + 1;
	}
	return high;
}

/* For one score: its bound is below the lowest value that the whole score can have, by no more
 * than it must; the highest it can have is below what is called far, and far is near. */
static void check_one_bound(int32_t bound, uint32_t score, uint32_t w)
{
	double least = exact_value(score, UINT32_MAX, w), most = exact_value(score, 0, w);
	double d = (double)(UINT32_MAX - score) * 0x1p-32;
	assert_true((double)as_float(bound) < least + 1e-40);
	if (d < 0.4 && d > 0x1p-20)
		assert_true((double)as_float(bound) > most * (1 - 0x1p-10 - d * d));
	int32_t far = least_far(bound, fl_inverse(w));
	assert_true(far >= 0 || d > 0.39);
	if (far < 0)
		return;
	assert_true((double)as_float(far) > most);
	if (d > 0x1p-16)
		assert_true((double)as_float(far) < most * (1 + 0x1p-8 + d * d));
}

/* Scores at both ends, next to every power of two, and all over; for light and heavy nodes. */
static void test_bounds_of_chosen_scores(void **state)
{
	static const uint32_t weights[] = {1, 2, 3, 10, 1000, 65535};
	static int32_t out[FL_BLOCK] ALIGN;
	uint64_t key = 3;
	(void)state;
	for (uint32_t round = 0; round < 60; round++) {
		uint32_t w = weights[round % 6];
		fill(FL_BLOCK, round, 1);
		for (uint32_t i = 0; i < FL_BLOCK; i++) {
			uint64_t r = fl_mix64(round * FL_BLOCK + i);
			uint32_t d = (uint32_t)(r >> 32) >> (r % 32);
			if (i < 512)
				d = round < 30 ? round * 512 / 6 + i
				               : (uint32_t)(((uint64_t)1 << (i / 16)) + i % 16 -
							    8);
			set_score(i, key, ~d);
			inverse[i] = fl_inverse(w);
		}
		fl_kernels_best()->bounds(lo, hi, inverse, FL_BLOCK, key, out);
		for (uint32_t i = 0; i < FL_BLOCK; i++)
			check_one_bound(out[i], scalar(i, key), w);
	}
}

/* The least two of what `bounds` gives, and which node. */
static uint32_t plain_lightest(uint32_t n, uint64_t key, int32_t found[2])
{
	static int32_t out[FL_BLOCK] ALIGN;
	uint32_t at = 0;
	found[0] = found[1] = FL_NO_BOUND;
	for (uint32_t base = 0; base < n; base += FL_BLOCK) {
		uint32_t m = n - base < FL_BLOCK ? n - base : FL_BLOCK;
		fl_kernels_at(0)->bounds(
			lo + base, hi + base, inverse + base, padded(m), key, out);
		for (uint32_t i = 0; i < m; i++) {
			int32_t more = out[i] > found[0] ? out[i] : found[0];
			at = out[i] < found[0] ? base + i : at;
			found[0] = out[i] < found[0] ? out[i] : found[0];
			found[1] = more < found[1] ? more : found[1];
		}
	}
	return at;
}

/* Sure answers are right: no other node's value is as low as the one named. */
static bool check_lightest(const struct fl_kernels *k, uint32_t n, uint64_t key)
{
	int32_t expected[2], got[2];
	uint32_t at = plain_lightest(n, key, expected);
	uint32_t found = k->lightest(lo, hi, inverse, n, key, got);
	assert_int_equal(got[0], expected[0]);
	assert_int_equal(got[1], expected[1]);
	if (got[0] != got[1]) /* the same node of two blocks */
		assert_int_equal(found, at);
	if (!fl_surely_lightest(got[0], got[1], inverse[found]))
		return false;
	double mine = exact_value(scalar(found, key), 0, weight[found]);
	for (uint32_t i = 0; i < n; i++) {
		if (i != found)
			assert_true(exact_value(scalar(i, key), UINT32_MAX, weight[i]) > mine);
	}
	return true;
}

static void check_lightests(const struct fl_kernels *k, uint32_t n, uint64_t seed)
{
	uint64_t keys[GROUPS * FL_LANES];
	int32_t best[GROUPS * FL_LANES + 1], second[GROUPS * FL_LANES + 1], expected[2];
	for (size_t j = 0; j < GROUPS * FL_LANES; j++)
		keys[j] = fl_mix64(seed + j);
	best[GROUPS * FL_LANES] = second[GROUPS * FL_LANES] = 7;
	k->lightests(lo, hi, inverse, n, keys, GROUPS, best, second);
	for (size_t j = 0; j < GROUPS * FL_LANES; j++) {
		plain_lightest(n, keys[j], expected);
		assert_int_equal(best[j], expected[0]);
		assert_int_equal(second[j], expected[1]);
	}
	assert_int_equal(best[GROUPS * FL_LANES], 7);
	assert_int_equal(second[GROUPS * FL_LANES], 7);
}

static void test_lightest(void **state)
{
	static const uint32_t mosts[] = {3, 9, 65535};
	const struct fl_kernels *k;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		size_t sure = 0, all = 0;
		for (size_t s = 0; s < SIZES; s++) {
			for (uint64_t key = 0; key < 12; key++, all++) {
				fill(sizes[s], fl_mix64(key + s), mosts[key % 3]);
				sure += check_lightest(k, sizes[s], key);
			}
			if (sizes[s] <= FL_BLOCK)
				check_lightests(k, sizes[s], s);
		}
		assert_true(sure > all * 8 / 10);
	}
}

/* Equal bounds, and bounds as near as can be, in every pair of places; the nearer the two are,
 * the less can be sure, but it must never be sure and wrong (check_lightest). */
static void test_lightest_with_ties(void **state)
{
	const struct fl_kernels *k;
	uint64_t key = 4711;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint32_t i = 0; i < 50; i++) {
			for (uint32_t j = 0; j < i; j++) {
				uint32_t d = 1u << (i % 28);
				fill(50, 5, 9);
				weight[i] = weight[j] = 65535 - j % 2 * 65534;
				inverse[i] = inverse[j] = fl_inverse(weight[i]);
				set_score(i, key, ~d);
				set_score(j, key, ~(d + (j % 5 ? (d >> (j % 14)) : 0)));
				repeat_last(50);
				bool sure = check_lightest(k, 50, key);
				assert_false(sure && scalar(i, key) == scalar(j, key) &&
					     weight[i] == 65535);
			}
		}
	}
}

/* All are as far from winning as can be, and all are as near: bounds of 0. */
static void test_lightest_at_the_ends(void **state)
{
	const struct fl_kernels *k;
	uint64_t key = 12;
	(void)state;
	for (unsigned level = 0; (k = fl_kernels_at(level)); level++) {
		for (uint32_t n = 1; n < 70; n++) {
			fill(n, n, 65535);
			for (uint32_t i = 0; i < n; i++)
				set_score(i, key, n % 2 ? UINT32_MAX - i % 2 : i % 2);
			repeat_last(n);
			bool sure = check_lightest(k, n, key);
			assert_true(n == 1 || !sure);
		}
	}
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
		cmocka_unit_test(test_scores),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_top_at_every_place),
		cmocka_unit_test(test_top_with_ties),
		cmocka_unit_test(test_top_of_the_lowest),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_bounds_of_chosen_scores),
		cmocka_unit_test(test_lightest),
		cmocka_unit_test(test_lightest_with_ties),
		cmocka_unit_test(test_lightest_at_the_ends),
		cmocka_unit_test(test_selection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
