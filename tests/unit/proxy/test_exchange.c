/* One request and its answer, in the interleavings that go wrong: who refuses, who closes when,
 * what may be said again. Each with both backends of the loop. */
#include "stage.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#define OK_HEAD  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
#define OK       OK_HEAD "ok"
#define GET(key) "GET /x HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\n\r\n", key

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the plain case ---- */

static void test_passes(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	HAS(st, "GET /x HTTP/1.1\r\nHost: h\r\nX-Key: ");
	HAS(st, "X-Forwarded-For: 127.0.0.1\r\n");
	say(n, OK);
	hear_n(st, c, strlen(OK));
	assert_string_equal(st->heard, OK);
	/* The same connections carry the next one. */
	say(c, GET(key));
	hear_head(st, n);
	say(n, OK);
	hear_n(st, c, strlen(OK));
	for (int i = 0; i < NODES; i++)
		no_more(st, i);
	assert_int_equal(stats_of(st, 0)->requests, 2);
	assert_int_equal(stats_of(st, 0)->failures, 0);
	EVENTUALLY(counted(st, FL_COUNTER_STATUS_2XX) == 2);
	assert_int_equal(counted(st, FL_COUNTER_UPSTREAM_REUSES), 1);
	done_with(c);
	done_with(n);
}

static void test_bodiless(void **state)
{
	static const char *const answers[] = {
		"HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"e\"\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	};
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st), n = -1;

	for (int i = 0; i < 3; i++) {
		say(c, GET(key));
		n = n < 0 ? node(st, 0) : n;
		hear_head(st, n);
		say(n, "%s", answers[i]);
		assert_string_equal(hear_head(st, c), answers[i]);
	}
	say(c, "HEAD /x HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\n\r\n", key);
	hear_head(st, n);
	say(n, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
	hear_head(st, c);
	HAS(st, "Content-Length: 5000\r\n");
	/* No body was waited for: the connections carry on. */
	say(c, GET(key));
	hear_head(st, n);
	say(n, OK);
	hear_n(st, c, strlen(OK));
	assert_string_equal(st->heard, OK);
	done_with(n);
	done_with(c);
}

/* What the node frames in its way the client gets in one it understands. */
static void test_framings(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n");
	hear_head(st, c);
	HAS(st, "Transfer-Encoding: chunked\r\n");
	assert_string_equal(hear_n(st, c, 8), "3\r\nabc\r\n");
	say(n, "0\r\nA-Trailer: x\r\n\r\n");
	assert_string_equal(hear_n(st, c, 5), "0\r\n\r\n");
	say(c, GET(key));
	hear_head(st, n);
	say(n, "HTTP/1.0 200 OK\r\n\r\nto the end");
	done_with(n);
	hear_head(st, c);
	HAS(st, "Transfer-Encoding: chunked\r\n");
	assert_string_equal(hear_n(st, c, 15 + 5), "a\r\nto the end\r\n0\r\n\r\n");
	done_with(c);
	/* A client of HTTP/1.0 gets it plain, up to the end. */
	c = client(st);
	say(c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Key: %s\r\n\r\n", key);
	n = node(st, 0);
	hear_head(st, n);
	HAS(st, "GET / HTTP/1.1\r\nHost: p\r\n");
	HAS(st, "Via: 1.0 fairlead\r\n");
	say(n, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");
	assert_int_equal(hear_rest(st, c), 0);
	assert_string_equal(st->heard, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nab");
	done_with(n);
	done_with(c);
}

static void test_keeps_for_http10(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st), n = -1;

	for (int i = 0; i < 2; i++) {
		say(c, "GET / HTTP/1.0\r\nConnection: keep-alive\r\nX-Key: %s\r\n\r\n", key);
		n = n < 0 ? node(st, 0) : n;
		hear_head(st, n);
		say(n, OK);
		hear_head(st, c);
		HAS(st, "Connection: keep-alive\r\n");
		hear_n(st, c, 2);
	}
	done_with(n);
	done_with(c);
}

static void test_pipelines(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	for (int i = 0; i < 3; i++)
		say(c,
			"PUT /%d HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: "
			"3\r\n\r\nb%d\n",
			i, key, i);
	assert_int_equal(shutdown(c, SHUT_WR), 0);
	int n = node(st, 0);
	for (int i = 0; i < 3; i++) {
		char want[16];
		hear_head(st, n);
		snprintf(want, sizeof(want), "PUT /%d ", i);
		HAS(st, want);
		snprintf(want, sizeof(want), "b%d\n", i);
		assert_string_equal(hear_n(st, n, 3), want);
		say(n, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d", i);
		hear_head(st, c);
		assert_int_equal(hear_n(st, c, 1)[0], '0' + i);
	}
	hear_end(st, c);
	done_with(n);
	done_with(c);
}

/* ---- retries ---- */

static void test_refused(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	/* Nothing was sent: a POST may go to the next node, too. */
	node_down(st, 0);
	say(c, "POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: 4\r\n\r\nbody", key);
	int n = node(st, 1);
	hear_head(st, n);
	assert_string_equal(hear_n(st, n, 4), "body");
	say(n, OK);
	hear_n(st, c, strlen(OK));
	assert_int_equal(stats_of(st, 0)->failures, 1);
	assert_int_equal(counted(st, FL_COUNTER_RETRIES), 1);
	assert_int_equal(counted(st, FL_COUNTER_UPSTREAM_ERRORS), 1);
	done_with(n);
	done_with(c);
}

static void test_all_refuse(void **state)
{
	struct stage *st = stage_open(state);
	int c = client(st);

	for (int i = 0; i < NODES; i++)
		node_down(st, i);
	say(c, GET("k"));
	hear_head(st, c);
	HAS(st, "HTTP/1.1 502 ");
	HAS_NOT(st, "Connection: close");
	for (int i = 0; i < NODES; i++)
		assert_int_equal(stats_of(st, i)->failures, 1);
	assert_int_equal(counted(st, FL_COUNTER_FAILED), 1);
	done_with(c);
}

/* The first node takes the whole request, which has a body of `n` bytes, and closes. The second
 * must get the very same, or nobody when `repeated` is false. */
static void repeat(void **state, const char *start, size_t n, bool chunked, bool repeated)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	char *body = malloc(n + 1), *first = malloc(n + 4096);
	int c = client(st);
	size_t first_n = 0, head_n;

	for (size_t i = 0; i < n; i++)
		body[i] = (char)('a' + i % 23 + i / 1000 % 3);
	say(c, "%s / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\n", start, key);
	if (chunked) {
		say(c, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", n);
		say_n(c, body, n);
		say(c, "\r\n0\r\n\r\n");
	} else {
		say(c, "Content-Length: %zu\r\n\r\n", n);
		say_n(c, body, n);
	}
	int a = node(st, 0);
	hear_head(st, a);
	head_n = st->heard_n;
	memcpy(first, st->heard, head_n);
	if (!chunked) {
		hear_n(st, a, n);
		assert_memory_equal(st->heard, body, n);
	} else {
		/* However it was cut into chunks: up to the last one. */
		do {
			hear_n(st, a, 1);
			first[head_n + first_n++ % 4000] = st->heard[0];
		} while (first_n < 5 || first[head_n + (first_n - 5) % 4000] != '0' ||
			 first[head_n + (first_n - 1) % 4000] != '\n' ||
			 first[head_n + (first_n - 2) % 4000] != '\r' ||
			 first[head_n + (first_n - 3) % 4000] != '\n' ||
			 first[head_n + (first_n - 4) % 4000] != '\r');
	}
	done_with(a);
	if (repeated) {
		int b = node(st, 1);
		hear_head(st, b);
		assert_int_equal(st->heard_n, head_n);
		assert_memory_equal(st->heard, first, head_n);
		if (chunked) {
			char line[32];
			size_t line_n = (size_t)snprintf(line, sizeof(line), "%zx\r\n", n);
			assert_string_equal(hear_n(st, b, line_n), line);
		}
		hear_n(st, b, n);
		assert_memory_equal(st->heard, body, n);
		if (chunked)
			assert_string_equal(hear_n(st, b, 7), "\r\n0\r\n\r\n");
		say(b, OK);
		hear_n(st, c, strlen(OK));
		assert_string_equal(st->heard, OK);
		done_with(b);
	} else {
		hear_head(st, c);
		HAS(st, "HTTP/1.1 502 ");
		no_more(st, 1);
		no_more(st, 2);
	}
	assert_int_equal(stats_of(st, 0)->failures, 1);
	free(body);
	free(first);
	done_with(c);
}

static void test_post_not_repeated(void **state)
{
	repeat(state, "POST", 10, false, false);
}

static void test_put_repeated(void **state)
{
	repeat(state, "PUT", 10, false, true);
}

static void test_put_chunked_repeated(void **state)
{
	repeat(state, "PUT", 40000, true, true);
}

static void test_replay_to_the_brim(void **state)
{
	repeat(state, "PUT", 64 << 10, false, true);
}

static void test_replay_not_beyond(void **state)
{
	repeat(state, "PUT", (64 << 10) + 1, false, false);
}

static void test_post_with_key_repeated(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c,
		"POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nIdempotency-Key: 1\r\n"
		"Content-Length: 4\r\n\r\nbo",
		key);
	int a = node(st, 0);
	hear_head(st, a);
	assert_string_equal(hear_n(st, a, 2), "bo");
	done_with(a);
	int b = node(st, 1);
	hear_head(st, b);
	HAS(st, "Idempotency-Key: 1\r\n");
	assert_string_equal(hear_n(st, b, 2), "bo");
	say(c, "dy");
	assert_string_equal(hear_n(st, b, 2), "dy");
	say(b, OK);
	hear_n(st, c, strlen(OK));
	done_with(b);
	done_with(c);
}

/* The node closes a kept connection while the next request is on its way. */
static void test_stale_connection(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	say(n, OK);
	hear_n(st, c, strlen(OK));
	say(c, GET(key));
	hear_head(st, n);
	done_with(n);
	/* Not the node's fault: it is asked once more. */
	n = node(st, 0);
	hear_head(st, n);
	say(n, OK);
	hear_n(st, c, strlen(OK));
	assert_int_equal(stats_of(st, 0)->failures, 0);
	assert_int_equal(counted(st, FL_COUNTER_RETRIES), 0);
	/* But what must not be repeated is not. */
	say(c, "POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: 1\r\n\r\nx", key);
	hear_head(st, n);
	hear_n(st, n, 1);
	done_with(n);
	hear_head(st, c);
	HAS(st, "HTTP/1.1 502 ");
	for (int i = 0; i < NODES; i++)
		no_more(st, i);
	done_with(c);
}

static void test_attempts_end(void **state)
{
	struct stage *st = *state;
	st->forward.attempts = 2;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	for (int i = 0; i < 2; i++) {
		int n = node(st, i);
		hear_head(st, n);
		done_with(n);
	}
	hear_head(st, c);
	HAS(st, "HTTP/1.1 502 ");
	no_more(st, 2);
	done_with(c);
}

/* ---- answers that are no answers ---- */

static void test_garbage(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "\x16\x03\x01 no HTTP\r\n\r\n");
	hear_head(st, c);
	HAS(st, "HTTP/1.1 502 ");
	HAS_NOT(st, "Connection: close");
	assert_int_equal(stats_of(st, 0)->failures, 1);
	done_with(n);
	done_with(c);
}

static void test_half_a_head(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 200 OK\r\nContent-Le");
	done_with(n);
	hear_head(st, c);
	HAS(st, "HTTP/1.1 502 ");
	/* A byte of the answer had come: nobody else is asked. */
	no_more(st, 1);
	assert_int_equal(stats_of(st, 0)->failures, 1);
	done_with(c);
}

/* An answer that ends early never looks whole, whatever frames it and however it ends. */
static void cut(void **state, const char *head, const char *part, bool reset)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 200 OK\r\n%s\r\n%s", head, part);
	hear_head(st, c);
	/* The client has some of it by now: it cannot become a 502. */
	if (reset)
		hang_up(n);
	else
		done_with(n);
	assert_int_equal(hear_rest(st, c), ECONNRESET);
	HAS_NOT(st, "\r\n0\r\n");
	no_more(st, 1);
	EVENTUALLY(counted(st, FL_COUNTER_TRUNCATED) == 1);
	assert_int_equal(stats_of(st, 0)->failures, 1);
	done_with(c);
}

static void test_cut_length(void **state)
{
	cut(state, "Content-Length: 10\r\n", "12345", false);
}

static void test_cut_chunked(void **state)
{
	cut(state, "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n", false);
}

static void test_cut_reset(void **state)
{
	cut(state, "Connection: close\r\n", "some", true);
}

/* A node may reset its connection once it has said all: what still waits for a slow client is
 * whole. Whether some of it waits in the proxy just then depends on the length. */
static void test_reset_after_the_answer(void **state)
{
	struct stage *st = *state;
	st->unix_front = true;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	static char zeros[256 << 10];

	for (size_t n = 100 << 10; n <= sizeof(zeros); n += 4 << 10) {
		int c = client(st), waiting = 1;
		say(c, GET(key));
		int a = node(st, 0);
		hear_head(st, a);
		say(a, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
		say_n(a, zeros, n);
		for (int i = 0; i < 20 && waiting; i++) {
			(void)poll(NULL, 0, 1);
			assert_int_equal(ioctl(a, SIOCOUTQ, &waiting), 0);
		}
		/* What the node's kernel still has would be lost with it. */
		if (waiting)
			done_with(a);
		else
			hang_up(a);
		hear_head(st, c);
		hear_n(st, c, n);
		done_with(c);
		/* And that connection is not kept. */
		EVENTUALLY(stats_of(st, 0)->connections == 0);
	}
	assert_int_equal(stats_of(st, 0)->failures, 0);
}

/* ---- interim answers ---- */

static void test_interim(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c,
		"PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nExpect: 100-continue\r\n"
		"Content-Length: 4\r\n\r\n",
		key);
	int n = node(st, 0);
	hear_head(st, n);
	HAS(st, "Expect: 100-continue\r\n");
	say(n, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_string_equal(hear_head(st, c), "HTTP/1.1 100 Continue\r\n\r\n");
	say(c, "body");
	assert_string_equal(hear_n(st, n, 4), "body");
	say(n, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK);
	assert_string_equal(hear_head(st, c), "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	hear_n(st, c, strlen(OK));
	assert_string_equal(st->heard, OK);
	done_with(c);
	/* HTTP/1.0 does not know them. */
	c = client(st);
	say(c, "GET / HTTP/1.0\r\nX-Key: %s\r\n\r\n", key);
	hear_head(st, n);
	say(n, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" OK);
	hear_head(st, c);
	HAS(st, "HTTP/1.1 200 OK\r\n");
	hear_n(st, c, 2);
	hear_end(st, c);
	done_with(n);
	done_with(c);
}

static void test_too_many_interims(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	for (int i = 0; i < 16; i++) {
		say(n, "HTTP/1.1 102 Processing\r\n\r\n");
		hear_head(st, c);
		HAS(st, "102 Processing");
	}
	say(n, "HTTP/1.1 102 Processing\r\n\r\n");
	hear_head(st, c);
	HAS(st, "HTTP/1.1 502 ");
	done_with(n);
	done_with(c);
}

/* An interim answer is not the answer: what may be repeated still may. */
static void test_repeated_after_interim(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 102 Processing\r\n\r\n");
	hear_head(st, c);
	done_with(n);
	n = node(st, 1);
	hear_head(st, n);
	say(n, OK);
	hear_n(st, c, strlen(OK));
	assert_string_equal(st->heard, OK);
	done_with(n);
	done_with(c);
}

/* ---- early answers ---- */

/* The node answers while the client is still sending. */
static void test_early_answer(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, "POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: 100\r\n\r\nhalf",
		key);
	int n = node(st, 0);
	hear_head(st, n);
	hear_n(st, n, 4);
	say(n, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
	hear_head(st, c);
	HAS(st, "HTTP/1.1 413 Too Large\r\n");
	HAS(st, "Connection: close\r\n");
	assert_string_equal(hear_n(st, c, 2), "no");
	hear_end(st, c);
	/* The rest of the body has nowhere to go: the node's connection ends, too. */
	hear_rest(st, n);
	assert_int_equal(st->heard_n, 0);
	assert_int_equal(stats_of(st, 0)->failures, 0);
	done_with(n);
	done_with(c);
}

static void test_expectation_failed(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c,
		"POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nExpect: 100-continue\r\n"
		"Content-Length: 100\r\n\r\n",
		key);
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(hear_rest(st, c), 0);
	HAS(st, "HTTP/1.1 401 ");
	HAS(st, "Connection: close\r\n");
	done_with(n);
	done_with(c);
}

/* ---- requests that go wrong ---- */

static void test_bad_chunks(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c,
		"POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
		"4\r\nbody\r\n",
		key);
	int n = node(st, 0);
	hear_head(st, n);
	assert_string_equal(hear_n(st, n, 9), "4\r\nbody\r\n");
	say(c, "nonsense\r\n");
	assert_int_equal(hear_rest(st, c), 0);
	HAS(st, "HTTP/1.1 400 ");
	HAS(st, "Connection: close\r\n");
	/* The node must not take what it has for all. */
	assert_int_equal(hear_rest(st, n), ECONNRESET);
	assert_int_equal(stats_of(st, 0)->failures, 0);
	done_with(n);
	done_with(c);
}

/* The same when the answer has begun: the client is cut off, and the node is not to blame. */
static void test_bad_chunks_late(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c,
		"POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
		"4\r\nbody\r\n",
		key);
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
	hear_head(st, c);
	hear_n(st, c, 4);
	say(c, "nonsense\r\n");
	assert_int_equal(hear_rest(st, c), ECONNRESET);
	assert_int_equal(stats_of(st, 0)->failures, 0);
	done_with(n);
	done_with(c);
}

static void test_body_too_large(void **state)
{
	struct stage *st = *state;
	st->client.body = 10;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, "PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: 11\r\n\r\n", key);
	hear_head(st, c);
	HAS(st, "HTTP/1.1 413 ");
	done_with(c);
	c = client(st);
	say(c,
		"PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nTransfer-Encoding: chunked\r\n\r\n"
		"a\r\n1234567890\r\n1\r\nx\r\n0\r\n\r\n",
		key);
	hear_head(st, c);
	HAS(st, "HTTP/1.1 413 ");
	done_with(c);
}

