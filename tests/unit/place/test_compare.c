/* The exact comparison of weighted ranks, from inside, against plain arithmetic; near ties too,
 * which no random membership would show. */
#include "place/hrw.c"

#include "hash/mix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The high halves of the products, then the low ones. */
static int plainly(const struct rank *a, const struct rank *b)
{
	uint64_t x = fl_mul_high_portable(a->value, b->weight);
	uint64_t y = fl_mul_high_portable(b->value, a->weight);
	if (x == y) {
		x = a->value * b->weight;
		y = b->value * a->weight;
	}
	return x < y ? -1 : x > y;
}

static void check(const struct rank *a, const struct rank *b)
{
	int order = plainly(a, b);
	assert_int_equal(compare_values(a, b), order);
	assert_int_equal(compare_values(b, a), -order);
	if (order != 0)
		assert_int_equal(before(a, b), order < 0);
	/* What may stand before has bound bits no greater than the limit. */
	if (order <= 0)
		assert_true(limit_of(a) <= (limit_of(b) | (FL_BLOCK - 1)));
}

static void test_values(void **state)
{
	size_t tried = 0;
	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		struct rank a = {fl_mix64(3 * i) >> i % 60, i, 1 + (fl_mix64(i) & 0xfffe), 0};
		struct rank b = {0, i, 1 + (fl_mix64(i + 7) & 0xfffe), 1};
		check(&a, &b);
		/* The value of b at which both are equal, and its neighbours. */
		uint64_t whole = a.value / a.weight, rest = a.value % a.weight;
		if (whole >= (UINT64_MAX >> 17) / b.weight * ((uint64_t)1 << 16))
			continue;
		uint64_t near = whole * b.weight + rest * b.weight / a.weight;
		for (uint64_t off = 0; off <= 4; off++) {
			b.value = near < 2 ? off : near - 2 + off;
			check(&a, &b);
		}
		tried++;
	}
	assert_true(tried > 10000);
}

static void test_ties(void **state)
{
	struct rank a = {10, 7, 2, 0}, b = {15, 7, 3, 1};
	(void)state;
	assert_int_equal(compare_values(&a, &b), 0);
	/* The same value: the higher score; the same score: the first name. */
	assert_true(before(&a, &b));
	assert_false(before(&b, &a));
	b.score = 8;
	assert_true(before(&b, &a));
	assert_false(before(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_ties),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
