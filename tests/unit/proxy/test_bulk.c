/* Bodies much larger than a receive buffer, both ways and in every framing: the same bytes come out
 * whoever is slow, what follows on the connection is found, and an early end is seen as one. */
#include "stage.h"

#include "proto/http1.h"

#define BODY_MAX (2u << 20)
#define WIRE_MAX (2u * BODY_MAX)

static uint64_t random_state;

static uint32_t number(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % below);
}

/* ---- a message on its way from one side to the other ---- */

struct flow {
	char *body, *wire, *got;
	size_t body_n, wire_n, wire_at, got_n;
	struct fl_http1_body framing; /* of what comes out */
	size_t body_at;               /* of it, checked */
};

static void flow_open(struct flow *f)
{
	*f = (struct flow){
		.body = malloc(BODY_MAX), .wire = malloc(WIRE_MAX), .got = malloc(WIRE_MAX)};
	for (size_t i = 0; i < BODY_MAX; i++)
		f->body[i] = (char)number(256);
}

static void flow_close(struct flow *f)
{
	free(f->body);
	free(f->wire);
	free(f->got);
}

/* Makes the wire: `n` bytes of the body, framed, and `after` behind them. */
static void flow_make(
	struct flow *f, enum fl_http1_framing framing, size_t n, const char *after)
{
	struct fl_http1_head head = {.framing = framing, .length = n};
	size_t longest = number(2) ? 3000 : 100000;

	f->body_n = n;
	f->wire_n = f->wire_at = f->got_n = f->body_at = 0;
	fl_http1_body_init(&f->framing, &head);
	for (size_t at = 0, run; at < n; at += run) {
		run = framing == FL_BODY_CHUNKED ? 1 + number((uint32_t)longest) : n;
		run = run < n - at ? run : n - at;
		if (framing == FL_BODY_CHUNKED)
			f->wire_n += (size_t)sprintf(f->wire + f->wire_n,
				number(9) ? "%zx\r\n" : "%zX;x=y\r\n", run);
		memcpy(f->wire + f->wire_n, f->body + at, run);
		f->wire_n += run;
		if (framing == FL_BODY_CHUNKED)
			f->wire_n += (size_t)sprintf(f->wire + f->wire_n, "\r\n");
	}
	if (framing == FL_BODY_CHUNKED)
		f->wire_n += (size_t)sprintf(f->wire + f->wire_n, "0\r\n\r\n");
	f->wire_n += (size_t)sprintf(f->wire + f->wire_n, "%s", after);
}

static void flow_send(struct flow *f, int fd, size_t step)
{
	size_t n = f->wire_n - f->wire_at;
	ssize_t sent = send(
		fd, f->wire + f->wire_at, n < step ? n : step, MSG_NOSIGNAL | MSG_DONTWAIT);
	assert_true(sent > 0 || errno == EAGAIN || errno == EINTR);
	f->wire_at += sent > 0 ? (size_t)sent : 0;
}

/* Receives some; false at an end, *error then says of which kind. */
static bool flow_recv(struct flow *f, int fd, size_t step, int *error)
{
	size_t room = WIRE_MAX - f->got_n;
	ssize_t n = recv(fd, f->got + f->got_n, room < step ? room : step, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		*error = n < 0 ? errno : 0;
		return false;
	}
	f->got_n += n > 0 ? (size_t)n : 0;
	return true;
}

/* Checks what came against the body; how many bytes of `got` belong to the message. */
static size_t flow_check(struct flow *f)
{
	size_t at = 0;

	while (at < f->got_n && !f->framing.done) {
		struct fl_slice data;
		long used = fl_http1_body_feed(&f->framing, f->got + at, f->got_n - at, &data);
		assert_true(used > 0);
		assert_true(data.n <= f->body_n - f->body_at);
		if (data.n)
			assert_memory_equal(data.p, f->body + f->body_at, data.n);
		f->body_at += data.n;
		at += (size_t)used;
	}
	return at;
}

static void wait_either(int from, bool sending, int to)
{
	struct pollfd p[2] = {
		{.fd = to, .events = POLLIN}, {.fd = sending ? from : -1, .events = POLLOUT}};
	assert_true(poll(p, 2, WAIT_S * 1000) > 0 || errno == EINTR);
}

