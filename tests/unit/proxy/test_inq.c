/* The input queue: however bytes are cut into buffers, the same heads and bodies come out, and
 * every buffer is given back. */
#include "bytes.h"

/* Cuts `text` at random, keeps the queue full as the proxy would, and takes head, then a body of
 * `body` bytes, then the next head. */
static void walk(
	struct source *s, const char *text, const char *head1, size_t body, const char *head2)
{
	struct fl_inq q;
	struct fl_slice head;
	struct fl_http1_error err;
	size_t at = 0, n = strlen(text), got = 0;
	int stage = 0;

	fl_inq_init(&q);
	while (stage < 3) {
		if (q.count < 3 && at < n && (fl_inq_empty(&q) || number(2))) {
			size_t run = 1 + number(number(4) ? 5 : 90);
			run = run < n - at ? run : n - at;
			feed(s, &q, text + at, run);
			at += run;
			assert_true(fl_inq_begun(&q));
		}
		if (stage == 1) {
			struct fl_slice front = fl_inq_front(&q);
			size_t run = front.n < body - got ? front.n : body - got;
			assert_memory_equal(front.p, text + strlen(head1) + got, run);
			fl_inq_consume(&q, run);
			got += run;
			stage += got == body;
			continue;
		}
		long end = fl_inq_head(&q, &limits, &head, &err);
		assert_true(end >= 0);
		if (!end) {
			/* All that is there was taken in: there is room for more. */
			assert_true(fl_inq_empty(&q));
			assert_true(at < n);
			continue;
		}
		const char *want = stage ? head2 : head1;
		assert_int_equal(end, strlen(want));
		assert_int_equal(head.n, strlen(want));
		assert_memory_equal(head.p, want, head.n);
		fl_inq_head_done(&q);
		stage++;
	}
	assert_int_equal(at, n);
	assert_false(fl_inq_begun(&q));
	fl_inq_fini(&q);
}

#define HEAD1 "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n"
#define HEAD2 "\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"

static void test_any_cut(void **state)
{
	struct source s;
	(void)state;
	source_open(&s);
	for (uint64_t i = 0; i < 2000; i++) {
		seed(i);
		walk(&s, HEAD1 "hello\r\n\r\nyou" HEAD2, HEAD1, 12, HEAD2);
	}
	source_close(&s);
}

/* What stands behind a head in the same buffer stays in place, not copied. */
static void test_in_place(void **state)
{
	struct source s;
	struct fl_inq q;
	struct fl_slice head;
	struct fl_http1_error err;
	(void)state;
	source_open(&s);
	fl_inq_init(&q);
	feed(&s, &q, HEAD1 "body", strlen(HEAD1) + 4);
	assert_int_equal(fl_inq_head(&q, &limits, &head, &err), strlen(HEAD1));
	assert_ptr_equal(head.p, q.buf[0]->data);
	fl_inq_head_done(&q);
	assert_int_equal(fl_inq_front(&q).n, 4);
	fl_inq_fini(&q);
	assert_true(fl_inq_empty(&q));
	source_close(&s);
}

/* A refusal comes at the same byte, whole or in pieces; the queue is then only emptied. */
static void test_refused(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: h\r\nX: a\nb\r\n\r\n";
	struct source s;
	(void)state;
	source_open(&s);
	for (size_t cut = 1; cut < sizeof(text) - 1; cut++) {
		struct fl_inq q;
		struct fl_slice head;
		struct fl_http1_error err = {0, NULL};
		fl_inq_init(&q);
		feed(&s, &q, text, cut);
		long end = fl_inq_head(&q, &limits, &head, &err);
		if (end == 0) {
			feed(&s, &q, text + cut, sizeof(text) - 1 - cut);
			end = fl_inq_head(&q, &limits, &head, &err);
		}
		assert_true(end < 0);
		assert_int_equal(err.status, 400);
		fl_inq_fini(&q);
	}
	source_close(&s);
}

/* A head in very many pieces takes a bounded amount of memory, and is refused at its limit. */
static void test_too_large(void **state)
{
	struct source s;
	struct fl_inq q;
	struct fl_slice head;
	struct fl_http1_error err;
	char line[1000];
	long end = 0;
	size_t fed = 0;
	(void)state;
	memset(line, 'x', sizeof(line));
	line[0] = '\r';
	line[1] = '\n';
	line[3] = ':';
	source_open(&s);
	fl_inq_init(&q);
	feed(&s, &q, "GET / HTTP/1.1", 14);
	while (end == 0) {
		end = fl_inq_head(&q, &limits, &head, &err);
		if (end == 0)
			feed(&s, &q, line, sizeof(line));
		fed += sizeof(line);
		assert_true(fed < limits.head + 4 * sizeof(line));
	}
	assert_true(end < 0);
	assert_int_equal(err.status, 431);
	fl_inq_fini(&q);
	source_close(&s);
}

/* Of a large buffer no more is looked at than a head may have; what follows stays in place. */
static void test_large_buffers(void **state)
{
	static const size_t large = 150 << 10;
	struct fl_http1_limits lower = {.line = 100, .head = 100, .headers = 10};
	struct source s;
	struct fl_inq q;
	struct fl_slice head;
	struct fl_http1_error err;
	static const char rest[8] = "t: h\r\n\r\n";
	char *text = malloc(large);
	(void)state;
	memset(text, 'x', large);
	memcpy(text, rest, sizeof(rest));
	source_open(&s);
	fl_inq_init(&q);
	feed(&s, &q, "GET / HTTP/1.1\r\nHos", 19);
	assert_int_equal(fl_inq_head(&q, &limits, &head, &err), 0);
	feed(&s, &q, text, large);
	assert_int_equal(fl_inq_head(&q, &limits, &head, &err), 27);
	assert_memory_equal(head.p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 27);
	fl_inq_head_done(&q);
	assert_int_equal(fl_inq_front(&q).n, large - 8);
	fl_inq_fini(&q);

	/* Also when the limit has become lower meanwhile. */
	feed(&s, &q, "GET / HTTP/1.1\r\nX: ", 19);
	feed(&s, &q, text + 8, 1000);
	assert_int_equal(fl_inq_head(&q, &limits, &head, &err), 0);
	feed(&s, &q, text + 8, large - 8);
	assert_int_equal(fl_inq_head(&q, &lower, &head, &err), -1);
	assert_int_equal(err.status, 431);
	fl_inq_fini(&q);
	source_close(&s);
	free(text);
}

/* Two buffers are enough, and so is one that holds much. */
static void test_full(void **state)
{
	char much[FL_INQ_BYTES] = {0};
	struct source s;
	struct fl_inq q;
	(void)state;
	source_open(&s);
	fl_inq_init(&q);
	assert_false(fl_inq_full(&q));
	feed(&s, &q, much, sizeof(much) - 1);
	assert_false(fl_inq_full(&q));
	feed(&s, &q, "x", 1);
	assert_true(fl_inq_full(&q));
	fl_inq_consume(&q, sizeof(much) - 1);
	assert_false(fl_inq_full(&q));
	fl_inq_consume(&q, 1);
	feed(&s, &q, much, sizeof(much));
	assert_true(fl_inq_full(&q));
	fl_inq_fini(&q);
	source_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_cut),
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_large_buffers),
		cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
