/* Names are shown so that no terminal acts on them and no reader mistakes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "report/show.h"

static char shown[4096];
static size_t columns;

static const char *show(struct fl_slice text, size_t most, bool utf8)
{
	struct fl_text out;
	fl_text_init(&out, sizeof(shown));
	columns = fl_report_show(&out, text, most, utf8);
	memcpy(shown, out.n ? out.p : "", out.n);
	shown[out.n] = '\0';
	fl_text_fini(&out);
	return shown;
}

static void what_acts_is_escaped(void **state)
{
	static const struct {
		struct fl_slice text;
		const char *utf8, *ascii;
		size_t columns; /* of utf8 */
	} table[] = {
		{FL_SLICE("abc"), "abc", "abc", 3},
		{FL_SLICE(""), "", "", 0},
		{FL_SLICE("a\nb\r\t"), "a\\nb\\r\\t", "a\\nb\\r\\t", 8},
		{FL_SLICE("\x1b[0m\x7f"), "\\x1b[0m\\x7f", "\\x1b[0m\\x7f", 11},
		{FL_SLICE("a\0b"), "a\\x00b", "a\\x00b", 6},
		{FL_SLICE("\xff\xc3"), "\\xff\\xc3", "\\xff\\xc3", 8},
		{FL_SLICE("\xc2\x9b"), "\\u{9b}", "\\u{9b}", 6},
		{FL_SLICE("\xe2\x80\xae"), "\\u{202e}", "\\u{202e}", 8},
		{FL_SLICE("\xe2\x80\x8b"), "\\u{200b}", "\\u{200b}", 8},
		{FL_SLICE("\xef\xbf\xbe"), "\\u{fffe}", "\\u{fffe}", 8},
		{FL_SLICE("\xc3\xa9"), "\xc3\xa9", "\\u{e9}", 1},
		{FL_SLICE("\xe6\xbc\xa2"), "\xe6\xbc\xa2", "\\u{6f22}", 2},
		{FL_SLICE("e\xcc\x81"), "e\xcc\x81", "e\\u{301}", 1},
		{FL_SLICE("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80", "\\u{1f600}", 2},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_string_equal(show(table[i].text, SIZE_MAX, false), table[i].ascii);
		assert_string_equal(show(table[i].text, SIZE_MAX, true), table[i].utf8);
		assert_int_equal(columns, table[i].columns);
		assert_int_equal(fl_report_columns(table[i].text, true), columns);
	}
}

static void what_is_long_is_cut_in_the_middle(void **state)
{
	(void)state;
	assert_string_equal(show(FL_SLICE("abcdefghij"), 10, true), "abcdefghij");
	assert_string_equal(show(FL_SLICE("abcdefghijk"), 10, true), "abcde…hijk");
	assert_int_equal(columns, 10);
	assert_string_equal(show(FL_SLICE("abcdefghijk"), 10, false), "abcd...ijk");
	assert_string_equal(show(FL_SLICE("abcdefghijk"), 5, false), "ab~jk");
	assert_string_equal(show(FL_SLICE("abc"), 1, true), "…");
	assert_string_equal(show(FL_SLICE("abc"), 0, true), "");
	/* A character of two columns that would stand on the edge is left out. */
	assert_string_equal(show(FL_SLICE("漢字漢字"), 5, true), "漢…字");
	assert_string_equal(show(FL_SLICE("漢字漢字"), 4, true), "漢…");
	assert_int_equal(columns, 3);
	/* An escape is kept whole or not at all. */
	assert_string_equal(show(FL_SLICE("ab\x1b\x1b\x1b"), 8, true), "ab…");
}

static void no_cut_is_wider_than_asked(void **state)
{
	static const struct fl_slice names[] = {
		FL_SLICE("a\x1b[31mb漢\xff字e\xcc\x81\xcc\x81z"), FL_SLICE("漢字漢字漢字"),
		FL_SLICE("\xff\xff\xff\xff"), FL_SLICE("plain-name-1")};
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (size_t most = 0; most < 40; most++) {
			for (int utf8 = 0; utf8 < 2; utf8++) {
				show(names[i], most, utf8);
				assert_true(columns <= most);
				assert_int_equal(
					columns, fl_report_columns(fl_slice_of(shown), true));
			}
		}
	}
}

static void fitting(void **state)
{
	size_t n;
	(void)state;
	assert_int_equal(fl_report_fit(FL_SLICE("漢字"), 3, &n), 3);
	assert_int_equal(n, 2);
	assert_int_equal(fl_report_fit(FL_SLICE("ab"), 9, &n), 2);
	assert_int_equal(fl_report_fit(FL_SLICE("ab"), 0, &n), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_acts_is_escaped),
		cmocka_unit_test(what_is_long_is_cut_in_the_middle),
		cmocka_unit_test(no_cut_is_wider_than_asked),
		cmocka_unit_test(fitting),
	};
	struct fl_report_locale locale;
	fl_report_locale_enter(&locale);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	fl_report_locale_leave(&locale);
	return failed;
}
