/* The parts of the demo that must not be fooled: what counts as an answer, what counts as moved,
 * and clients against real nodes. */
#include "cli/demo_answer.h"
#include "cli/demo_moves.h"
#include "cli/demo_traffic.h"
#include "cli/demo_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n"
#define GOOD HEAD "X-Node: c\r\n\r\nc user-00001\n"

static const char good[] = GOOD;

static int feed_all(struct fl_demo_answer *a, const char *bytes)
{
	fl_demo_answer_start(a, "user-00001");
	return fl_demo_answer_feed(a, bytes, strlen(bytes));
}

static void test_a_right_answer_however_it_is_cut(void **state)
{
	struct fl_demo_answer a;
	size_t n = strlen(good);

	(void)state;
	assert_int_equal(feed_all(&a, good), 1);
	assert_int_equal(a.node, 2);
	assert_true(a.keep_alive);
	for (size_t cut = 1; cut < n; cut++) {
		fl_demo_answer_start(&a, "user-00001");
		assert_int_equal(fl_demo_answer_feed(&a, good, cut), 0);
		assert_int_equal(fl_demo_answer_feed(&a, good + cut, n - cut), 1);
	}
	assert_int_equal(
		feed_all(&a, HEAD "Connection: close\r\nX-Node: a\r\n\r\na user-00001\n"), 1);
	assert_false(a.keep_alive);
}

static void test_wrong_answers(void **state)
{
	static const char *const wrong[] = {
		HEAD "X-Node: c\r\n\r\nc user-00002\n", /* to another key */
		HEAD "X-Node: c\r\n\r\nd user-00001\n", /* by another node than it says */
		HEAD "X-Node: f\r\n\r\nf user-00001\n", /* by no node of ours */
		HEAD "\r\nc user-00001\n",              /* by nobody */
		GOOD "H",                               /* and something behind it */
		"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nX-Node: c\r\n\r\nc user-00001",
		"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nX-Node: c\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX-Node: c\r\n\r\nc user-00001\n", /* until the end: no length */
		"HTTP/1.1 503 Busy\r\nContent-Length: 13\r\nX-Node: c\r\n\r\nc user-00001\n",
		"not HTTP at all\r\n\r\n",
	};
	struct fl_demo_answer a;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(feed_all(&a, wrong[i]), -1);
		assert_true(strlen(a.why) > 0);
	}
}

static void test_an_answer_is_bounded(void **state)
{
	struct fl_demo_answer a;
	char many[FL_DEMO_ANSWER_BYTES + 1];

	(void)state;
	memset(many, 'x', sizeof(many));
	fl_demo_answer_start(&a, "user-00001");
	assert_int_equal(fl_demo_answer_feed(&a, many, sizeof(many)), -1);
	assert_string_equal(a.why, "an answer of an unexpected length");
}

static void test_moves_are_counted_from_and_to(void **state)
{
	static const uint8_t before[] = {0, 1, 2, 2, 2, 4, FL_DEMO_NOBODY, 3};
	static const uint8_t after[] = {0, 1, 0, 1, 1, FL_DEMO_NOBODY, 3, 3};
	static const size_t from[FL_DEMO_NODES] = {0, 0, 3, 0, 1};
	static const size_t to[FL_DEMO_NODES] = {1, 2, 0, 1, 0};
	struct fl_demo_moves m = fl_demo_moves(before, after, sizeof(before));
	struct fl_demo_list list;

	(void)state;
	assert_int_equal(m.all, 5);
	assert_memory_equal(m.from, from, sizeof(from));
	assert_memory_equal(m.to, to, sizeof(to));
	assert_string_equal(fl_demo_list(&list, m.to), "a 1, b 2, d 1");
	assert_int_equal(fl_demo_moves(before, before, sizeof(before)).all, 0);
}

static void test_numbers_have_commas(void **state)
{
	struct fl_demo_number n;

	(void)state;
	assert_string_equal(fl_demo_number(&n, 0), "0");
	assert_string_equal(fl_demo_number(&n, 999), "999");
	assert_string_equal(fl_demo_number(&n, 1000), "1,000");
	assert_string_equal(fl_demo_number(&n, 1234567), "1,234,567");
	assert_string_equal(fl_demo_number(&n, UINT64_MAX), "18,446,744,073,709,551,615");
}

