#include "compat/utf16.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *in, size_t len, const char *out, size_t out_len)
{
	unsigned char got[64];
	size_t have = 0;
	while (len > 0) {
		size_t used;
		have += fl_utf16le_next((const unsigned char *)in, len, got + have, &used);
		assert_true(used >= 1 && used <= len);
		in += used;
		len -= used;
	}
	assert_int_equal(have, out_len);
	assert_memory_equal(got, out, out_len);
}

#define EXPECT(in, out) expect(in, sizeof(in) - 1, out, sizeof(out) - 1)

static void test_valid(void **state)
{
	(void)state;
	EXPECT("a1", "a\0001\000");
	EXPECT("\xc3\xa9", "\xe9\x00");
	EXPECT("\xe6\xbc\xa2", "\x22\x6f");
	EXPECT("\xf0\x9f\x98\x80", "\x3d\xd8\x00\xde");
	EXPECT("\xf4\x8f\xbf\xbf", "\xff\xdb\xff\xdf");
	EXPECT("\xef\xbf\xbf", "\xff\xff");
	EXPECT("\xed\x9f\xbf\xee\x80\x80", "\xff\xd7\x00\xe0");
}

#define BAD "\xfd\xff"

/* As java.nio's UTF-8 decoder: one U+FFFD for each longest beginning of a valid sequence. */
static void test_malformed(void **state)
{
	(void)state;
	EXPECT("\x80", BAD);
	EXPECT("\xc0\xaf", BAD BAD);
	EXPECT("\xc3", BAD);
	EXPECT("\xc3(", BAD "(\0");
	EXPECT("\xe6\xbc", BAD);
	EXPECT("\xe6\xbc(", BAD "(\0");
	EXPECT("\xe0\x80\x80", BAD BAD BAD);
	EXPECT("\xed\xa0\x80", BAD BAD BAD);
	EXPECT("\xf0\x9f\x98", BAD);
	EXPECT("\xf0\x80\x80\x80", BAD BAD BAD BAD);
	EXPECT("\xf4\x90\x80\x80", BAD BAD BAD BAD);
	EXPECT("\xff"
	       "a",
		BAD "a\0");
}

static void test_order(void **state)
{
	(void)state;
	assert_int_equal(fl_utf16_compare("a", "a"), 0);
	assert_true(fl_utf16_compare("a", "b") < 0);
	assert_true(fl_utf16_compare("a", "ab") < 0);
	assert_true(fl_utf16_compare("ab", "a") > 0);
	assert_true(fl_utf16_compare("z", "\xc3\xa9") < 0);
	/* U+1F600 is d83d de00 in UTF-16, before U+E000 and U+FFFD, after U+D7FF. */
	assert_true(fl_utf16_compare("\xf0\x9f\x98\x80", "\xee\x80\x80") < 0);
	assert_true(fl_utf16_compare("\xef\xbf\xbd", "\xf0\x9f\x98\x80") > 0);
	assert_true(fl_utf16_compare("\xf0\x9f\x98\x80", "\xed\x9f\xbf") > 0);
	assert_true(fl_utf16_compare("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