/* An answer before the body: closing on what the client still sends could destroy it, also when
 * the client had said that it would close. */
static void test_reads_on(void **state)
{
	struct stage *st = *state;
	st->path = "/only";
	st = stage_open(state);
	int c = client(st);

	say(c, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 9\r\n\r\n");
	assert_int_equal(hear_rest(st, c), 0);
	HAS(st, "HTTP/1.1 404 ");
	int64_t began = now_ms();
	for (int i = 0; i < 2; i++) {
		(void)poll(NULL, 0, 20);
		ssize_t sent = send(c, "x", 1, MSG_NOSIGNAL);
		/* It reads on for two seconds. */
		if (now_ms() - began < 1000)
			assert_int_equal(sent, 1);
	}
	done_with(c);
}

/* A client of HTTP/1.0 that is told nothing waits for the end. */
static void test_own_answer_http10(void **state)
{
	struct stage *st = *state;
	st->path = "/only";
	st = stage_open(state);

	for (int i = 0; i < NODES; i++)
		node_down(st, i);
	for (int i = 0; i < 2; i++) {
		int c = client(st);
		say(c, "GET /%s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", i ? "only" : "");
		assert_int_equal(hear_rest(st, c), 0);
		HAS(st, i ? "HTTP/1.1 502 " : "HTTP/1.1 404 ");
		HAS(st, "Connection: close\r\n");
		done_with(c);
	}
}

/* ---- clocks ---- */

static void test_client_stalls(void **state)
{
	struct stage *st = *state;
	st->client.stall_ms = 30;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, "PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: 9\r\n\r\nhalf", key);
	int n = node(st, 0);
	hear_head(st, n);
	hear_n(st, n, 4);
	assert_int_equal(hear_rest(st, c), 0);
	HAS(st, "HTTP/1.1 408 ");
	HAS(st, "Connection: close\r\n");
	assert_int_equal(hear_rest(st, n), ECONNRESET);
	assert_int_equal(stats_of(st, 0)->failures, 0);
	done_with(n);
	done_with(c);
}

