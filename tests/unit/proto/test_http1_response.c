/* Responses: status lines, framing by status and method, and what is refused as 502. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/http1.h"

#include <stdio.h>

static const struct fl_http1_limits limits = {200, 600, 6};
static struct fl_http1_head head;

/* The quick way takes what the long way takes, whatever follows. */
static void front_agrees(const char *text, enum fl_http1_method method, bool taken)
{
	static struct fl_http1_head front;
	char more[1024];
	size_t n = strlen(text);
	(void)snprintf(more, sizeof(more), "%sHTTP/1.1 body", text);
	assert_int_equal(
		fl_http1_response_front(more, n + 13, method, &limits, &front), taken ? n : 0);
	assert_int_equal(
		fl_http1_response_front(text, n, method, &limits, &front), taken ? n : 0);
	if (!taken)
		return;
	assert_int_equal(front.status, head.status);
	assert_int_equal(front.framing, head.framing);
	assert_int_equal(front.length, head.length);
	assert_int_equal(front.header_count, head.header_count);
	assert_int_equal(fl_http1_response_front(text, n - 1, method, &limits, &front), 0);
}

static int parse(const char *text, enum fl_http1_method method)
{
	struct fl_http1_error err = {0, NULL};
	size_t n = strlen(text), scanned = 0;
	long end = fl_http1_head_end(text, n, &scanned, &limits, &err);
	if (end < 0)
		return 502;
	assert_int_equal(end, n);
	int rc = fl_http1_response(text, n, method, &limits, &head, &err);
	assert_true((rc < 0) == (err.why != NULL));
	front_agrees(text, method, rc == 0);
	return err.status;
}

#define OK "HTTP/1.1 200 OK\r\n"

static void test_framing(void **state)
{
	static const struct {
		const char *text;
		enum fl_http1_method method;
		enum fl_http1_framing framing;
		unsigned length;
		bool keep;
	} rows[] = {
		{OK "\r\n", FL_METHOD_GET, FL_BODY_CLOSE, 0, false},
		{OK "Connection: keep-alive\r\n\r\n", FL_METHOD_GET, FL_BODY_CLOSE, 0, false},
		{OK "Content-Length: 5\r\n\r\n", FL_METHOD_GET, FL_BODY_LENGTH, 5, true},
		{OK "Content-Length: 5\r\nConnection: close\r\n\r\n", FL_METHOD_GET,
			FL_BODY_LENGTH, 5, false},
		{OK "Content-Length: 0\r\n\r\n", FL_METHOD_GET, FL_BODY_LENGTH, 0, true},
		{OK "Transfer-Encoding: chunked\r\n\r\n", FL_METHOD_GET, FL_BODY_CHUNKED, 0,
			true},
		{OK "Content-Length: 5\r\n\r\n", FL_METHOD_HEAD, FL_BODY_NONE, 0, true},
		{OK "Transfer-Encoding: chunked\r\n\r\n", FL_METHOD_HEAD, FL_BODY_NONE, 0,
			true},
		{OK "\r\n", FL_METHOD_HEAD, FL_BODY_NONE, 0, true},
		{"HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n", FL_METHOD_GET, FL_BODY_NONE, 0,
			true},
		{"HTTP/1.1 204 x\r\n\r\n", FL_METHOD_GET, FL_BODY_NONE, 0, true},
		{"HTTP/1.1 100 Continue\r\n\r\n", FL_METHOD_GET, FL_BODY_NONE, 0, true},
		{"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", FL_METHOD_GET, FL_BODY_NONE, 0,
			true},
		{"HTTP/1.0 200 OK\r\n\r\n", FL_METHOD_GET, FL_BODY_CLOSE, 0, false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", FL_METHOD_GET, FL_BODY_LENGTH,
			5, false},
		{"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
			FL_METHOD_GET, FL_BODY_LENGTH, 5, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text, rows[i].method), 0);
		assert_int_equal(head.framing, rows[i].framing);
		assert_true(head.length == rows[i].length);
		assert_int_equal(head.keep_alive, rows[i].keep);
		assert_false(head.upgrade);
	}
}

static void test_status_line(void **state)
{
	static const struct {
		const char *text, *reason;
		int status;
	} rows[] = {
		{"HTTP/1.1 200 OK\r\n\r\n", "OK", 200},
		{"HTTP/1.1 200 \r\n\r\n", "", 200},
		{"HTTP/1.1 200\r\n\r\n", "", 200},
		{"HTTP/1.1 404 Not  Found\t\xe4\r\n\r\n", "Not  Found\t\xe4", 404},
		{"HTTP/1.0 999 x\r\n\r\n", "x", 999},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i].text, FL_METHOD_GET), 0);
		assert_int_equal(head.status, rows[i].status);
		assert_true(fl_slice_eq(head.reason, fl_slice_of(rows[i].reason)));
	}
}

static void test_upgrade(void **state)
{
	(void)state;
	assert_int_equal(parse("HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n",
				 FL_METHOD_GET),
		0);
	assert_true(head.upgrade);
	assert_int_equal(head.framing, FL_BODY_NONE);
	assert_int_equal(
		parse(OK "Connection: upgrade\r\nUpgrade: w\r\nContent-Length: 0\r\n\r\n",
			FL_METHOD_GET),
		0);
	assert_false(head.upgrade);
}

/* "Content-Length: 0" with a 204 is common: accepted, and kept from the client. */
static void test_empty_204(void **state)
{
	(void)state;
	assert_int_equal(
		parse("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n", FL_METHOD_GET), 0);
	assert_true(head.headers[0].hop);
	assert_int_equal(
		parse("HTTP/1.1 304 x\r\nContent-Length: 0\r\n\r\n", FL_METHOD_GET), 0);
	assert_false(head.headers[0].hop);
}

static void test_refused(void **state)
{
	static const char *const texts[] = {
		"\r\n" OK "\r\n",
		"HTTP/1.2 200 OK\r\n\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"http/1.1 200 OK\r\n\r\n",
		"HTTP/1.1  200 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 2000 OK\r\n\r\n",
		"HTTP/1.1 099 OK\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\n\r\n",
		"HTTP/1.1 200\tOK\r\n\r\n",
		"HTTP/1.1 200 O\x01K\r\n\r\n",
		"HTTP/1.1 200 OK\n\r\n",
		"ICY 200 OK\r\n\r\n",
		OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
		OK "Content-Length: 5, 5\r\n\r\n",
		OK "Content-Length: -1\r\n\r\n",
		OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		OK "Transfer-Encoding: gzip\r\n\r\n",
		OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
		OK "Transfer-Encoding: chunked, chunked\r\n\r\n",
		"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		OK "X : y\r\n\r\n",
		OK "X: y\r\n z\r\n\r\n",
		OK "X: \x7f\r\n\r\n",
		OK "A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:\r\n\r\n",
		OK "Connection: Content-Length\r\n\r\n",
		"HTTP/1.1 204 x\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 100 x\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 101 x\r\n\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: w\r\n\r\n",
		"HTTP/1.0 101 x\r\nConnection: upgrade\r\nUpgrade: w\r\n\r\n",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (parse(texts[i], FL_METHOD_GET) != 502)
			fail_msg("accepted: %s", texts[i]);
	/* also where the body would not be read: the next one on the connection would be */
	assert_int_equal(parse(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
				 FL_METHOD_HEAD),
		502);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_status_line),
		cmocka_unit_test(test_upgrade),
		cmocka_unit_test(test_empty_204),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
