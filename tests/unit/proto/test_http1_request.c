/* What an accepted request head says: the fields of struct fl_http1_head one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/http1.h"

#include <stdio.h>
#include <stdlib.h>

static const struct fl_http1_limits limits = {200, 600, 6};
static struct fl_http1_head head;
static struct fl_http1_error err;

/* Parses from a block of exactly that size; the slices of `head` live until the next call. */
static int parse(const char *text)
{
	static char *copy;
	size_t n = strlen(text), scanned = 0;
	free(copy);
	copy = malloc(n);
	assert_non_null(copy);
	memcpy(copy, text, n);
	err = (struct fl_http1_error){0, NULL};
	long end = fl_http1_head_end(copy, n, &scanned, &limits, &err);
	if (end < 0)
		return err.status;
	assert_int_equal(end, n);
	int rc = fl_http1_request(copy, n, &limits, &head, &err);
	assert_true((rc < 0) == (err.status != 0) && (rc < 0) == (err.why != NULL));
	return err.status;
}

#define assert_slice(slice, text) assert_true(fl_slice_eq(slice, fl_slice_of(text)))

static void test_line(void **state)
{
	(void)state;
	assert_int_equal(parse("PATCH /a/b?c=d?e HTTP/1.1\r\nHost: h:81\r\n\r\n"), 0);
	assert_int_equal(head.method, FL_METHOD_PATCH);
	assert_slice(head.method_text, "PATCH");
	assert_slice(head.target, "/a/b?c=d?e");
	assert_slice(head.path, "/a/b");
	assert_slice(head.query, "c=d?e");
	assert_slice(head.host, "h");
	assert_slice(head.authority, "h:81");
	assert_int_equal(head.minor, 1);
	assert_int_equal(head.framing, FL_BODY_NONE);
	assert_true(head.keep_alive);
	assert_false(head.upgrade || head.expect_continue);
	assert_int_equal(head.header_count, 1);
}

static void test_methods(void **state)
{
	static const struct {
		const char *text;
		enum fl_http1_method method;
		bool idempotent;
	} rows[] = {
		{"GET / HTTP/1.0\r\n\r\n", FL_METHOD_GET, true},
		{"HEAD / HTTP/1.0\r\n\r\n", FL_METHOD_HEAD, true},
		{"POST / HTTP/1.0\r\n\r\n", FL_METHOD_POST, false},
		{"PUT / HTTP/1.0\r\n\r\n", FL_METHOD_PUT, true},
		{"DELETE / HTTP/1.0\r\n\r\n", FL_METHOD_DELETE, true},
		{"OPTIONS / HTTP/1.0\r\n\r\n", FL_METHOD_OPTIONS, true},
		{"TRACE / HTTP/1.0\r\n\r\n", FL_METHOD_TRACE, true},
		{"PATCH / HTTP/1.0\r\n\r\n", FL_METHOD_PATCH, false},
		{"get / HTTP/1.0\r\n\r\n", FL_METHOD_OTHER, false},
		{"GETS / HTTP/1.0\r\n\r\n", FL_METHOD_OTHER, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text), 0);
		assert_int_equal(head.method, rows[i].method);
		assert_int_equal(fl_http1_idempotent(head.method), rows[i].idempotent);
	}
}

static void test_targets(void **state)
{
	static const struct {
		const char *text, *path, *query, *host, *authority;
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "/", NULL, "h", "h"},
		{"GET /? HTTP/1.1\r\nHost: h\r\n\r\n", "/", "", "h", "h"},
		{"GET //x HTTP/1.1\r\nHost: h\r\n\r\n", "//x", NULL, "h", "h"},
		{"GET http://g:8/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "/x", "y", "g", "g:8"},
		{"GET HtTpS://g HTTP/1.1\r\nHost: h\r\n\r\n", "/", NULL, "g", "g"},
		{"GET http://g?y HTTP/1.1\r\nHost: h\r\n\r\n", "/", "y", "g", "g"},
		{"OPTIONS http://g HTTP/1.1\r\nHost: h\r\n\r\n", "*", NULL, "g", "g"},
		{"OPTIONS http://g? HTTP/1.1\r\nHost: h\r\n\r\n", "/", "", "g", "g"},
		{"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "*", NULL, "h", "h"},
		{"GET / HTTP/1.1\r\nHost: [::1]:8\r\n\r\n", "/", NULL, "[::1]", "[::1]:8"},
		{"GET / HTTP/1.0\r\n\r\n", "/", NULL, "", ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text), 0);
		assert_slice(head.path, rows[i].path);
		assert_int_equal(head.query.p != NULL, rows[i].query != NULL);
		assert_slice(head.query, rows[i].query ? rows[i].query : "");
		assert_slice(head.host, rows[i].host);
		assert_slice(head.authority, rows[i].authority);
	}
}