static void test_head_stalls(void **state)
{
	struct stage *st = *state;
	st->client.head_ms = 30;
	st = stage_open(state);
	int c = client(st), silent = client(st);

	say(c, "GET / HT");
	assert_int_equal(hear_rest(st, c), 0);
	HAS(st, "HTTP/1.1 408 ");
	hear_end(st, silent);
	EVENTUALLY(counted(st, FL_COUNTER_STATUS_4XX) == 1);
	done_with(c);
	done_with(silent);
}

/* Sends what goes out without waiting, n bytes at most; *gap is the longest pause between two
 * sends. */
static size_t pour(int fd, const char *p, size_t n, int64_t *last, int64_t *gap)
{
	size_t sent = 0;
	while (sent < n) {
		ssize_t got = send(fd, p, n - sent < 65536 ? n - sent : 65536,
			MSG_NOSIGNAL | MSG_DONTWAIT);
		if (got <= 0)
			break;
		sent += (size_t)got;
		int64_t now = now_ms();
		*gap = now - *last > *gap ? now - *last : *gap;
		*last = now;
	}
	return sent;
}

/* A node that does not read is not the client's fault. True when this process itself was held up
 * for so long that the client did stall. */
static bool slow_reader(struct stage *st, const char *key, size_t total)
{
	static const char zeros[65536];
	int64_t gap = 0, last;
	int c = client(st);
	say(c, "PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: %zu\r\n\r\n", key,
		total);
	last = now_ms();
	int n = node(st, 0);
	size_t sent = 0, before, got = 0;
	do {
		before = sent;
		sent += pour(c, zeros, total - sent, &last, &gap);
		(void)poll(NULL, 0, 20);
	} while (sent > before);
	assert_true(sent < total);
	(void)poll(NULL, 0, 600);
	last = now_ms();
	hear_head(st, n);
	while (got < total && gap < 150) {
		sent += pour(c, zeros, total - sent, &last, &gap);
		ssize_t some = recv(n, st->heard, HEARD_ROOM, MSG_DONTWAIT);
		if (some == 0 || (some < 0 && errno != EAGAIN && errno != EINTR))
			break;
		got += some > 0 ? (size_t)some : 0;
	}
	if (gap < 150) {
		assert_int_equal(got, total);
		say(n, OK);
		hear_n(st, c, strlen(OK));
		assert_string_equal(st->heard, OK);
	}
	done_with(c);
	done_with(n);
	return gap >= 150;
}

