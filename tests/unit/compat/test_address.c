/* Addresses as they stand in keys and in nodes' names. */
#include "compat/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_keys(void **state)
{
	static const unsigned char mapped[16] = {[10] = 0xff, 0xff, 1, 2, 3, 4};
	unsigned char bytes[16];
	(void)state;
	assert_int_equal(fl_address_read("1.2.3.4", 7, bytes), 4);
	assert_memory_equal(bytes, "\1\2\3\4", 4);
	assert_int_equal(fl_address_read("::ffff:1.2.3.4", 14, bytes), 16);
	assert_memory_equal(bytes, mapped, 16);
	/* The key ends where its length says. */
	assert_int_equal(fl_address_read("1.2.3.45", 7, bytes), 4);
	assert_int_equal(bytes[3], 4);
	assert_int_equal(
		fl_address_read("ABCD:ef01:2345:6789:abcd:ef01:2345:6789", 39, bytes), 16);
}

static void test_no_addresses(void **state)
{
	static const char *const texts[] = {"", "unix:", "1.2.3", "1.2.3.4.", "1.2.3.256",
		"1.2.3.4:80", "[::1]", "::1%lo", ":::", "1.2.3.4 ", "key-000001",
		"abcd:ef01:2345:6789:abcd:ef01:2345:6789:1234:5678"};
	unsigned char bytes[16];
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(fl_address_read(texts[i], strlen(texts[i]), bytes), 0);
	assert_int_equal(fl_address_read("1.2.3.4\0", 8, bytes), 0);
	assert_int_equal(fl_address_read(NULL, 0, bytes), 0);
}

static void test_names(void **state)
{
	static const struct {
		const char *name, *printed;
		size_t size;
		int32_t port;
	} good[] = {
		{"10.0.0.1", "10.0.0.1", 4, -1},
		{"10.0.0.1:80", "10.0.0.1", 4, 80},
		{"10.0.0.1:00080", "10.0.0.1", 4, 80},
		{"10.0.0.1:65535", "10.0.0.1", 4, 65535},
		{"::1", "::1", 16, -1},
		{"[::1]", "::1", 16, -1},
		{"[0:0::0001]:0", "::1", 16, 0},
		{"[2001:DB8::a]:8080", "2001:db8::a", 16, 8080},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fl_address a;
		char text[FL_ADDRESS_TEXT];
		assert_true(fl_address_parse(&a, good[i].name));
		assert_int_equal(a.size, good[i].size);
		assert_int_equal(a.port, good[i].port);
		fl_address_print(&a, text);
		assert_string_equal(text, good[i].printed);
	}
}

static void test_no_names(void **state)
{
	static const char *const texts[] = {"", "a", "a:80", "10.0.0.1:", "10.0.0.1:65536",
		"10.0.0.1:-1", "10.0.0.1:8x", "10.0.0.1:99999999999", "[10.0.0.1]:80", "[::1",
		"[::1]80", "[::1]:", "[]:80", "::1]:80", ":80", "[::1]:80:80", "unix:/x"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fl_address a = {.port = 77};
		assert_false(fl_address_parse(&a, texts[i]));
		assert_int_equal(a.port, 77);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_no_addresses),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
