/* The scalar parsers, one table each, and the suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conf/conf.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"512", 512},
		{"7B", 7},
		{"1KB", 1000},
		{"1kB", 1000},
		{"1KiB", 1024},
		{"16KiB", 16384},
		{"3MB", 3000000},
		{"3MiB", 3145728},
		{"2GB", 2000000000},
		{"2GiB", 2147483648u},
		{"1TB", 1000000000000},
		{"1TiB", 1099511627776},
		{"18446744073709551615", UINT64_MAX},
	};
	static const char *const bad[] = {"", " 1", "1 ", "1 KB", "-1", "+1", "01", "1k", "1K",
		"1kb", "1Mb", "1mb", "1.5KB", "1e3", "KB", "18446744073709551616",
		"20000000TiB", "0x10", "1KiBB"};
	uint64_t value = 42;
	const char *why = NULL;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(fl_conf_parse_size(good[i].text, &value, &why), 0);
		assert_int_equal(value, good[i].bytes);
	}
	value = 42;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(fl_conf_parse_size(bad[i], &value, NULL), -1);
	assert_int_equal(value, 42);
	assert_null(why);
	(void)fl_conf_parse_size("x", &value, &why);
	assert_string_equal(why, "a size such as 16KiB, 1MB or 512");
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {
		{"0s", 0},
		{"0ms", 0},
		{"250ms", 250},
		{"5s", 5000},
		{"2m", 120000},
		{"1h", 3600000},
		{"1d", 86400000},
		{"18446744073709551615ms", UINT64_MAX},
	};
	static const char *const bad[] = {"", "5", "0", "s", "5 s", "5S", "1.5s", "-5s", "05s",
		"1h30m", "5us", "5sec", "18446744073709551615s", "99999999999999999999ms"};
	uint64_t value = 42;
	const char *why = NULL;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(fl_conf_parse_duration(good[i].text, &value, &why), 0);
		assert_int_equal(value, good[i].ms);
	}
	value = 42;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(fl_conf_parse_duration(bad[i], &value, &why), -1);
	assert_int_equal(value, 42);
	assert_string_equal(why, "a duration such as 5s or 250ms");
}

static void shares(void **state)
{
	static const struct {
		const char *text;
		double share;
	} good[] = {
		{"0", 0},
		{"1", 1},
		{"1.0", 1},
		{"100%", 1},
		{"0%", 0},
		{"5%", 0.05},
		{"0.05", 0.05},
		{"0.1", 0.1},
		{"12.5%", 0.125},
		{"0.001%", 0.00001},
		{"0.3333333333333", 0.3333333333333},
		{"33.3%", 0.333},
	};
	static const char *const bad[] = {"", "%", "5", "1.1", "101%", "100.001%", "-1%", ".5",
		"5.", "5.%", "0,5", "5 %", "5%%", "1e-1", "nan", "inf", "00.5", "0x1", "0.5f",
		"0.33333333333333333", "99999999999999999999%"};
	double value = 42;
	const char *why = NULL;
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(fl_conf_parse_share(good[i].text, &value, &why), 0);
		assert_true(value == good[i].share);
	}
	value = 42;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(fl_conf_parse_share(bad[i], &value, &why), -1);
	assert_true(value == 42);
	assert_string_equal(why, "a share such as 5% or 0.05");
}

static void integers(void **state)
{
	static const char *const bad[] = {"", "-", "+1", "01", "-01", "1.0", "1e3", "0x1", " 1",
		"1 ", "1_0", "9223372036854775808", "-9223372036854775809", "--1"};
	int64_t value = 42;
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(fl_conf_parse_int(bad[i], INT64_MIN, INT64_MAX, &value), -1);
	assert_int_equal(fl_conf_parse_int("11", 0, 10, &value), -1);
	assert_int_equal(fl_conf_parse_int("-1", 0, 10, &value), -1);
	assert_int_equal(value, 42);
	assert_int_equal(fl_conf_parse_int("10", 0, 10, &value), 0);
	assert_int_equal(value, 10);
	assert_int_equal(fl_conf_parse_int("-0", 0, 10, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(
		fl_conf_parse_int("9223372036854775807", INT64_MIN, INT64_MAX, &value), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(
		fl_conf_parse_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
	assert_true(value == INT64_MIN);
}

static void booleans(void **state)
{
	static const char *const yes[] = {"true", "yes", "on", "True", "YES"};
	static const char *const no[] = {"false", "no", "off", "False", "OFF"};
	static const char *const bad[] = {"", "1", "0", "y", "n", "truee", "t"};
	bool value;
	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++) {
		assert_int_equal(fl_conf_parse_bool(yes[i], &value, NULL), 0);
		assert_true(value);
		assert_int_equal(fl_conf_parse_bool(no[i], &value, NULL), 0);
		assert_false(value);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(fl_conf_parse_bool(bad[i], &value, NULL), -1);
}

static void suggestions(void **state)
{
	static const char *const names[] = {
		"header", "health", "weight", "name", "ip", "listen", "listeners", NULL};
	static const char *const none[] = {NULL};
	char longest[200];
	(void)state;
	assert_string_equal(fl_conf_nearest("heaer", names), "header");
	assert_string_equal(fl_conf_nearest("haeder", names), "header");
	assert_string_equal(fl_conf_nearest("HEADER", names), "header");
	assert_string_equal(fl_conf_nearest("wieght", names), "weight");
	assert_string_equal(fl_conf_nearest("nmae", names), "name");
	assert_string_equal(fl_conf_nearest("listener", names), "listeners");
	assert_string_equal(fl_conf_nearest("IP", names), "ip");
	assert_null(fl_conf_nearest("iq", names)); /* a third of 2 is no edit at all */
	assert_null(fl_conf_nearest("", names));
	assert_null(fl_conf_nearest("colour", names));
	assert_null(fl_conf_nearest("header", none));
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_null(fl_conf_nearest(longest, names));
}

static void quotes(void **state)
{
	struct fl_conf_quoted buf;
	char text[201] = "";
	(void)state;
	assert_string_equal(fl_conf_quote(&buf, "abc"), "\"abc\"");
	assert_string_equal(fl_conf_quote(&buf, ""), "\"\"");
	/* A character is never cut in two. */
	for (size_t skip = 0; skip < 3; skip++) {
		memset(text, 'x', skip);
		text[skip] = '\0';
		while (strlen(text) < 190)
			strcat(text, "漢"); // NOLINT
		const char *q = fl_conf_quote(&buf, text);
		size_t n = strlen(q);
		assert_true(n < sizeof(buf.text));
		assert_string_equal(q + n - 4, "...\"");
		assert_int_equal((n - 5 - skip) % 3, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(shares),
		cmocka_unit_test(integers),
		cmocka_unit_test(booleans),
		cmocka_unit_test(suggestions),
		cmocka_unit_test(quotes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