/* Carries the whole body over, in steps of the sizes given. Bytes behind it stay in `got`, from
 * what is returned on. */
static size_t carry(struct flow *f, int from, int to, size_t send_step, size_t recv_step)
{
	size_t used = 0;
	int error;

	f->got_n = 0;
	while (f->body_at < f->body_n || !f->framing.done) {
		memmove(f->got, f->got + used, f->got_n - used);
		f->got_n -= used;
		wait_either(from, f->wire_at < f->wire_n, to);
		if (f->wire_at < f->wire_n)
			flow_send(f, from, send_step);
		if (!flow_recv(f, to, recv_step, &error))
			fail_msg("an end after %zu of %zu bytes: %s", f->body_at, f->body_n,
				strerror(error));
		used = flow_check(f);
	}
	/* What is behind the message, such as the next request. */
	while (f->wire_at < f->wire_n)
		flow_send(f, from, send_step);
	assert_int_equal(f->body_at, f->body_n);
	return used;
}

static size_t some_step(void)
{
	static const size_t steps[] = {1 << 20, 1 << 20, 100000, 4096, 1500};
	return steps[number(5)];
}

static size_t some_size(void)
{
	switch (number(4)) {
	case 0:
		return number(40000);
	case 1:
		return ((size_t)1 << 18) - 200 + number(400);
	default:
		return number(BODY_MAX);
	}
}

static void say_head(int fd, const char *start, enum fl_http1_framing framing, size_t n)
{
	if (framing == FL_BODY_CHUNKED)
		say(fd, "%sTransfer-Encoding: chunked\r\n\r\n", start);
	else if (framing == FL_BODY_LENGTH)
		say(fd, "%sContent-Length: %zu\r\n\r\n", start, n);
	else
		say(fd, "%s\r\n", start);
}

/* ---- what goes well ---- */

#define NEXT "GET /next HTTP/1.1\r\nHost: h\r\nX-Key: "

/* The whole head of the next request came right behind the body, or comes now. */
static void expect_next(struct stage *st, int n)
{
	hear_head(st, n);
	assert_memory_equal(st->heard, "GET /next ", 10);
}

/* An upload with the next request behind it, the answer to it, the answer to that: all over one
 * connection on each side. */