#define POST "POST / HTTP/1.1\r\nHost: h\r\n"

static void test_framing(void **state)
{
	(void)state;
	assert_int_equal(parse(POST "Content-Length: 9223372036854775807\r\n\r\n"), 0);
	assert_int_equal(head.framing, FL_BODY_LENGTH);
	assert_true(head.length == INT64_MAX);
	assert_int_equal(parse(POST "Content-Length: 0\r\n\r\n"), 0);
	assert_int_equal(head.framing, FL_BODY_LENGTH);
	assert_true(head.length == 0);
	assert_int_equal(parse(POST "Transfer-Encoding: Chunked\r\n\r\n"), 0);
	assert_int_equal(head.framing, FL_BODY_CHUNKED);
	assert_int_equal(parse(POST "\r\n"), 0);
	assert_int_equal(head.framing, FL_BODY_NONE);
}

static void test_persistence(void **state)
{
	static const struct {
		const char *text;
		bool keep;
	} rows[] = {
		{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n", false},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", false},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: close\r\n\r\n",
			false},
		{"GET / HTTP/1.1\r\nHost: h\r\nProxy-Connection: close\r\n\r\n", true},
		{"GET / HTTP/1.0\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
		{"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
		{"GET / HTTP/1.0\r\nKeep-Alive: 5\r\n\r\n", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text), 0);
		assert_int_equal(head.keep_alive, rows[i].keep);
	}
}

