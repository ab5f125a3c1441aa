/* Keys: every source by table; what several requests must share and what they must not. */
#include "key/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct fl_http1_limits limits = {.line = 8192, .head = 32768, .headers = 100};

static void parse_request(struct fl_http1_head *head, const char *text)
{
	struct fl_http1_error err;

	if (fl_http1_request(text, strlen(text), &limits, head, &err))
		fail_msg("\"%s\": %s", text, err.why);
}

#define SOURCE(k, n)                                                                           \
	{                                                                                      \
		.kind = (k), .name = (n), .v4 = 32, .v6 = 64, .label = "x"                     \
	}

static struct fl_addr address(const char *text)
{
	struct fl_addr addr;
	assert_int_equal(fl_addr_parse(&addr, text, NULL), FL_OK);
	return addr;
}

/* The key of a request as text; "-" for none. */
static const char *key_of(const struct fl_key_source *items, size_t count, const char *request,
	const char *client, struct fl_text *out)
{
	static struct fl_http1_head head;
	struct fl_addr addr = address(client);
	struct fl_key_request r = {&head, &addr};
	struct fl_key_sources sources = {(struct fl_key_source *)items, count};

	parse_request(&head, request);
	fl_text_clear(out);
	FL_TEXT_LITERAL(out, "before");
	const struct fl_key_source *by = fl_key_make(&sources, &r, out);
	assert_false(out->failed);
	assert_memory_equal(out->p, "before", 6);
	if (!by) {
		assert_int_equal(out->n, 6);
		return "-";
	}
	assert_true(by >= items && by < items + count);
	fl_text_add(out, "", 1);
	return out->p + 6;
}

static void test_sources(void **state)
{
	static const struct {
		struct fl_key_source source;
		const char *request;
		const char *key;
	} table[] = {
		{SOURCE(FL_KEY_HEADER, "x-user"), "X-User: Ann\r\n", "Ann"},
		{SOURCE(FL_KEY_HEADER, "x-user"), "X-USER:   two words \r\n", "two words"},
		{SOURCE(FL_KEY_HEADER, "x-user"), "X-User: 1\r\nX-User: 2\r\n", "1"},
		{SOURCE(FL_KEY_HEADER, "x-user"), "X-User:\r\nX-User: 2\r\n", "-"},
		{SOURCE(FL_KEY_HEADER, "x-user"), "X-Users: 1\r\n", "-"},
		{SOURCE(FL_KEY_HEADER, "x-user"), "", "-"},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: id=7\r\n", "7"},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: a=1; id=7; b=2\r\n", "7"},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: a=id=9;id=7\r\n", "7"},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: a=1\r\nCookie: id=8; id=9\r\n", "8"},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: id=a=b\r\n", "a=b"},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: id=\"q\"\r\n", "\"q\""},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: ID=7; xid=8; idx=9; id\r\n", "-"},
		{SOURCE(FL_KEY_COOKIE, "id"), "Cookie: id=; id=7\r\n", "-"},
		{SOURCE(FL_KEY_COOKIE, "id"), "X-Cookie: id=7\r\n", "-"},
		{SOURCE(FL_KEY_QUERY, "q"), "", "A%20b"},
		{SOURCE(FL_KEY_QUERY, "r"), "", "-"},
		{SOURCE(FL_KEY_QUERY, "s"), "", "last"},
		{SOURCE(FL_KEY_QUERY, "t"), "", "-"},
		{SOURCE(FL_KEY_QUERY, "u"), "", "-"},
		{SOURCE(FL_KEY_PATH, NULL), "", "/P%61th/x"},
		{SOURCE(FL_KEY_URI, NULL), "", "/P%61th/x?q=A%20b&r=&q=2&t&s=last"},
		{SOURCE(FL_KEY_HOST, NULL), "", "ex.example"},
		{SOURCE(FL_KEY_CLIENT_IP, NULL), "", "192.0.2.77"},
		{{.kind = FL_KEY_CLIENT_IP, .v4 = 24, .v6 = 64}, "", "192.0.2.0"},
	};
	struct fl_text out;
	char request[512];
	(void)state;
	fl_text_init(&out, 4096);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(request, sizeof(request),
			"GET /P%%61th/x?q=A%%20b&r=&q=2&t&s=last HTTP/1.1\r\n"
			"Host: Ex.EXAMPLE:8080\r\n%s\r\n",
			table[i].request);
		const char *key = key_of(&table[i].source, 1, request, "192.0.2.77:999", &out);
		if (strcmp(key, table[i].key) != 0)
			fail_msg("row %zu: \"%s\" instead of \"%s\"", i, key, table[i].key);
	}
	fl_text_fini(&out);
}