static void test_both_ways(void **state)
{
	struct stage *st = stage_open(state);
	char start[64], next[64];
	const char *key = key_of(st, 0, 1);
	struct flow up, down;
	int n = -1;

	random_state = 7;
	flow_open(&up);
	flow_open(&down);
	snprintf(start, sizeof(start), "POST / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\n", key);
	snprintf(next, sizeof(next), NEXT "%s\r\n\r\n", key);
	int c = client(st);
	for (int i = 0; i < 16; i++) {
		enum fl_http1_framing in = number(2) ? FL_BODY_LENGTH : FL_BODY_CHUNKED;
		enum fl_http1_framing out = number(2) ? FL_BODY_LENGTH : FL_BODY_CHUNKED;
		flow_make(&up, in, some_size(), next);
		say_head(c, start, in, up.body_n);
		if (n < 0)
			n = node(st, 0);
		hear_head(st, n);
		size_t used = carry(&up, c, n, some_step(), some_step());
		assert_int_equal(used, up.got_n);
		say(n, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
		hear_head(st, c);
		expect_next(st, n);
		flow_make(&down, out, some_size(), "");
		say_head(n, "HTTP/1.1 200 OK\r\n", out, down.body_n);
		hear_head(st, c);
		used = carry(&down, n, c, some_step(), some_step());
		assert_int_equal(used, down.got_n);
	}
	no_more(st, 0);
	assert_int_equal(counted(st, FL_COUNTER_UPSTREAM_CONNECTS), 1);
	flow_close(&up);
	flow_close(&down);
	done_with(c);
	done_with(n);
}

/* Until the connection ends: chunks for who knows them, else the end is passed on. */
static void test_until_close(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	struct flow f;

	random_state = 8;
	flow_open(&f);
	for (int i = 0; i < 6; i++) {
		int c = client(st);
		say(c, "GET / HTTP/1.%d\r\nHost: h\r\nX-Key: %s\r\n\r\n", i & 1, key);
		int n = node(st, 0);
		hear_head(st, n);
		flow_make(&f, FL_BODY_CLOSE, 1 + some_size(), "");
		struct fl_http1_head framing = {.length = f.body_n,
			.framing = i & 1 ? FL_BODY_CHUNKED : FL_BODY_LENGTH};
		fl_http1_body_init(&f.framing, &framing);
		say_head(n, "HTTP/1.1 200 OK\r\n", FL_BODY_CLOSE, 0);
		hear_head(st, c);
		/* The last byte only with the end, so that the end is waited for. */
		f.wire_n--;
		size_t body = f.body_n;
		while (f.wire_at < f.wire_n) {
			int error;
			wait_either(n, true, c);
			flow_send(&f, n, some_step());
			assert_true(flow_recv(&f, c, some_step(), &error));
		}
		assert_int_equal(send(n, f.wire + f.wire_n, 1, MSG_NOSIGNAL), 1);
		done_with(n);
		int error;
		do
			wait_either(-1, false, c);
		while (flow_recv(&f, c, 1 << 20, &error) && f.got_n < WIRE_MAX &&
			!(f.got_n >= 5 && i & 1 &&
				memcmp(f.got + f.got_n - 5, "0\r\n\r\n", 5) == 0));
		assert_int_equal(flow_check(&f), f.got_n);
		assert_int_equal(f.body_at, body);
		assert_true(f.framing.done);
		done_with(c);
	}
	flow_close(&f);
}

/* A client whose window is small, and another one beside it that is quick. */
static void test_slow_beside_quick(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	struct flow slow, quick;

	random_state = 9;
	flow_open(&slow);
	flow_open(&quick);
	int c[2] = {connect_with(st, 4096), client(st)}, n[2];
	for (int i = 0; i < 2; i++) {
		say(c[i], "GET / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\n\r\n", key);
		n[i] = node(st, 0);
		hear_head(st, n[i]);
	}
	flow_make(&slow, FL_BODY_LENGTH, BODY_MAX, "");
	say_head(n[0], "HTTP/1.1 200 OK\r\n", FL_BODY_LENGTH, slow.body_n);
	hear_head(st, c[0]);
	int full = 0;
	while (slow.wire_at < slow.wire_n && full < 20) {
		size_t before = slow.wire_at;
		flow_send(&slow, n[0], 1 << 20);
		full = slow.wire_at == before ? full + 1 : 0;
		(void)poll(NULL, 0, full > 0);
	}
	flow_make(&quick, FL_BODY_LENGTH, BODY_MAX, "");
	say_head(n[1], "HTTP/1.1 200 OK\r\n", FL_BODY_LENGTH, quick.body_n);
	hear_head(st, c[1]);
	(void)carry(&quick, n[1], c[1], 1 << 20, 1 << 20);
	(void)carry(&slow, n[0], c[0], 1 << 20, 3000);
	for (int i = 0; i < 2; i++) {
		done_with(c[i]);
		done_with(n[i]);
	}
	flow_close(&slow);
	flow_close(&quick);
}

/* ---- what does not ---- */

/* The node's answer ends, with FIN or RST, before it is complete: the client gets nothing that is
 * not of it, and cannot take what it has for all. */
static void test_answer_cut(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	struct flow f;

	random_state = 10;
	flow_open(&f);
	for (int i = 0; i < 12; i++) {
		enum fl_http1_framing framing = i & 1 ? FL_BODY_LENGTH : FL_BODY_CHUNKED;
		int c = client(st), error;
		say(c, "GET / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\n\r\n", key);
		int n = node(st, 0);
		hear_head(st, n);
		flow_make(&f, framing, 100 + some_size(), "");
		say_head(n, "HTTP/1.1 200 OK\r\n", framing, f.body_n);
		hear_head(st, c);
		f.wire_n = 1 + number((uint32_t)f.wire_n - 1);
		while (f.wire_at < f.wire_n) {
			wait_either(n, true, c);
			flow_send(&f, n, some_step());
			assert_true(flow_recv(&f, c, some_step(), &error));
		}
		if (i & 2)
			hang_up(n);
		else
			done_with(n);
		do
			wait_either(-1, false, c);
		while (flow_recv(&f, c, 1 << 20, &error));
		assert_int_equal(error, ECONNRESET);
		assert_int_equal(flow_check(&f), f.got_n);
		assert_false(f.framing.done);
		done_with(c);
	}
	flow_close(&f);
}

/* Somebody goes in the midst of a body: the other side hears of it, and nothing is left behind. */
static void leave(void **state, bool upload, bool client_goes)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	struct flow f;

	random_state = 11;
	flow_open(&f);
	for (int i = 0; i < 8; i++) {
		int c = client(st), error = 0;
		flow_make(&f, FL_BODY_LENGTH, BODY_MAX, "");
		say(c, "%s / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\nContent-Length: %zu\r\n\r\n",
			upload ? "POST" : "GET", key, upload ? f.body_n : 0);
		int n = node(st, 0);
		hear_head(st, n);
		if (!upload) {
			say_head(n, "HTTP/1.1 200 OK\r\n", FL_BODY_LENGTH, f.body_n);
			hear_head(st, c);
		}
		int from = upload ? c : n, to = upload ? n : c;
		int goes = client_goes ? c : n, stays = client_goes ? n : c;
		size_t sent = BODY_MAX / 4 + number(BODY_MAX / 2), heard = number(BODY_MAX / 4);
		f.wire_n = sent; /* the rest never comes */
		while (f.wire_at < sent || f.got_n < heard) {
			wait_either(from, f.wire_at < sent, to);
			if (f.wire_at < sent)
				flow_send(&f, from, 100000);
			if (f.got_n < heard)
				assert_true(flow_recv(&f, to, 1 << 20, &error));
			else
				(void)poll(NULL, 0, 1); /* it does not read */
		}
		if (i & 1)
			hang_up(goes);
		else
			done_with(goes);
		/* An upload that no node takes to its end is answered; all else is cut. */
		while (stays == from &&
			(send(from, f.wire, 65536, MSG_NOSIGNAL) > 0 || errno == EINTR))
			;
		while (stays == to && flow_recv(&f, to, 1 << 20, &error))
			wait_either(-1, false, to);
		if (stays == to)
			assert_int_equal(error, ECONNRESET);
		done_with(stays);
		none_active(st);
	}
	flow_close(&f);
}