/* Waits until `enough` says so, 30 s at most. */
static struct fl_demo_counts watch(struct fl_demo_traffic *t,
	bool (*enough)(const struct fl_demo_counts *counts, size_t n), size_t n)
{
	struct timespec pause = {0, 2000000};
	struct fl_demo_counts counts;

	for (int i = 0; i < 15000; i++) {
		fl_demo_traffic_counts(t, &counts);
		if (enough(&counts, n))
			return counts;
		(void)nanosleep(&pause, NULL);
	}
	fail_msg("not seen in 30 s: %zu seen, %llu answered, %llu failed", counts.seen,
		(unsigned long long)counts.answered, (unsigned long long)counts.failed);
	return counts;
}

static bool seen(const struct fl_demo_counts *counts, size_t n)
{
	return counts->seen >= n;
}

static bool answered(const struct fl_demo_counts *counts, size_t n)
{
	return counts->answered >= n;
}

static bool failed(const struct fl_demo_counts *counts, size_t n)
{
	return counts->failed >= n;
}

static void test_every_key_is_asked_for_and_its_node_noted(void **state)
{
	struct fl_demo_traffic_options options = {0, 300, 5000};
	struct fl_demo_nodes *nodes;
	struct fl_demo_traffic *t;

	(void)state;
	assert_int_equal(fl_demo_nodes_new(&nodes), 0);
	options.port = fl_demo_node_port(nodes, 3);
	assert_int_equal(fl_demo_traffic_new(&t, &options), 0);
	for (int pass = 0; pass < 2; pass++) {
		fl_demo_traffic_begin(t);
		struct fl_demo_counts counts = watch(t, seen, 300);
		assert_int_equal(counts.seen, 300);
		assert_int_equal(counts.failed, 0);
		assert_int_equal(counts.strays, 0);
		assert_int_equal(counts.requests[0], 0);
		assert_true(counts.requests[3] >= 300);
		for (size_t i = 0; i < 300; i++)
			assert_int_equal(fl_demo_traffic_owner(t, i), 3);
	}
	fl_demo_traffic_free(t);
	fl_demo_nodes_free(nodes);
}

static void test_between_passes_requests_say_nothing(void **state)
{
	struct fl_demo_traffic_options options = {0, 100, 5000};
	struct fl_demo_nodes *nodes;
	struct fl_demo_traffic *t;

	(void)state;
	assert_int_equal(fl_demo_nodes_new(&nodes), 0);
	options.port = fl_demo_node_port(nodes, 0);
	assert_int_equal(fl_demo_traffic_new(&t, &options), 0);
	fl_demo_traffic_begin(t);
	(void)watch(t, seen, 100);
	fl_demo_traffic_end(t);
	struct fl_demo_counts before, after;
	fl_demo_traffic_counts(t, &before);
	after = watch(t, answered, before.answered + 200);
	assert_int_equal(after.requests[0], before.requests[0]);
	fl_demo_traffic_free(t);
	fl_demo_nodes_free(nodes);
}

static void test_nobody_there_is_a_failure(void **state)
{
	struct fl_demo_traffic_options options = {0, 10, 1000};
	struct fl_demo_traffic *t;
	char why[160];

	(void)state;
	/* A port that was free a moment ago. */
	int fd = fl_demo_listen(&options.port);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(fl_demo_traffic_new(&t, &options), 0);
	fl_demo_traffic_begin(t);
	struct fl_demo_counts counts = watch(t, failed, 3);
	fl_demo_traffic_why(t, why, sizeof(why));
	assert_true(strstr(why, "no connection") != NULL);
	assert_int_equal(counts.answered, 0);
	assert_int_equal(fl_demo_traffic_owner(t, 0), FL_DEMO_NOBODY);
	fl_demo_traffic_free(t);
}

/* ---- what is shown ---- */