static void test_slow_reader(void **state)
{
	struct stage *st = *state;
	st->client.stall_ms = 300;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	while (slow_reader(st, key, 24 << 20))
		;
}

/* Reads with small steps for much longer than anybody's patience, while the other side has more than
 * fits between them. True when this process itself was held up for too long. */
static bool reads_slowly(struct stage *st, int from, int to)
{
	static const char zeros[1 << 20];
	int64_t began = now_ms(), last = began, gap = 0, unused = 0;
	while (now_ms() - began < 1500 && gap < 150) {
		(void)pour(from, zeros, sizeof(zeros), &unused, &unused);
		(void)hear_n(st, to, 8192);
		int64_t now = now_ms();
		gap = now - last > gap ? now - last : gap;
		last = now;
		(void)poll(NULL, 0, 5);
	}
	return gap >= 150;
}

/* A slow client gets its answer, though a send takes longer than a stall may. */
static void test_slow_client(void **state)
{
	struct stage *st = *state;
	st->client.stall_ms = 300;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	bool late;
	do {
		int c = connect_with(st, 4096);
		say(c, GET(key));
		int n = node(st, 0);
		hear_head(st, n);
		say(n, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
		hear_head(st, c);
		late = reads_slowly(st, n, c);
		done_with(c);
		done_with(n);
	} while (late);
}

/* And a slow node its request. */
static void test_slow_node(void **state)
{
	struct stage *st = *state;
	st->forward.stall_ms = 300;
	st->client.body = 100000000;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	bool late;
	do {
		int c = client(st);
		say(c,
			"PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: "
			"100000000\r\n\r\n",
			key);
		int n = node(st, 0);
		hear_head(st, n);
		late = reads_slowly(st, c, n);
		done_with(c);
		done_with(n);
	} while (late);
}

/* Who reads nothing at all is cut off, whoever it is. */
static void test_reads_nothing(void **state)
{
	static const char zeros[65536];
	struct stage *st = *state;
	st->client.stall_ms = st->forward.stall_ms = 50;
	st->client.body = 100000000;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	for (int upload = 0; upload < 2; upload++) {
		int c = client(st);
		say(c, "PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: %d\r\n\r\n",
			key, upload ? 100000000 : 0);
		int n = node(st, 0);
		hear_head(st, n);
		if (!upload) {
			say(n, "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
			hear_head(st, c);
		}
		while (send(upload ? c : n, zeros, sizeof(zeros), MSG_NOSIGNAL) > 0 ||
			errno == EINTR)
			;
		assert_true(errno == ECONNRESET || errno == EPIPE);
		done_with(c);
		done_with(n);
	}
}

/* Interim answers that had to wait for the client must not make us forget the node's clock. */
static void test_silent_after_interims(void **state)
{
	struct stage *st = *state;
	st->unix_front = true;
	st->forward.response_ms = 100;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	static char link[30000];
	int c = client(st);

	memset(link, 'x', sizeof(link));
	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	for (int i = 0; i < 16; i++) {
		say(n, "HTTP/1.1 103 Early Hints\r\nLink: ");
		say_n(n, link, sizeof(link));
		say(n, "\r\n\r\n");
	}
	(void)poll(NULL, 0, 50);
	for (int i = 0; i < 16; i++) {
		hear_head(st, c);
		HAS(st, "HTTP/1.1 103 ");
	}
	hear_head(st, c);
	HAS(st, "HTTP/1.1 504 ");
	done_with(n);
	done_with(c);
}

static void test_no_answer_in_time(void **state)
{
	struct stage *st = *state;
	st->forward.response_ms = 30;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	hear_head(st, c);
	HAS(st, "HTTP/1.1 504 ");
	HAS_NOT(st, "Connection: close");
	/* It may be at work on it: nobody else is asked. */
	no_more(st, 1);
	assert_int_equal(stats_of(st, 0)->failures, 1);
	assert_int_equal(counted(st, FL_COUNTER_UPSTREAM_ERRORS), 1);
	assert_int_equal(hear_rest(st, n), ECONNRESET);
	done_with(n);
	done_with(c);
}

static void test_node_stalls(void **state)
{
	struct stage *st = *state;
	st->forward.stall_ms = 30;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
	assert_int_equal(hear_rest(st, c), ECONNRESET);
	EVENTUALLY(counted(st, FL_COUNTER_TRUNCATED) == 1);
	assert_int_equal(stats_of(st, 0)->failures, 1);
	assert_int_equal(counted(st, FL_COUNTER_UPSTREAM_ERRORS), 1);
	done_with(n);
	done_with(c);
}

static void test_no_key(void **state)
{
	struct stage *st = *state;
	st->forward.no_key = FL_NO_KEY_REJECT;
	st = stage_open(state);
	int c = client(st);

	say(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	hear_head(st, c);
	HAS(st, "HTTP/1.1 400 ");
	HAS_NOT(st, "Connection: close");
	assert_int_equal(counted(st, FL_COUNTER_NO_KEY), 1);
	done_with(c);
}

/* A key that takes the same long field again and again. */
static void test_key_too_long(void **state)
{
	struct fl_key_source parts[12], all = {.kind = FL_KEY_ALL, .label = "all"};
	struct stage *st = *state;
	static char value[30000];

	for (int i = 0; i < 12; i++)
		parts[i] = by_header;
	all.parts = parts;
	all.part_count = 12;
	st->forward.key = (struct fl_key_sources){&all, 1};
	st->forward.no_key = FL_NO_KEY_REJECT;
	st = stage_open(state);
	int c = client(st);
	memset(value, 'v', sizeof(value));
	say(c, "GET / HTTP/1.1\r\nHost: h\r\nX-Key: ");
	say_n(c, value, sizeof(value));
	say(c, "\r\n\r\n");
	hear_head(st, c);
	HAS(st, "HTTP/1.1 431 ");
	assert_int_equal(counted(st, FL_COUNTER_NO_KEY), 0);
	done_with(c);
}

/* ---- the client disappears ---- */

static void test_client_gone(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	/* in the midst of a head */
	say(c, "GET / HT");
	hang_up(c);
	/* in the midst of a body */
	c = client(st);
	say(c, "PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: 9\r\n\r\nhalf", key);
	int n = node(st, 0);
	hear_head(st, n);
	hear_n(st, n, 4);
	done_with(c);
	assert_int_equal(hear_rest(st, n), ECONNRESET);
	done_with(n);
	/* the same, with RST */
	c = client(st);
	say(c, "PUT / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: 9\r\n\r\nhalf", key);
	n = node(st, 0);
	hear_head(st, n);
	hear_n(st, n, 4);
	hang_up(c);
	assert_int_equal(hear_rest(st, n), ECONNRESET);
	done_with(n);
	/* while the node thinks */
	c = client(st);
	say(c, GET(key));
	n = node(st, 0);
	hear_head(st, n);
	hang_up(c);
	assert_int_equal(hear_rest(st, n), ECONNRESET);
	done_with(n);
	/* in the midst of the answer */
	c = client(st);
	say(c, GET(key));
	n = node(st, 0);
	hear_head(st, n);
	say(n, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	hear_head(st, c);
	hang_up(c);
	assert_int_equal(hear_rest(st, n), ECONNRESET);
	done_with(n);
	EVENTUALLY(fl_proxy_open(st->proxy) == 0);
	assert_int_equal(stats_of(st, 0)->failures, 0);
}

/* A client may end its side and still read. */
static void test_half_close(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	assert_int_equal(shutdown(c, SHUT_WR), 0);
	int n = node(st, 0);
	hear_head(st, n);
	say(n, OK);
	assert_int_equal(hear_rest(st, c), 0);
	assert_string_equal(st->heard, OK);
	done_with(n);
	done_with(c);
}

/* ---- upgrades ---- */

static void test_tunnel(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c,
		"GET /chat HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\nfirst",
		key);
	int n = node(st, 0);
	hear_head(st, n);
	HAS(st, "Connection: upgrade\r\n");
	HAS(st, "Upgrade: websocket\r\n");
	say(n, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	       "Upgrade: websocket\r\n\r\nhello");
	hear_head(st, c);
	HAS(st, "HTTP/1.1 101 ");
	HAS(st, "Upgrade: websocket\r\n");
	assert_string_equal(hear_n(st, c, 5), "hello");
	assert_string_equal(hear_n(st, n, 5), "first");
	for (int i = 0; i < 3; i++) {
		say(c, "ping");
		assert_string_equal(hear_n(st, n, 4), "ping");
		say(n, "pong");
		assert_string_equal(hear_n(st, c, 4), "pong");
	}
	/* The client ends its side; the node may still speak. */
	assert_int_equal(shutdown(c, SHUT_WR), 0);
	hear_end(st, n);
	say(n, "bye");
	assert_string_equal(hear_n(st, c, 3), "bye");
	done_with(n);
	hear_end(st, c);
	done_with(c);
}

static void tunnel(struct stage *st, const char *key, int *c, int *n)
{
	*c = client(st);
	say(*c,
		"GET /chat HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n",
		key);
	*n = node(st, 0);
	hear_head(st, *n);
	say(*n, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n");
	hear_head(st, *c);
	HAS(st, "HTTP/1.1 101 ");
}

static void test_tunnel_half_closed(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c, n;

	/* The node ends its side; the client may still speak. */
	tunnel(st, key, &c, &n);
	say(n, "bye");
	assert_int_equal(shutdown(n, SHUT_WR), 0);
	assert_int_equal(hear_rest(st, c), 0);
	assert_string_equal(st->heard, "bye");
	say(c, "good ");
	assert_string_equal(hear_n(st, n, 5), "good ");
	say(c, "night");
	done_with(c);
	assert_int_equal(hear_rest(st, n), 0);
	assert_string_equal(st->heard, "night");
	done_with(n);
	/* It is gone altogether: so is the tunnel, when the client speaks. */
	tunnel(st, key, &c, &n);
	done_with(n);
	hear_end(st, c);
	for (bool open = true; open; (void)poll(NULL, 0, 1))
		open = send(c, "x", 1, MSG_NOSIGNAL) == 1 && stats_of(st, 0)->active;
	EVENTUALLY(stats_of(st, 0)->active == 0);
	done_with(c);
	/* A reset stays one. */
	tunnel(st, key, &c, &n);
	hang_up(n);
	assert_int_equal(hear_rest(st, c), ECONNRESET);
	done_with(c);
}

/* Two who have nothing to say to each other are not cut off after the stall times. */
static void test_tunnel_idle(void **state)
{
	struct stage *st = *state;
	st->client.stall_ms = st->forward.stall_ms = st->forward.response_ms = 20;
	st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c, n;

	tunnel(st, key, &c, &n);
	for (int i = 0; i < 2; i++) {
		(void)poll(NULL, 0, 150);
		say(c, "ping");
		assert_string_equal(hear_n(st, n, 4), "ping");
		(void)poll(NULL, 0, 150);
		say(n, "pong");
		assert_string_equal(hear_n(st, c, 4), "pong");
	}
	done_with(c);
	done_with(n);
}

static void test_upgrade_unasked(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	/* Another HTTP inside would hide its requests from the proxy: that is not passed on. */
	say(c,
		"GET / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nConnection: Upgrade, "
		"HTTP2-Settings\r\n"
		"Upgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
		key);
	int n = node(st, 0);
	hear_head(st, n);
	HAS_NOT(st, "pgrade");
	HAS_NOT(st, "HTTP2");
	say(n, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	       "Upgrade: h2c\r\n\r\n");
	hear_head(st, c);
	HAS(st, "HTTP/1.1 502 ");
	done_with(n);
	done_with(c);
}

/* ---- draining ---- */

static void test_drain(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int idle = client(st), c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	EVENTUALLY(fl_proxy_open(st->proxy) == 2);
	fl_proxy_drain(st->proxy);
	hear_end(st, idle);
	say(n, OK);
	assert_int_equal(hear_rest(st, c), 0);
	HAS(st, "Connection: close\r\n");
	done_with(c);
	while (!st->drained)
		assert_int_equal(fl_loop_run(st->control), 0);
	done_with(idle);
	done_with(n);
}

/* A configuration that comes too late: its sockets are closed. */
static void test_reconfigured_while_draining(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	fl_proxy_drain(st->proxy);
	struct fl_proxy_conf *conf = make_conf(st, true);
	conf->listeners[0].name = "late";
	fl_proxy_reconfigure(st->proxy, conf);
	fl_proxy_conf_unref(conf);
	say(n, OK);
	assert_int_equal(hear_rest(st, c), 0);
	done_with(c);
	done_with(n);
}

/* A new configuration: requests under way and connections go on, kept ones are still used. */
static void test_reconfigured(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	int c = client(st);

	say(c, GET(key));
	int n = node(st, 0);
	hear_head(st, n);
	for (int i = 0; i < 3; i++) {
		struct fl_proxy_conf *conf = make_conf(st, false);
		fl_proxy_reconfigure(st->proxy, conf);
		fl_proxy_conf_unref(conf);
	}
	say(n, OK);
	hear_n(st, c, strlen(OK));
	say(c, GET(key));
	hear_head(st, n);
	say(n, OK);
	hear_n(st, c, strlen(OK));
	done_with(c);
	/* The node leaves the pool with a request under way. */
	c = client(st);
	say(c, GET(key));
	hear_head(st, n);
	struct fl_node_stats *stats = stats_of(st, 0);
	assert_int_equal(fl_pool_set_admin(st->pool, "a", FL_ADMIN_DISABLED, 2000), FL_OK);
	int other = client(st);
	say(other, GET(key));
	int b = node(st, 1);
	hear_head(st, b);
	say(b, OK);
	hear_n(st, other, strlen(OK));
	say(n, OK);
	hear_n(st, c, strlen(OK));
	hear_end(st, n);
	EVENTUALLY(stats->connections == 0);
	done_with(n);
	done_with(b);
	done_with(c);
	done_with(other);
}

/* An argument picks tests by name, as in "*tunnel*". */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_passes),
		ON_BOTH(test_bodiless),
		ON_BOTH(test_framings),
		ON_BOTH(test_keeps_for_http10),
		ON_BOTH(test_pipelines),
		ON_BOTH(test_refused),
		ON_BOTH(test_all_refuse),
		ON_BOTH(test_post_not_repeated),
		ON_BOTH(test_put_repeated),
		ON_BOTH(test_put_chunked_repeated),
		ON_BOTH(test_replay_to_the_brim),
		ON_BOTH(test_replay_not_beyond),
		ON_BOTH(test_post_with_key_repeated),
		ON_BOTH(test_stale_connection),
		ON_BOTH(test_attempts_end),
		ON_BOTH(test_garbage),
		ON_BOTH(test_half_a_head),
		ON_BOTH(test_cut_length),
		ON_BOTH(test_cut_chunked),
		ON_BOTH(test_cut_reset),
		ON_BOTH(test_interim),
		ON_BOTH(test_too_many_interims),
		ON_BOTH(test_repeated_after_interim),
		ON_BOTH(test_early_answer),
		ON_BOTH(test_expectation_failed),
		ON_BOTH(test_bad_chunks),
		ON_BOTH(test_body_too_large),
		ON_BOTH(test_client_gone),
		ON_BOTH(test_half_close),
		ON_BOTH(test_reads_on),
		ON_BOTH(test_own_answer_http10),
		ON_BOTH(test_bad_chunks_late),
		ON_BOTH(test_no_answer_in_time),
		ON_BOTH(test_node_stalls),
		ON_BOTH(test_reset_after_the_answer),
		ON_BOTH(test_no_key),
		ON_BOTH(test_key_too_long),
		ON_BOTH(test_reconfigured_while_draining),
		ON_BOTH(test_reconfigured),
		ON_BOTH(test_tunnel),
		ON_BOTH(test_tunnel_half_closed),
		ON_BOTH(test_tunnel_idle),
		ON_BOTH(test_client_stalls),
		ON_BOTH(test_head_stalls),
		ON_BOTH(test_slow_reader),
		ON_BOTH(test_slow_client),
		ON_BOTH(test_slow_node),
		ON_BOTH(test_reads_nothing),
		ON_BOTH(test_silent_after_interims),
		ON_BOTH(test_upgrade_unasked),
		ON_BOTH(test_drain),
	};
	cmocka_set_test_filter(argc > 1 ? argv[1] : "*");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
