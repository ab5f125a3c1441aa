/* The fixed-point logarithm against exact vectors, and that it never grows with its argument. */
#include "place/log2.h"

#include "hash/mix.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Vectors are in units of 2^-62, ours are 2^-58: above the exact value by less than 2^-57. */
static void test_vectors(void **state)
{
	FILE *f = fopen(FL_TEST_DIR "/golden/log2_vectors.csv", "r");
	char line[128];
	size_t checked = 0;
	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		uint64_t h, high, low;
		if (sscanf(line, "%" SCNx64 ",%" SCNx64 ",%" SCNx64, &h, &high, &low) != 3)
			continue;
		/* exact = high * 2^32 + low < 2^66, so compare in quarters of it. */
		uint64_t ours = fl_neg_log2(h), exact = (high << 28) + (low >> 4);
		int64_t above = (int64_t)(ours - exact) * 16 - (int64_t)(low & 15);
		assert_true(above >= 0);
		assert_true(above < 32);
		checked++;
	}
	fclose(f);
	assert_true(checked > 3000);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(fl_neg_log2(UINT64_MAX), 0);
	assert_int_equal(fl_neg_log2(0), UINT64_MAX);
	for (unsigned e = 1; e < 64; e++)
		assert_int_equal(fl_neg_log2(((uint64_t)1 << e) - 1), (uint64_t)(64 - e) << 58);
}

static void falls_around(uint64_t middle, uint64_t reach)
{
	uint64_t start = middle > reach ? middle - reach : 0;
	uint64_t last = fl_neg_log2(start);
	for (uint64_t h = start; h < UINT64_MAX && h - start < 2 * reach; h++) {
		uint64_t now = fl_neg_log2(h + 1);
		assert_true(now <= last);
		last = now;
	}
}

static void test_never_grows(void **state)
{
	(void)state;
	/* Every table step at every power of two that has room for it, and places between. */
	for (unsigned e = 8; e < 64; e++) {
		for (unsigned step = 0; step < 256; step++)
			falls_around((uint64_t)(256 + step) << (e - 8), 40);
	}
	for (uint64_t i = 0; i < 2000; i++)
		falls_around(fl_mix64(i) >> (i % 50), 64);
	falls_around(UINT64_MAX, 5000);
	falls_around(0, 5000);
}

static void test_falls_strictly_where_it_can(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		uint64_t h = fl_mix64(i), step = (h >> 56) + 1;
		/* 2^-57 apart or more: more than the error, so the order must show. */
		uint64_t further = h + (step << 10);
		if (further > h)
			assert_true(fl_neg_log2(further) < fl_neg_log2(h));
	}
}

/* Every bit is part of the mapping: a sum over many inputs is frozen with version 1. */
static void test_frozen(void **state)
{
	uint64_t sum = 0;
	(void)state;
	for (uint64_t i = 0; i < 200000; i++)
		sum = fl_mix64(sum ^ fl_neg_log2(fl_mix64(i) >> (i % 8 * 7)));
	assert_int_equal(sum, 0xfc5cc677b98cd128u);
}

static void test_table_is_what_the_generator_writes(void **state)
{
	(void)state;
	assert_int_equal(
		system("/usr/bin/python3 " FL_TEST_DIR "/../tools/gen_log2.py --check"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_never_grows),
		cmocka_unit_test(test_falls_strictly_where_it_can),
		cmocka_unit_test(test_frozen),
		cmocka_unit_test(test_table_is_what_the_generator_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