/* What a frame looks like, without colours and other escape sequences; to be freed. */
static char *shown(struct fl_demo_view *v, const struct fl_demo_frame *frame)
{
	static char raw[1 << 16];
	char *plain = calloc(1, sizeof(raw));
	size_t n = 0;

	assert_non_null(plain);
	v->fd = memfd_create("shown", MFD_CLOEXEC);
	assert_true(v->fd >= 0);
	fl_demo_view_frame(v, frame);
	ssize_t got = pread(v->fd, raw, sizeof(raw), 0);
	assert_true(got > 0 && got < (ssize_t)sizeof(raw));
	for (ssize_t i = 0; i < got; i++) {
		if (raw[i] == '\x1b') /* to the letter that ends the sequence */
			while (i + 1 < got && !strchr("AJKm", raw[i]))
				i++;
		else
			plain[n++] = raw[i];
	}
	assert_int_equal(close(v->fd), 0);
	return plain;
}

static void check_lines(const char *text, unsigned width)
{
	unsigned lines = 0;

	for (const char *p = text; *p; lines++) {
		size_t n = strcspn(p, "\n"), wide = 0;
		for (size_t i = 0; i < n; i++)
			wide += ((unsigned char)p[i] & 0xc0) != 0x80 && p[i] != '\r';
		if (wide >= width)
			fail_msg("%zu columns of %u: %.*s", wide, width, (int)n, p);
		p += n + 1;
	}
	assert_int_equal(lines, FL_DEMO_NODES + 4);
}

static struct fl_demo_frame frame_of(double share, double fair, size_t keys, size_t guests)
{
	struct fl_demo_frame f = {.title = "test", .now = 1, .of = 2, .answered = 12345};

	for (size_t i = 0; i < FL_DEMO_NODES; i++)
		f.row[i] = (struct fl_demo_row){
			fl_demo_node_name(i), i == 4, share, fair, 100, keys, guests};
	return f;
}

static void test_no_line_of_the_block_is_as_wide_as_the_window(void **state)
{
	static const size_t guests[] = {0, 1, 20, 166, 500, 999, 1000};
	struct fl_demo_view v;

	(void)state;
	for (unsigned width = 60; width <= 200; width += 20) {
		for (unsigned i = 0; i < 40 * 7; i++) {
			struct fl_demo_frame f =
				frame_of(i % 40 / 39.0, 0.2, 1000, guests[i / 40]);
			fl_demo_view_init(&v);
			v.live = v.colour = true;
			v.utf8 = i % 2;
			v.width = width;
			char *text = shown(&v, &f);
			check_lines(text, width);
			assert_int_equal(v.drawn, FL_DEMO_NODES + 4);
			free(text);
			fl_demo_view_fini(&v);
		}
	}
}

static void test_a_bar_is_as_long_as_its_share(void **state)
{
	struct fl_demo_frame f = frame_of(0.25, 0.2, 1000, 200);
	struct fl_demo_view v;

	(void)state;
	fl_demo_view_init(&v);
	v.live = true;
	v.utf8 = false;
	v.width = 80;
	/* 32 cells are 0.3 of the requests: 0.25 are 27 of them, a fifth of which is guests'. */
	char *text = shown(&v, &f);
	assert_non_null(strstr(text, "a   #####################++++++         25.0 %"));
	free(text);
	fl_demo_view_fini(&v);
	f = frame_of(0.1, 0.2, 1000, 0);
	fl_demo_view_init(&v);
	v.live = true;
	v.utf8 = false;
	v.width = 80;
	text = shown(&v, &f);
	assert_non_null(strstr(text, "a   ###########          |              10.0 %"));
	free(text);
	fl_demo_view_fini(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_right_answer_however_it_is_cut),
		cmocka_unit_test(test_wrong_answers),
		cmocka_unit_test(test_an_answer_is_bounded),
		cmocka_unit_test(test_moves_are_counted_from_and_to),
		cmocka_unit_test(test_numbers_have_commas),
		cmocka_unit_test(test_every_key_is_asked_for_and_its_node_noted),
		cmocka_unit_test(test_between_passes_requests_say_nothing),
		cmocka_unit_test(test_nobody_there_is_a_failure),
		cmocka_unit_test(test_no_line_of_the_block_is_as_wide_as_the_window),
		cmocka_unit_test(test_a_bar_is_as_long_as_its_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