static void test_client_leaves_answer(void **state)
{
	leave(state, false, true);
}

static void test_client_leaves_upload(void **state)
{
	leave(state, true, true);
}

static void test_node_leaves_upload(void **state)
{
	leave(state, true, false);
}

/* More than was announced is nobody's: the client gets what was, and the connection to the node is
 * not used again. */
static void test_longer_than_announced(void **state)
{
	struct stage *st = stage_open(state);
	const char *key = key_of(st, 0, 1);
	struct flow f;

	random_state = 12;
	flow_open(&f);
	int c = client(st), before = -1;
	for (int i = 0; i < 8; i++) {
		enum fl_http1_framing framing = i & 1 ? FL_BODY_LENGTH : FL_BODY_CHUNKED;
		say(c, "GET / HTTP/1.1\r\nHost: h\r\nX-Key: %s\r\n\r\n", key);
		int n = node(st, 0);
		hear_head(st, n);
		if (before >= 0)
			done_with(before);
		before = n;
		flow_make(&f, framing, some_size(), "HTTP/1.1 200 OK\r\n\r\n");
		say_head(n, "HTTP/1.1 200 OK\r\n", framing, f.body_n);
		hear_head(st, c);
		size_t used = carry(&f, n, c, 1 << 20, some_step());
		assert_int_equal(used, f.got_n);
	}
	done_with(before);
	done_with(c);
	flow_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_both_ways),
		ON_BOTH(test_until_close),
		ON_BOTH(test_slow_beside_quick),
		ON_BOTH(test_answer_cut),
		ON_BOTH(test_client_leaves_answer),
		ON_BOTH(test_client_leaves_upload),
		ON_BOTH(test_node_leaves_upload),
		ON_BOTH(test_longer_than_announced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
