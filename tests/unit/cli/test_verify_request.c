/* What an URL, headers and cookies make of a key; and keys that they cannot hold. */
#include "cli/verify_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(struct fl_verify_request *r, struct fl_slice key, const char *wanted)
{
	struct fl_text out;

	fl_text_init(&out, FL_VERIFY_REQUEST_MOST);
	assert_null(fl_verify_request_write(r, key, &out));
	assert_int_equal(out.n, strlen(wanted));
	assert_memory_equal(out.p, wanted, out.n);
	fl_text_fini(&out);
}

static void refuse(struct fl_verify_request *r, struct fl_slice key, const char *why)
{
	struct fl_text out;
	const char *told;

	fl_text_init(&out, FL_VERIFY_REQUEST_MOST);
	told = fl_verify_request_write(r, key, &out);
	assert_non_null(told);
	assert_non_null(strstr(told, why));
	fl_text_fini(&out);
}

static void test_urls(void **state)
{
	static const struct {
		const char *url, *host, *port, *authority, *line;
	} cases[] = {
		{"http://h/{key}", "h", "80", "h", "/k%2F%20%25"},
		{"HTTP://h:81?a={key}&b={key}", "h", "81", "h:81",
			"/?a=k%2F%20%25&b=k%2F%20%25"},
		{"http://[::1]:8080/x", "::1", "8080", "[::1]:8080", "/x"},
		{"http://127.0.0.1", "127.0.0.1", "80", "127.0.0.1", "/"},
	};
	char wanted[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fl_verify_request r = {.field_count = 0};

		assert_int_equal(fl_verify_request_url(&r, cases[i].url, NULL), FL_OK);
		assert_string_equal(r.host, cases[i].host);
		assert_string_equal(r.port, cases[i].port);
		snprintf(wanted, sizeof(wanted), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n",
			cases[i].line, cases[i].authority);
		expect(&r, FL_SLICE("k/ %"), wanted);
		assert_int_equal(
			fl_verify_request_has_key(&r), strstr(cases[i].url, "{key}") != NULL);
	}
}

static void test_wrong_urls(void **state)
{
	static const char *const wrong[] = {"", "h/{key}", "https://h/{key}", "http://",
		"http:///{key}", "http://h:0/", "http://h:65536/", "http://h:8o/", "http://h:/",
		"http://u@h/", "http://h/ ", "http://h/#a", "http://h{key}", "http://[::1/",
		"http://h/\x7f"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fl_verify_request r = {.field_count = 0};
		struct fl_error err = {0};

		if (fl_verify_request_url(&r, wrong[i], &err) != FL_EINVAL)
			fail_msg("\"%s\" is taken", wrong[i]);
		assert_true(err.text[0] != '\0');
	}
}

static void test_raw_targets(void **state)
{
	struct fl_verify_request r = {.field_count = 0};

	(void)state;
	assert_int_equal(fl_verify_request_url(&r, "http://h{raw}", NULL), FL_OK);
	assert_true(fl_verify_request_has_key(&r));
	expect(&r, FL_SLICE("/a?b=%20"), "GET /a?b=%20 HTTP/1.1\r\nHost: h\r\n\r\n");
	refuse(&r, FL_SLICE("a"), "slash");
	refuse(&r, FL_SLICE(""), "slash");
	refuse(&r, FL_SLICE("/a b"), "URL");
	refuse(&r, FL_SLICE("/\xc3\xa9"), "URL");
}

static void test_headers_and_cookies(void **state)
{
	struct fl_verify_request r = {.field_count = 0};

	(void)state;
	assert_int_equal(fl_verify_request_url(&r, "http://h/", NULL), FL_OK);
	assert_false(fl_verify_request_has_key(&r));
	assert_int_equal(fl_verify_request_header(&r, "X: <{key}>", NULL), FL_OK);
	assert_int_equal(fl_verify_request_header(&r, "host: {raw}", NULL), FL_OK);
	assert_int_equal(fl_verify_request_cookie(&r, "a=1", NULL), FL_OK);
	assert_int_equal(fl_verify_request_cookie(&r, "b={key}", NULL), FL_OK);
	assert_true(fl_verify_request_has_key(&r));
	expect(&r, FL_SLICE("\xff=%"),
		"GET / HTTP/1.1\r\nX: <\xff=%>\r\nhost: {raw}\r\nCookie: a=1; "
		"b=\xff=%\r\n\r\n");
	refuse(&r, FL_SLICE("a\r\nY: b"), "header");
	refuse(&r, FL_SLICE("a\0b"), "header");
	refuse(&r, FL_SLICE(" a"), "header");
	refuse(&r, FL_SLICE("a\t"), "header");
	refuse(&r, FL_SLICE("a;b"), "cookie");
}

static void test_bounds(void **state)
{
	struct fl_verify_request r = {.field_count = 0};
	size_t n = FL_VERIFY_REQUEST_MOST;
	char *key = malloc(n);

	(void)state;
	assert_non_null(key);
	memset(key, 'k', n);
	assert_int_equal(fl_verify_request_url(&r, "http://h/{key}", NULL), FL_OK);
	refuse(&r, (struct fl_slice){key, n}, "too long");
	for (int i = 0; i < FL_VERIFY_FIELDS; i++) {
		assert_int_equal(fl_verify_request_header(&r, "X: y", NULL), FL_OK);
		assert_int_equal(fl_verify_request_cookie(&r, "x=y", NULL), FL_OK);
	}
	assert_int_equal(fl_verify_request_header(&r, "X: y", NULL), FL_EINVAL);
	assert_int_equal(fl_verify_request_cookie(&r, "x=y", NULL), FL_EINVAL);
	free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_wrong_urls),
		cmocka_unit_test(test_raw_targets),
		cmocka_unit_test(test_headers_and_cookies),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
