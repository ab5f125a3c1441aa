/* Keys that are numbers, and bids in logarithms. */
#include "compat/contest.h"
#include "compat/number.h"
#include "hash/xxh3.h"
#include "place/log2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {{"0", 0}, {"007", 7}, {"18446744073709551615", UINT64_MAX},
		{"9223372036854775808", (uint64_t)1 << 63}, {"-1", UINT64_MAX},
		{"-9223372036854775808", (uint64_t)1 << 63}, {"-0", 0}};
	static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "0x10", "1a", "--1",
		"18446744073709551616", "99999999999999999999", "-9223372036854775809", "1.0"};
	uint64_t value;
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(fl_number_parse(good[i].text, strlen(good[i].text), &value));
		assert_int_equal(value, good[i].value);
		assert_int_equal(
			fl_number_of(good[i].text, strlen(good[i].text)), good[i].value);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		value = 42;
		assert_false(fl_number_parse(bad[i], strlen(bad[i]), &value));
		assert_int_equal(value, 42);
		assert_int_equal(fl_number_of(bad[i], strlen(bad[i])),
			fl_xxh3(bad[i], strlen(bad[i]), 0));
	}
	assert_false(fl_number_parse(NULL, 0, &value));
}

/* Against the machine's own conversion, which rounds to nearest, ties to even. */
static void test_round53(void **state)
{
	static const uint64_t values[] = {0, 1, ((uint64_t)1 << 53) - 1,
		((uint64_t)1 << 53) + 1, ((uint64_t)1 << 53) + 3, ((uint64_t)1 << 62) + 256,
		((uint64_t)1 << 62) + 768, 0x123456789abcdef0u, 0xfffffffffffff800u,
		0xfffffffffffffbffu, 0x8000000000000400u, 0x8000000000000c00u,
		0x8000000000000401u};
	bool over;
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		volatile double rounded = (double)values[i];
		assert_int_equal(fl_round53(values[i], &over), (uint64_t)rounded);
		assert_false(over);
	}
	assert_int_equal(fl_round53(UINT64_MAX, &over), 0);
	assert_true(over);
	(void)fl_round53(0xfffffffffffffc00u, &over); /* the half way is even above */
	assert_true(over);
}

static void test_bid_log(void **state)
{
	(void)state;
	assert_int_equal(fl_bid_log(0), FL_BID_NEVER);
	assert_int_equal(fl_bid_log(1), FL_BID_NEVER - 1);
	assert_int_equal(fl_bid_log((uint64_t)1 << 63), (uint64_t)1 << 58); /* -log2(1/2) */
	assert_int_equal(fl_bid_log((uint64_t)1 << 60), (uint64_t)4 << 58);
	assert_true(fl_bid_log(UINT64_MAX) < 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_round53),
		cmocka_unit_test(test_bid_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
