/* Names of servers as libmemcached hashes and sorts them. */
#include "compat/libmemcached_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *name, *text, *spy;
} forms[] = {
	{"cache1", "cache1", "/cache1:11211"},
	{"cache1:11211", "cache1", "/cache1:11211"},
	{"cache1:11212", "cache1:11212", "/cache1:11212"},
	{"cache1:011211", "cache1", "/cache1:11211"},
	{"10.0.0.1:80", "10.0.0.1:80", "/10.0.0.1:80"},
	{"::1:11211", "::1", "/::1:11211"},
	{"h:65535", "h:65535", "/h:65535"},
	{"h:65536", "h:65536", "/h:65536:11211"},
	{"h:112110", "h:112110", "/h:112110:11211"},
	{"h:99999999999999999999", "h:99999999999999999999", "/h:99999999999999999999:11211"},
	{"h:", "h:", "/h::11211"},
	{"h:1x", "h:1x", "/h:1x:11211"},
	{"h:-1", "h:-1", "/h:-1:11211"},
};

static void test_forms(void **state)
{
	char out[FL_SERVER_TEXT];
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		fl_lmc_server_text(out, forms[i].name);
		assert_string_equal(out, forms[i].text);
		fl_lmc_server_text_spy(out, forms[i].name);
		assert_string_equal(out, forms[i].spy);
	}
}

static void test_the_longest_name_fits(void **state)
{
	char name[FL_MAX_NAME + 1], out[FL_SERVER_TEXT];
	(void)state;
	memset(name, 'x', FL_MAX_NAME);
	name[FL_MAX_NAME] = '\0';
	fl_lmc_server_text(out, name);
	assert_string_equal(out, name);
	fl_lmc_server_text_spy(out, name);
	assert_int_equal(strlen(out), FL_MAX_NAME + 7);
	assert_string_equal(out + FL_MAX_NAME + 1, ":11211");
}

/* From least to greatest. */
static void test_order(void **state)
{
	static const char *const order[] = {
		"B.x:9", "a.x:9", "a.x:10", "a.x:11211", "a.xx:1", "b:1", "\xc3\xa9:1"};
	(void)state;
	for (size_t i = 0; i < 7; i++) {
		for (size_t j = 0; j < 7; j++) {
			int got = fl_lmc_server_compare(order[i], order[j]);
			assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
		}
	}
	assert_int_equal(fl_lmc_server_compare("a.x", "a.x:11211"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_the_longest_name_fits),
		cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
