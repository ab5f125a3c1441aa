/* UTF-8: every code point comes back, everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/utf8.h"

static size_t encode(uint32_t code, char *p)
{
	if (code < 0x80) {
		p[0] = (char)code;
		return 1;
	}
	size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		p[i] = (char)(0x80 | (code & 0x3f));
	p[0] = (char)(0xf00u >> n | code);
	return n;
}

static void every_code_point(void **state)
{
	char p[4];
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		uint32_t got = 0;
		size_t n = encode(code, p);
		bool fine = code < 0xd800 || code >= 0xe000;
		assert_int_equal(fl_utf8_decode(p, n, &got), fine ? n : 0);
		assert_int_equal(got, fine ? code : 0);
		assert_int_equal(fl_utf8_decode(p, n - 1, &got), 0);
	}
}

static void what_is_not_utf8(void **state)
{
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf",
		"\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "\xc3", "\xc3(",
		"\xe2\x82(", "\xf0\x9f\x92("};
	uint32_t code = 42;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(fl_utf8_decode(bad[i], strlen(bad[i]), &code), 0);
	assert_int_equal(code, 42);
}

static void what_acts(void **state)
{
	(void)state;
	assert_true(fl_utf8_acts('\n') && fl_utf8_acts(0) && fl_utf8_acts(0x7f));
	assert_true(fl_utf8_acts(0x9b) && fl_utf8_acts(0x2028) && fl_utf8_acts(0x202e));
	assert_false(fl_utf8_acts(' ') || fl_utf8_acts(0xa0) || fl_utf8_acts(0x6f22));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_point),
		cmocka_unit_test(what_is_not_utf8),
		cmocka_unit_test(what_acts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