static void test_client_ip(void **state)
{
	static const struct {
		const char *client;
		unsigned v4, v6;
		const char *key;
	} table[] = {
		{"10.1.2.3:5", 32, 64, "10.1.2.3"},
		{"10.1.2.3:6", 32, 64, "10.1.2.3"},
		{"10.1.2.3:5", 20, 64, "10.1.0.0"},
		{"[::ffff:10.1.2.3]:5", 32, 64, "10.1.2.3"},
		{"[2001:DB8:0:0:1:2:3:4]:5", 32, 64, "2001:db8::"},
		{"[2001:db8::1:2:3:4]:5", 32, 128, "2001:db8::1:2:3:4"},
		{"unix:/x", 32, 64, "-"},
	};
	struct fl_text out;
	(void)state;
	fl_text_init(&out, 4096);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct fl_key_source source = {
			.kind = FL_KEY_CLIENT_IP, .v4 = table[i].v4, .v6 = table[i].v6};
		assert_string_equal(key_of(&source, 1, "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
					    table[i].client, &out),
			table[i].key);
	}
	fl_text_fini(&out);
}

/* The first that gives a value; what a source had begun to write is taken back. */
static void test_fallback(void **state)
{
	struct fl_key_source parts[] = {SOURCE(FL_KEY_PATH, NULL), SOURCE(FL_KEY_COOKIE, "id")};
	struct fl_key_source items[] = {
		{.kind = FL_KEY_ALL, .parts = parts, .part_count = 2},
		SOURCE(FL_KEY_HEADER, "x"),
		SOURCE(FL_KEY_CLIENT_IP, NULL),
	};
	struct fl_text out;
	(void)state;
	fl_text_init(&out, 4096);
	assert_string_equal(key_of(items, 3, "GET / HTTP/1.1\r\nHost: h\r\nX: 1\r\n\r\n",
				    "1.2.3.4:5", &out),
		"1");
	assert_string_equal(
		key_of(items, 3, "GET / HTTP/1.1\r\nHost: h\r\nX:\r\n\r\n", "1.2.3.4:5", &out),
		"1.2.3.4");
	assert_string_equal(
		key_of(items, 2, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "1.2.3.4:5", &out), "-");
	(void)key_of(items, 3, "GET /p HTTP/1.1\r\nHost: h\r\nX: 1\r\nCookie: id=ab\r\n\r\n",
		"1.2.3.4:5", &out);
	assert_memory_equal(out.p + 6, "\2\0\0\0/p\2\0\0\0ab", 12);
	/* HTTP/1.0 may come without a host. */
	struct fl_key_source host = SOURCE(FL_KEY_HOST, NULL);
	assert_string_equal(key_of(&host, 1, "GET / HTTP/1.0\r\n\r\n", "1.2.3.4:5", &out), "-");
	fl_text_fini(&out);
}

/* Two requests have the same key of three parts only if the parts are the same. */
static void test_all_is_unambiguous(void **state)
{
	static const char *const values[] = {"a", "aa", "a=a", "1", "11", "a1", "1a", "aaa"};
	struct fl_key_source parts[] = {SOURCE(FL_KEY_HEADER, "x"), SOURCE(FL_KEY_HEADER, "y"),
		SOURCE(FL_KEY_HEADER, "z")};
	struct fl_key_source all = {.kind = FL_KEY_ALL, .parts = parts, .part_count = 3};
	static char keys[512][64];
	size_t lengths[512], count = 0;
	struct fl_text out;
	(void)state;
	fl_text_init(&out, 4096);
	for (int i = 0; i < 512; i++) {
		char request[256];
		snprintf(request, sizeof(request),
			"GET / HTTP/1.1\r\nHost: h\r\nX: %s\r\nY: %s\r\nZ: %s\r\n\r\n",
			values[i & 7], values[i >> 3 & 7], values[i >> 6]);
		(void)key_of(&all, 1, request, "1.2.3.4:5", &out);
		lengths[count] = out.n - 7;
		memcpy(keys[count], out.p + 6, lengths[count]);
		for (size_t j = 0; j < count; j++)
			if (lengths[j] == lengths[count] &&
				memcmp(keys[j], keys[count], lengths[j]) == 0)
				fail_msg("%zu and %zu have one key", j, count);
		count++;
	}
	fl_text_fini(&out);
}

/* A text that is too small says so, and gives no key that is cut short. */
static void test_too_small(void **state)
{
	static struct fl_http1_head head;
	struct fl_key_source source = SOURCE(FL_KEY_HEADER, "x");
	struct fl_key_sources sources = {&source, 1};
	struct fl_addr addr = address("1.2.3.4:5");
	struct fl_key_request r = {&head, &addr};
	struct fl_text out;
	(void)state;
	fl_text_init(&out, 4);
	parse_request(&head, "GET / HTTP/1.1\r\nHost: h\r\nX: 12345\r\n\r\n");
	assert_null(fl_key_make(&sources, &r, &out));
	assert_true(out.failed);
	assert_int_equal(out.n, 0);
	fl_text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_client_ip),
		cmocka_unit_test(test_fallback),
		cmocka_unit_test(test_all_is_unambiguous),
		cmocka_unit_test(test_too_small),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
