/* Answers that name a node, cut at every place; and answers that do not. */
#include "cli/verify_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\n"

static struct fl_verify_finder in_header = {.header = "X-Node"};
static struct fl_verify_finder in_body = {.header = NULL};

/* Feeds all at once, then cut in two at every place; every verdict is the same. */
static void expect(
	const struct fl_verify_finder *f, const char *bytes, const char *node, bool keep)
{
	struct fl_verify_answer a;
	size_t n = strlen(bytes);

	fl_verify_answer_init(&a, f);
	for (size_t cut = 0; cut < n; cut++) {
		fl_verify_answer_start(&a);
		assert_int_equal(fl_verify_answer_feed(&a, bytes, cut), 0);
		assert_int_equal(fl_verify_answer_feed(&a, bytes + cut, n - cut), 1);
		assert_string_equal(a.node, node);
		assert_int_equal(a.keep_alive, keep);
	}
	fl_verify_answer_fini(&a);
}

static void expect_wrong(const struct fl_verify_finder *f, const char *bytes, const char *why)
{
	struct fl_verify_answer a;
	int rc;

	fl_verify_answer_init(&a, f);
	fl_verify_answer_start(&a);
	rc = fl_verify_answer_feed(&a, bytes, strlen(bytes));
	if (rc == 0)
		rc = fl_verify_answer_end(&a);
	assert_int_equal(rc, -1);
	if (!strstr(a.why, why))
		fail_msg("\"%s\" does not say \"%s\"", a.why, why);
	fl_verify_answer_fini(&a);
}

