/* A line is one line of UTF-8 with the fields that were put in, whatever they hold, and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/utf8.h"
#include "obs/line.h"

static const char *one(struct fl_slice value, bool json)
{
	static char buf[FL_LINE_MAX + 1];
	struct fl_line line;
	fl_line_begin(&line, buf, FL_LINE_MAX, json);
	fl_line_string(&line, FL_SLICE("k"), value);
	buf[fl_line_end(&line)] = '\0';
	return buf;
}

static void values_are_escaped(void **state)
{
	static const struct {
		struct fl_slice value;
		const char *text, *json;
	} table[] = {
		{FL_SLICE("abc"), "k=abc\n", "{\"k\":\"abc\"}\n"},
		{FL_SLICE(""), "k=\"\"\n", "{\"k\":\"\"}\n"},
		{FL_SLICE("a b"), "k=\"a b\"\n", "{\"k\":\"a b\"}\n"},
		{FL_SLICE("a=b"), "k=\"a=b\"\n", "{\"k\":\"a=b\"}\n"},
		{FL_SLICE("a\"b\\c"), "k=\"a\\\"b\\\\c\"\n", "{\"k\":\"a\\\"b\\\\c\"}\n"},
		{FL_SLICE("x\nlevel=error\r\t"), "k=\"x\\nlevel=error\\r\\t\"\n",
			"{\"k\":\"x\\nlevel=error\\r\\t\"}\n"},
		{FL_SLICE("a\0b"), "k=\"a\\x00b\"\n", "{\"k\":\"a\\u0000b\"}\n"},
		{FL_SLICE("\x1b[0m\x7f"), "k=\"\\x1b[0m\\x7f\"\n",
			"{\"k\":\"\\u001b[0m\\u007f\"}\n"},
		{FL_SLICE("\xc3\xa9"), "k=\"\xc3\xa9\"\n", "{\"k\":\"\xc3\xa9\"}\n"},
		{FL_SLICE("\xff\xc3"), "k=\"\\xff\\xc3\"\n", "{\"k\":\"\\ufffd\\ufffd\"}\n"},
		{FL_SLICE("\xc2\x9b"), "k=\"\\xc2\\x9b\"\n", "{\"k\":\"\\u009b\"}\n"},
		{FL_SLICE("\xe2\x80\xa8"), "k=\"\\xe2\\x80\\xa8\"\n", "{\"k\":\"\\u2028\"}\n"},
		{FL_SLICE("\xe2\x80\xae"), "k=\"\\xe2\\x80\\xae\"\n", "{\"k\":\"\\u202e\"}\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_string_equal(one(table[i].value, false), table[i].text);
		assert_string_equal(one(table[i].value, true), table[i].json);
	}
}

static void other_values(void **state)
{
	char buf[FL_LINE_MAX + 1];
	struct fl_line line;
	(void)state;
	for (int json = 0; json < 2; json++) {
		fl_line_begin(&line, buf, FL_LINE_MAX, json);
		fl_line_time(&line, FL_SLICE("t"), 0);
		fl_line_number(&line, FL_SLICE("n"), UINT64_MAX);
		fl_line_bool(&line, FL_SLICE("b"), true);
		fl_line_ms(&line, FL_SLICE("ms"), 12034);
		fl_line_ms(&line, FL_SLICE("us"), 999);
		buf[fl_line_end(&line)] = '\0';
		assert_string_equal(buf,
			json ? "{\"t\":\"1970-01-01T00:00:00.000Z\",\"n\":18446744073709551615,"
			       "\"b\":true,\"ms\":12.034,\"us\":0.999}\n"
			     : "t=1970-01-01T00:00:00.000Z n=18446744073709551615 b=true "
			       "ms=12.034 us=0.999\n");
	}
}

static void times_are_as_gmtime_says(void **state)
{
	char buf[128], want[128];
	struct fl_line line;
	(void)state;
	/* Steps of 1.7 days, over 270 years. */
	for (uint64_t s = 0; s < 8520336000; s += 146880 + 61) {
		time_t t = (time_t)s;
		struct tm tm;
		fl_line_begin(&line, buf, sizeof(buf), false);
		fl_line_time(&line, FL_SLICE("t"), s * 1000 + s % 1000);
		buf[fl_line_end(&line)] = '\0';
		assert_non_null(gmtime_r(&t, &tm));
		size_t n = strftime(want, sizeof(want), "t=%Y-%m-%dT%H:%M:%S.", &tm);
		assert_memory_equal(buf, want, n);
		assert_int_equal(buf[n + 3], 'Z');
	}
	fl_line_begin(&line, buf, sizeof(buf), false);
	fl_line_time(&line, FL_SLICE("t"), UINT64_MAX);
	buf[fl_line_end(&line)] = '\0';
	assert_string_equal(buf, "t=9999-12-31T23:59:59.999Z\n");
}

static void what_does_not_fit_is_cut(void **state)
{
	char value[6000], buf[FL_LINE_MAX + 8];
	struct fl_line line;
	uint32_t code;
	(void)state;
	for (size_t size = 64; size < 400; size++) {
		for (int kind = 0; kind < 8; kind++) {
			static const char *const units[] = {"x", "\n", "\xff", "漢"};
			const char *unit = units[kind / 2];
			size_t n = 0;
			for (size_t k = 0; n < sizeof(value) - 3; n++, k++)
				value[n] = unit[k % strlen(unit)];
			memset(buf, 'Z', sizeof(buf));
			fl_line_begin(&line, buf, size, kind & 1);
			fl_line_number(&line, FL_SLICE("first"), 1);
			fl_line_string(&line, FL_SLICE("long"), (struct fl_slice){value, n});
			fl_line_string(
				&line, FL_SLICE("second"), FL_SLICE("nothing fits any more"));
			fl_line_number(&line, FL_SLICE("a_rather_long_key_of_a_number"), 1);
			size_t len = fl_line_end(&line);
			assert_true(len <= size && len + 64 > size);
			assert_int_equal(buf[len], 'Z');
			assert_int_equal(buf[len - 1], '\n');
			assert_null(memchr(buf, '\n', len - 1));
			const char *end = kind & 1 ? "\"cut\":true}\n" : " cut=true\n";
			assert_memory_equal(buf + len - strlen(end), end, strlen(end));
			for (size_t at = 0, step; at < len; at += step) {
				step = fl_utf8_decode(buf + at, len - at, &code);
				assert_true(step > 0);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_escaped),
		cmocka_unit_test(other_values),
		cmocka_unit_test(times_are_as_gmtime_says),
		cmocka_unit_test(what_does_not_fit_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
