/* The two functions behind jump and jumpback: known answers, consistency, uniformity. Which
 * placements they make is held against the model (tests/model) and in tests/prop. */
#include "place/shards.h"

#include "hash/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const fl_bucket_fn functions[] = {fl_jump, fl_jumpback};

static const struct {
	uint64_t key;
	uint32_t count, bucket;
} canonical[] = {
	{1u, 1u, 0u},
	{1u, 2u, 0u},
	{14112620680491214507u, 2u, 1u},
	{14688815388083067605u, 2u, 1u},
	{16067758685861696886u, 2u, 1u},
	{1u, 7u, 6u},
	{14112620680491214507u, 7u, 3u},
	{14688815388083067605u, 7u, 4u},
	{16067758685861696886u, 7u, 3u},
	{1u, 8u, 6u},
	{14112620680491214507u, 8u, 3u},
	{14688815388083067605u, 8u, 4u},
	{16067758685861696886u, 8u, 3u},
	{1u, 100u, 55u},
	{14112620680491214507u, 100u, 35u},
	{14688815388083067605u, 100u, 30u},
	{16067758685861696886u, 100u, 71u},
	{1u, 1000000u, 985611u},
	{14112620680491214507u, 1000000u, 176661u},
	{14688815388083067605u, 1000000u, 940939u},
	{16067758685861696886u, 1000000u, 865747u},
	{1u, 2147483647u, 262355607u},
	{14112620680491214507u, 2147483647u, 827190297u},
	{14688815388083067605u, 2147483647u, 2030404309u},
	{16067758685861696886u, 2147483647u, 1816186860u},
};

/* What the paper's own C++ gives, compiled. */
static void test_jump_is_the_papers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(canonical) / sizeof(canonical[0]); i++)
		assert_int_equal(
			fl_jump(canonical[i].key, canonical[i].count), canonical[i].bucket);
}

static void test_jump_in_integers(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 300000; i++) {
		uint64_t r = fl_mix64(i);
		uint32_t draw = (uint32_t)(r >> 33) >> (i % 31);
		int64_t bucket = (int64_t)(fl_mix64(r) >> 33) >> (i / 31 % 31);
		if (i % 3 == 0) {
			/* Whole quotients, where rounding decides. */
			draw = (uint32_t)(r >> 48);
			bucket = (int64_t)(draw + 1) * (int64_t)(1 + (r & 1023)) - 1;
		}
		assert_int_equal(
			fl_jump_next_integer(bucket, draw), fl_jump_next(bucket, draw));
	}
	assert_int_equal(
		fl_jump_next_integer(INT32_MAX - 1, 0), fl_jump_next(INT32_MAX - 1, 0));
	assert_int_equal(fl_jump_next_integer(0, INT32_MAX), fl_jump_next(0, INT32_MAX));
	assert_int_equal(fl_jump_next_integer(INT32_MAX - 1, INT32_MAX),
		fl_jump_next(INT32_MAX - 1, INT32_MAX));
	assert_int_equal(fl_jump_next_integer(0, 0), (int64_t)1 << 31);
}

/* One bucket more takes keys from all and gives nobody else any. */
static void test_growing_moves_only_to_the_new(void **state)
{
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		for (uint64_t i = 0; i < 400; i++) {
			uint64_t key = fl_mix64(i);
			uint32_t was = functions[f](key, 1);
			assert_int_equal(was, 0);
			for (uint32_t n = 2; n < 700; n++) {
				uint32_t is = functions[f](key, n);
				assert_true(is == was || is == n - 1);
				was = is;
			}
		}
	}
}

static void test_growing_around_powers_of_two(void **state)
{
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		for (unsigned power = 2; power < 31; power++) {
			uint32_t n = (uint32_t)1 << power;
			for (uint64_t i = 0; i < 500; i++) {
				uint64_t key = fl_mix64(i + 1000000);
				uint32_t a = functions[f](key, n - 1);
				uint32_t b = functions[f](key, n);
				uint32_t c = functions[f](key, n + 1);
				assert_true(a < n - 1);
				assert_true(b == a || b == n - 1);
				assert_true(c == b || c == n);
			}
		}
	}
	for (uint64_t i = 0; i < 2000; i++) {
		uint64_t key = fl_mix64(i);
		uint32_t a = fl_jumpback(key, UINT32_MAX - 1), b = fl_jumpback(key, UINT32_MAX);
		assert_true(b == a || b == UINT32_MAX - 1);
	}
}

/* Chi-square within 6 standard deviations (and a bit, for few buckets). */
static void check_uniform(fl_bucket_fn f, uint32_t n, uint64_t keys)
{
	uint32_t *count = calloc(n, sizeof(*count));
	double chi = 0, expected = (double)keys / n, off;
	for (uint64_t i = 0; i < keys; i++) {
		uint32_t bucket = f(fl_mix64(i ^ 0x5eed0000), n);
		assert_true(bucket < n);
		count[bucket]++;
	}
	for (uint32_t b = 0; b < n; b++)
		chi += (count[b] - expected) * (count[b] - expected) / expected;
	off = chi - (n - 1) - 20;
	assert_true(off < 0 || off * off < 36 * 2.0 * (n - 1));
	off = (n - 1) - chi;
	assert_true(off < 0 || off * off < 36 * 2.0 * (n - 1));
	free(count);
}

static void test_uniform(void **state)
{
	static const uint32_t counts[] = {
		2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 100, 127, 128, 129, 1000};
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
			check_uniform(functions[f], counts[i], 30000);
	}
}

/* Bucket by bucket, pairs of counts: a key's buckets for n and n + 1 differ for 1 in n + 1. */
static void test_share_that_moves(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, 7, 8, 9, 15, 16, 31, 63};
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
			uint32_t n = counts[c];
			double keys = 60000, moved = 0, expected = keys / (n + 1), off;
			for (uint64_t i = 0; i < 60000; i++) {
				uint64_t key = fl_mix64(i ^ 0xabcdef);
				moved += functions[f](key, n) != functions[f](key, n + 1);
			}
			off = moved - expected;
			assert_true(off * off < 25 * expected);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jump_is_the_papers),
		cmocka_unit_test(test_jump_in_integers),
		cmocka_unit_test(test_growing_moves_only_to_the_new),
		cmocka_unit_test(test_growing_around_powers_of_two),
		cmocka_unit_test(test_uniform),
		cmocka_unit_test(test_share_that_moves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