static void test_expect_and_upgrade(void **state)
{
	(void)state;
	assert_int_equal(parse(POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n"), 0);
	assert_true(head.expect_continue);
	assert_int_equal(parse(POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n"), 0);
	assert_false(head.expect_continue);
	assert_int_equal(
		parse("PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"),
		0);
	assert_false(head.expect_continue);
	assert_int_equal(parse(POST "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"), 0);
	assert_true(head.upgrade);
	assert_int_equal(parse(POST "Upgrade: websocket\r\n\r\n"), 0);
	assert_false(head.upgrade);
	assert_int_equal(parse(POST "Upgrade:\r\nConnection: upgrade\r\n\r\n"), 0);
	assert_false(head.upgrade);
	assert_int_equal(
		parse("GET / HTTP/1.0\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), 0);
	assert_false(head.upgrade);
}

static void test_header_ids(void **state)
{
	static const struct {
		const char *line;
		enum fl_http1_header_id id;
		bool hop;
	} rows[] = {
		{"cOnNeCtIoN: x", FL_HDR_CONNECTION, true},
		{"Te: trailers", FL_HDR_TE, true},
		{"Trailer: x", FL_HDR_TRAILER, true},
		{"UPGRADE: x", FL_HDR_UPGRADE, true},
		{"Keep-Alive: 5", FL_HDR_KEEP_ALIVE, true},
		{"Proxy-Connection: x", FL_HDR_PROXY_CONNECTION, true},
		{"Transfer-Encoding: chunked", FL_HDR_TRANSFER_ENCODING, true},
		{"Content-Length: 5", FL_HDR_CONTENT_LENGTH, false},
		{"Expect: 100-continue", FL_HDR_EXPECT, false},
		{"Cookie: a=b", FL_HDR_COOKIE, false},
		{"X-Forwarded-For: 1", FL_HDR_FORWARDED_FOR, false},
		{"X-Forwarded-Proto: 1", FL_HDR_FORWARDED_PROTO, false},
		{"Idempotency-Key: 1", FL_HDR_IDEMPOTENCY_KEY, false},
		{"Date: 1", FL_HDR_DATE, false},
		{"Server: 1", FL_HDR_SERVER, false},
		{"Via: 1", FL_HDR_VIA, false},
		{"Hast: 1", FL_HDR_OTHER, false},
		{"Connectiom: 1", FL_HDR_OTHER, false},
		{"X_Forwarded-For: 1", FL_HDR_OTHER, true},
		{"keep_alive: 1", FL_HDR_OTHER, true},
		{"H: 1", FL_HDR_OTHER, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), "PUT / HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n",
			rows[i].line);
		assert_int_equal(parse(text), 0);
		assert_int_equal(head.headers[1].id, rows[i].id);
		assert_int_equal(head.headers[1].hop, rows[i].hop);
	}
	assert_int_equal(head.headers[0].id, FL_HDR_HOST);
	assert_false(head.headers[0].hop);
}

static void test_named_by_connection(void **state)
{
	(void)state;
	assert_int_equal(parse("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-B: 2\r\n"
			       "Connection: x-b, ,x-c\r\nX-C:\t3 \r\nX-BB: 4\r\n\r\n"),
		0);
	assert_int_equal(head.header_count, 6);
	assert_false(head.headers[1].hop);
	assert_true(head.headers[2].hop);
	assert_true(head.headers[4].hop);
	assert_slice(head.headers[4].value, "3");
	assert_false(head.headers[5].hop);
}

/* One byte below each limit passes, one above does not. */
static void test_limits(void **state)
{
	char text[1024], *at;
	(void)state;
	for (int extra = 0; extra < 2; extra++) {
		at = text;
		at += sprintf(at, "GET /");
		memset(at, 'a', 186 + (size_t)extra);
		at += 186 + extra;
		(void)sprintf(at, " HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_int_equal(parse(text), extra ? 414 : 0);

		at = text;
		at += sprintf(at, "GET / HTTP/1.1\r\nHost: h\r\nX:");
		size_t fill = 600 - (size_t)(at - text) - 4 + (size_t)extra;
		memset(at, 'a', fill);
		(void)sprintf(at + fill, "\r\n\r\n");
		assert_int_equal(strlen(text), 600 + extra);
		assert_int_equal(parse(text), extra ? 431 : 0);

		(void)sprintf(text,
			"GET / HTTP/1.1\r\nHost: h\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\n%s\r\n",
			extra ? "F:\r\n" : "");
		assert_int_equal(parse(text), extra ? 431 : 0);
	}
}

static bool is_token(int byte)
{
	return byte > 0x20 && byte < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", byte);
}

/* TLS or a stray byte on a plain port is refused by its first byte, before any line ends. */
static void test_first_byte(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool token = is_token(byte);
		for (size_t skip = 0; skip <= 2; skip += 2) {
			char text[3] = {'\r', '\n', 0};
			size_t scanned = 0;
			text[skip] = (char)byte;
			bool waits = token || (byte == '\r' && skip == 0);
			assert_int_equal(
				fl_http1_head_end(text, skip + 1, &scanned, &limits, &err),
				waits ? 0 : -1);
		}
	}
}

/* Every byte in every place of a target and of a name longer than what is looked at in one step. */
static void test_every_byte_everywhere(void **state)
{
	char text[160];
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		for (size_t at = 1; at < 40; at++) {
			(void)snprintf(text, sizeof(text),
				"GET /%040d HTTP/1.1\r\nHost: h\r\n\r\n", 0);
			text[4 + at] = (char)byte;
			bool good = byte > 0x20 && byte < 0x7f && byte != '#';
			assert_int_equal(parse(text), good ? 0 : 400);
			(void)snprintf(text, sizeof(text),
				"GET / HTTP/1.1\r\nHost: h\r\nA%040d: v\r\n\r\n", 0);
			memset(text + 26, 'b', 40);
			text[25 + at] = (char)byte;
			good = is_token(byte) || byte == ':';
			assert_int_equal(parse(text), good ? 0 : 400);
			if (good)
				assert_int_equal(head.headers[1].name.n, byte == ':' ? at : 41);
		}
	}
}

/* The parser alone, without the search in front of it, holds its ground. */
static void test_parser_alone(void **state)
{
	static const char *const texts[] = {
		"",
		"\r\n",
		"\r\n\r\n",
		"GET / HTTP/1.1",
		"GET / HTTP/1.1\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n\r",
		"GET / HTTP/1.1\r\nHost: h\r\n\r\nX",
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\n\r\n\r\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]);
		char *copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, texts[i], n);
		assert_int_equal(fl_http1_request(copy + 0, n, &limits, &head, &err), -1);
		assert_int_equal(err.status, 400);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_every_byte_everywhere),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_persistence),
		cmocka_unit_test(test_expect_and_upgrade),
		cmocka_unit_test(test_header_ids),
		cmocka_unit_test(test_named_by_connection),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_first_byte),
		cmocka_unit_test(test_parser_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