static void test_headers(void **state)
{
	(void)state;
	expect(&in_header, HEAD "x-node:  a b \r\nContent-Length: 3\r\n\r\nxyz", "a b", true);
	expect(&in_header,
		"HTTP/1.1 404 No\r\nX-Node: a\r\nX-Node: b\r\nContent-Length: 0\r\n\r\n", "a",
		true);
	expect(&in_header, "HTTP/1.1 204 No\r\nX-Node: a\r\n\r\n", "a", true);
	expect(&in_header, HEAD "Connection: close\r\nX-Node: a\r\nContent-Length: 1\r\n\r\nx",
		"a", false);
	expect(&in_header, "HTTP/1.0 200 OK\r\nX-Node: a\r\nContent-Length: 1\r\n\r\nx", "a",
		false);
	expect(&in_header,
		HEAD "X-Node: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"a", true);
	expect_wrong(&in_header, HEAD "Content-Length: 0\r\n\r\n", "without X-Node");
	expect_wrong(&in_header, HEAD "X-Node:\r\nContent-Length: 0\r\n\r\n", "is empty");
}

static void test_bodies(void **state)
{
	(void)state;
	expect(&in_body, HEAD "Content-Length: 6\r\n\r\n \r\na\n ", "a", true);
	expect(&in_body,
		HEAD
		"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;e=f\r\nbc\r\n0\r\nX: y\r\n\r\n",
		"abc", true);
	expect_wrong(&in_body, "HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\na", "status 500");
	expect_wrong(&in_body, HEAD "Content-Length: 0\r\n\r\n", "is empty");
	expect_wrong(&in_body, HEAD "Content-Length: 9\r\n\r\na", "was cut");
	expect_wrong(&in_body, HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "not HTTP");
	expect_wrong(&in_body, "HTTP/1.1 2", "was cut");
	expect_wrong(&in_body, "", "without an answer");
	expect_wrong(&in_body, "hello\r\n\r\n", "not HTTP");
	expect_wrong(&in_body, HEAD "Upgrade: x\r\nConnection: upgrade\r\n\r\n", "is empty");
	expect_wrong(
		&in_body, "HTTP/1.1 101 X\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "101");
}

static void test_interim_answers_are_passed_over(void **state)
{
	(void)state;
	expect(&in_header,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nX-Node: z\r\n\r\n" HEAD
		"X-Node: a\r\nContent-Length: 1\r\n\r\nb",
		"a", true);
	expect(&in_body, "HTTP/1.1 100 Continue\r\n\r\n" HEAD "Content-Length: 2\r\n\r\nab",
		"ab", true);
}

static void test_a_body_that_ends_with_the_connection(void **state)
{
	struct fl_verify_answer a;

	(void)state;
	fl_verify_answer_init(&a, &in_body);
	fl_verify_answer_start(&a);
	assert_int_equal(fl_verify_answer_feed(&a, HEAD "\r\nnode", strlen(HEAD) + 6), 0);
	assert_int_equal(fl_verify_answer_end(&a), 1);
	assert_string_equal(a.node, "node");
	assert_false(a.keep_alive);
	fl_verify_answer_fini(&a);
}

static void test_bytes_behind_an_answer_end_its_connection(void **state)
{
	static const char bytes[] = HEAD "X-Node: a\r\nContent-Length: 1\r\n\r\nbHTTP/1.1";
	struct fl_verify_answer a;

	(void)state;
	fl_verify_answer_init(&a, &in_header);
	for (size_t cut = 0; cut < sizeof(bytes) - 1 - 8; cut++) {
		fl_verify_answer_start(&a);
		assert_int_equal(fl_verify_answer_feed(&a, bytes, cut), 0);
		assert_int_equal(
			fl_verify_answer_feed(&a, bytes + cut, sizeof(bytes) - 1 - cut), 1);
		assert_false(a.keep_alive);
	}
	fl_verify_answer_fini(&a);
}

static void test_patterns(void **state)
{
	struct fl_verify_finder f = {.header = NULL};
	struct fl_error err = {0};

	(void)state;
	assert_int_equal(fl_verify_finder_pattern(&f, "by <([^>]+)>", &err), FL_OK);
	expect(&f, HEAD "Content-Length: 13\r\n\r\nby <b> by <c>", "b", true);
	expect_wrong(&f, HEAD "Content-Length: 2\r\n\r\nby", "does not match");
	f.header = "Via";
	expect(&f, HEAD "Via: 1.1 x by <q>\r\nContent-Length: 0\r\n\r\n", "q", true);
	fl_verify_finder_fini(&f);
	assert_int_equal(fl_verify_finder_pattern(&f, "abc", &err), FL_EINVAL);
	assert_non_null(strstr(err.text, "group"));
	fl_verify_finder_fini(&f);
	assert_int_equal(fl_verify_finder_pattern(&f, "(", &err), FL_EINVAL);
	fl_verify_finder_fini(&f);
	/* A group that took no part. */
	assert_int_equal(fl_verify_finder_pattern(&f, "a|(b)", &err), FL_OK);
	f.header = NULL;
	expect_wrong(&f, HEAD "Content-Length: 1\r\n\r\na", "does not match");
	fl_verify_finder_fini(&f);
}

/* A body of `size` bytes "x", and "<n>" at `at`, in pieces of `piece`. */
static int feed_large(struct fl_verify_answer *a, size_t size, size_t at, size_t piece)
{
	char head[64], *body = malloc(size);
	int n = snprintf(head, sizeof(head), HEAD "Content-Length: %zu\r\n\r\n", size);
	int rc;

	assert_non_null(body);
	memset(body, 'x', size);
	memcpy(body + at, "<n>", 3);
	fl_verify_answer_start(a);
	rc = fl_verify_answer_feed(a, head, (size_t)n);
	for (size_t i = 0; rc == 0 && i < size; i += piece)
		rc = fl_verify_answer_feed(a, body + i, size - i < piece ? size - i : piece);
	free(body);
	return rc;
}

static void test_large_answers_cost_bounded_memory(void **state)
{
	struct fl_verify_finder f = {.header = NULL};
	struct fl_verify_answer a;
	char *head = malloc(FL_VERIFY_HEAD_MOST + 4096);

	(void)state;
	assert_non_null(head);
	assert_int_equal(fl_verify_finder_pattern(&f, "<(.)>", NULL), FL_OK);
	fl_verify_answer_init(&a, &f);
	assert_int_equal(feed_large(&a, 4 << 20, FL_VERIFY_BODY_KEPT - 3, 100000), 1);
	assert_string_equal(a.node, "n");
	assert_int_equal(feed_large(&a, 4 << 20, FL_VERIFY_BODY_KEPT - 2, 100000), -1);
	assert_true(a.bytes.cap <= a.bytes.max);
	fl_verify_answer_fini(&a);
	fl_verify_finder_fini(&f);
	fl_verify_answer_init(&a, &in_body);
	assert_int_equal(feed_large(&a, FL_VERIFY_BODY_KEPT + 1, 0, 777), -1);
	assert_non_null(strstr(a.why, "longer"));
	memset(head, 'h', FL_VERIFY_HEAD_MOST + 4096);
	memcpy(head, HEAD "X: ", strlen(HEAD) + 3);
	fl_verify_answer_start(&a);
	assert_int_equal(fl_verify_answer_feed(&a, head, FL_VERIFY_HEAD_MOST + 4096), -1);
	fl_verify_answer_fini(&a);
	free(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_interim_answers_are_passed_over),
		cmocka_unit_test(test_a_body_that_ends_with_the_connection),
		cmocka_unit_test(test_bytes_behind_an_answer_end_its_connection),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_large_answers_cost_bounded_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
