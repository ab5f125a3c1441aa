/* The small server, as clients see it, on both loop backends: keep-alive, pipelining, bodies,
 * refusals that reach the client, bounds, deadlines, ends. */
#include "support/rig.h"

#include <sched.h>

#include "httpd/httpd.h"

struct place {
	struct rig rig;
	struct fl_httpd *server;
	struct fl_httpd_limits limits;
	int fd, port;
	sem_t closed;
	unsigned handled; /* on the loop's thread */
	char peer[64];
};

static bool is(struct fl_slice s, const char *text)
{
	return fl_slice_eq(s, fl_slice_of(text));
}

static void tell_request(const struct fl_httpd_request *req, struct fl_httpd_reply *reply)
{
	struct fl_slice x = fl_httpd_header(req, "X-Test");
	fl_httpd_printf(reply, "%.*s %.*s ?%.*s x=%.*s body=%llu:%.*s", (int)req->method_text.n,
		req->method_text.p, (int)req->path.n, req->path.p, (int)req->query.n,
		req->query.p, (int)x.n, x.p ? x.p : "", (unsigned long long)req->body_length,
		(int)req->body.n, req->body.n ? req->body.p : "");
}

static void handle(
	void *cookie, const struct fl_httpd_request *req, struct fl_httpd_reply *reply)
{
	struct place *t = cookie;
	t->handled++;
	snprintf(t->peer, sizeof(t->peer), "%s", req->peer);
	if (is(req->path, "/big")) {
		for (uint32_t i = 0; i < (8u << 20) / 4 && !fl_httpd_failed(reply); i++)
			fl_httpd_append(reply, (const char *)&i, 4);
	} else if (is(req->path, "/endless")) {
		while (!fl_httpd_failed(reply))
			fl_httpd_printf(reply, "%4096s", "");
	} else if (is(req->path, "/inject")) {
		fl_httpd_field(reply, "X-A", "b\r\nX-Evil: 1");
	} else if (is(req->path, "/fields")) {
		fl_httpd_field(reply, "X-One", "1");
		fl_httpd_field(reply, "X-Two", "zwei \t\xc3\xa4");
		fl_httpd_type(reply, "application/json");
		fl_httpd_status(reply, 418);
		fl_httpd_append(reply, "{}", 2);
	} else if (is(req->path, "/nothing")) {
		fl_httpd_status(reply, 204);
		fl_httpd_append(reply, "not to be sent", 14);
	} else if (is(req->path, "/slow")) {
		fl_httpd_delay(reply, 1000000);
	} else if (is(req->path, "/later")) {
		fl_httpd_delay(reply, 20);
		fl_httpd_append(reply, "late", 4);
	} else if (is(req->path, "/reset")) {
		fl_httpd_hang_up(reply, true);
	} else if (is(req->path, "/bye")) {
		fl_httpd_hang_up(reply, false);
		fl_httpd_append(reply, "bye", 3);
	} else if (is(req->path, "/close")) {
		fl_httpd_close(t->server, rig_post, &t->closed);
		fl_httpd_append(reply, "lost", 4);
	} else {
		tell_request(req, reply);
	}
}

static void open_server(void *arg)
{
	struct place *t = arg;
	assert_int_equal(
		fl_httpd_new(&t->server, t->rig.loop, t->fd, handle, t, &t->limits), 0);
}

static void close_server(void *arg)
{
	struct place *t = arg;
	fl_httpd_close(t->server, rig_post, &t->closed);
}

static struct place *set_up(void **state, const struct fl_httpd_limits *limits)
{
	struct place *t = calloc(1, sizeof(*t));
	if (!rig_start(&t->rig, *(enum fl_loop_backend *)*state)) {
		free(t);
		skip();
		abort(); /* skip does not come back, but the compiler cannot know */
	}
	if (limits)
		t->limits = *limits;
	sem_init(&t->closed, 0, 0);
	t->fd = rig_listen(&t->port);
	rig_call(&t->rig, open_server, t);
	return t;
}

static void free_place(struct place *t)
{
	rig_stop(&t->rig);
	sem_destroy(&t->closed);
	free(t);
}

static void tear_down(struct place *t)
{
	rig_call(&t->rig, close_server, t);
	rig_wait(&t->closed);
	free_place(t);
}

struct look {
	struct place *t;
	size_t open;
	unsigned handled;
};

static void look_in(void *arg)
{
	struct look *look = arg;
	look->open = fl_httpd_connections(look->t->server);
	look->handled = look->t->handled;
}

static struct look look_at(struct place *t)
{
	struct look look = {.t = t};
	rig_call(&t->rig, look_in, &look);
	return look;
}

static void a_request_is_answered(void **state)
{
	struct place *t = set_up(state, NULL);
	int fd = rig_dial(t->port);
	char expected[64];
	struct sockaddr_in me;
	socklen_t len = sizeof(me);

	rig_say(fd, "GET /a%20b?q=1&r HTTP/1.1\r\nHost: h\r\nx-tEST:  v \r\n\r\n");
	rig_expect(fd, 200, "GET /a%20b ?q=1&r x=v body=0:");
	rig_say(fd, "GET /fields HTTP/1.1\r\nHost: h\r\n\r\n");
	struct rig_answer a = rig_read(fd, false);
	assert_int_equal(a.status, 418);
	assert_string_equal(a.body, "{}");
	assert_non_null(strstr(a.head, "\r\nX-One: 1\r\nX-Two: zwei \t\xc3\xa4\r\n"));
	assert_non_null(strstr(a.head, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(a.head, "\r\nConnection: keep-alive\r\n"));
	assert_non_null(strstr(a.head, " GMT\r\n"));
	free(a.body);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&me, &len), 0);
	snprintf(expected, sizeof(expected), "127.0.0.1:%u", ntohs(me.sin_port));
	assert_string_equal(t->peer, expected);
	close(fd);
	tear_down(t);
}

static void pipelined_requests_keep_their_order(void **state)
{
	struct place *t = set_up(state, NULL);
	int fd = rig_dial(t->port);
	char *all = malloc(3000 * 64), want[64];
	size_t n = 0;

	for (int i = 0; i < 3000; i++)
		n += (size_t)sprintf(all + n, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
	rig_send(fd, all, n);
	for (int i = 0; i < 3000; i++) {
		snprintf(want, sizeof(want), "GET /%d ? x= body=0:", i);
		rig_expect(fd, 200, want);
	}
	free(all);
	close(fd);
	tear_down(t);
}

static void head_and_no_content_send_no_body(void **state)
{
	struct place *t = set_up(state, NULL);
	int fd = rig_dial(t->port);

	rig_say(fd,
		"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"
		"GET /y HTTP/1.1\r\nHost: h\r\n\r\n");
	struct rig_answer a = rig_read(fd, true);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.length, strlen("HEAD /x ? x= body=0:"));
	free(a.body);
	a = rig_read(fd, false);
	assert_int_equal(a.status, 204);
	assert_null(strstr(a.head, "Content-Length"));
	free(a.body);
	rig_expect(fd, 200, "GET /y ? x= body=0:");
	close(fd);
	tear_down(t);
}

static void connections_end_when_asked(void **state)
{
	static const char *const last[] = {"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
		"GET /bye HTTP/1.1\r\nHost: h\r\n\r\n"};
	struct place *t = set_up(state, NULL);

	for (size_t i = 0; i < 3; i++) {
		int fd = rig_dial(t->port);
		rig_say(fd, last[i]);
		struct rig_answer a = rig_read(fd, false);
		assert_int_equal(a.status, 200);
		assert_non_null(strstr(a.head, "\r\nConnection: close\r\n"));
		free(a.body);
		rig_expect_end(fd);
		close(fd);
	}
	int fd = rig_dial(t->port);
	rig_say(fd, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	rig_expect(fd, 200, NULL);
	rig_say(fd, "GET /later HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_expect(fd, 200, "late");
	rig_say(fd, "GET /reset HTTP/1.1\r\nHost: h\r\n\r\n");
	struct rig_answer a = rig_read(fd, false);
	assert_int_equal(a.status, -ECONNRESET);
	free(a.body);
	close(fd);
	tear_down(t);
}

static void a_half_closed_client_gets_its_answers(void **state)
{
	struct place *t = set_up(state, NULL);
	int fd = rig_dial(t->port);

	rig_say(fd, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /later HTTP/1.1\r\nHost: h\r\n\r\n"
		    "GET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /cut HTT");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	rig_expect(fd, 200, "GET /1 ? x= body=0:");
	rig_expect(fd, 200, "late");
	rig_expect(fd, 200, "GET /2 ? x= body=0:");
	rig_expect_end(fd);
	close(fd);
	tear_down(t);
}

static void bodies_are_given_whole(void **state)
{
	static const char text[] =
		"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
		"PUT /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3;x=y\r\nabc\r\n4\r\ndefg\r\n0\r\nT: u\r\n\r\n"
		"POST /c HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nX-Test: e\r\n\r\n"
		"GET /d HTTP/1.1\r\nHost: h\r\n\r\n";
	struct place *t = set_up(state, NULL);
	int fd = rig_dial(t->port);

	/* At once, then byte by byte: the same answers. */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0, n = round ? 1 : sizeof(text) - 1; i < sizeof(text) - 1;
			i += n)
			rig_send(fd, text + i, n);
		rig_expect(fd, 200, "POST /a ? x= body=5:hello");
		rig_expect(fd, 200, "PUT /b ? x= body=7:abcdefg");
		rig_expect(fd, 200, "POST /c ? x=e body=0:");
		rig_expect(fd, 200, "GET /d ? x= body=0:");
	}
	close(fd);
	tear_down(t);
}

static void a_body_is_cut_or_refused_at_its_bounds(void **state)
{
	struct place *t = set_up(state, &(struct fl_httpd_limits){.body = 4, .discard = 8});
	int fd = rig_dial(t->port);

	rig_say(fd, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\n12345678");
	rig_expect(fd, 200, "POST /a ? x= body=8:1234");
	rig_say(fd, "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
	rig_expect(fd, 200, "POST /b ? x= body=6:abcd");
	rig_say(fd, "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
		    "3\r\nabc\r\n6\r\ndef");
	rig_say(fd, "ghi\r\n");
	rig_expect(fd, 413, NULL);
	rig_expect_end(fd);
	close(fd);
	fd = rig_dial(t->port);
	rig_say(fd, "POST /d HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue"
		    "\r\n\r\n");
	rig_expect(fd, 413, NULL);
	rig_expect_end(fd);
	close(fd);
	assert_int_equal(look_at(t).handled, 2);
	tear_down(t);
}

static void a_client_may_wait_for_continue(void **state)
{
	struct place *t = set_up(state, NULL);
	int fd = rig_dial(t->port);

	rig_say(fd, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue"
		    "\r\n\r\n");
	rig_expect(fd, 100, NULL);
	rig_say(fd, "ok");
	rig_expect(fd, 200, "POST /a ? x= body=2:ok");
	close(fd);
	tear_down(t);
}

static void refuse_one(struct place *t, const char *bytes, size_t n, int status)
{
	int fd = rig_dial(t->port);
	rig_say(fd, "GET /before HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_expect(fd, 200, NULL);
	rig_send(fd, bytes, n);
	struct rig_answer a = rig_read(fd, false);
	assert_int_equal(a.status, status);
	assert_non_null(strstr(a.head, "\r\nConnection: close\r\n"));
	free(a.body);
	rig_expect_end(fd);
	close(fd);
}

static void what_is_malformed_is_refused(void **state)
{
	struct place *t = set_up(state, NULL);
	char *longish = malloc(20000);
	static const struct {
		const char *text;
		int status;
	} bad[] = {
		{"GET / HTTP/1.1\r\n\r\n", 400},
		{"GET / HTTP/1.1\nHost: h\n\n", 400},
		{"GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400},
		{"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
		{"\x16\x03\x01\x02\x00\x01", 400},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
			400},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n",
			400},
		{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refuse_one(t, bad[i].text, strlen(bad[i].text), bad[i].status);
	memset(longish, 'a', 20000);
	memcpy(longish, "GET /", 5);
	refuse_one(t, longish, 9000, 414);
	memcpy(longish, "GET / HTTP/1.1\r\nHost: h\r\nX: ", 28);
	refuse_one(t, longish, 17000, 431);
	free(longish);
	tear_down(t);
}

/* The answer must reach a client that goes on sending: a close on unread bytes would be an RST
 * that overtakes it. */
static void a_refusal_reaches_a_client_that_goes_on(void **state)
{
	struct place *t = set_up(state, NULL);
	char *noise = calloc(1, 1 << 20);
	int fd = rig_dial(t->port);

	rig_say(fd, "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n");
	rig_send(fd, noise, 1 << 20);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	rig_expect(fd, 413, NULL);
	rig_expect_end(fd);
	close(fd);
	free(noise);
	tear_down(t);
}

static void slow_requests_are_answered_408(void **state)
{
	static const char *const slow[] = {"GET / HTTP/1.1\r\nHo",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345"};
	struct place *t =
		set_up(state, &(struct fl_httpd_limits){.head_ms = 20, .body_ms = 20});

	for (size_t i = 0; i < 2; i++) {
		int fd = rig_dial(t->port);
		rig_say(fd, slow[i]);
		rig_expect(fd, 408, NULL);
		rig_expect_end(fd);
		close(fd);
	}
	assert_int_equal(look_at(t).handled, 0);
	tear_down(t);
}

static void idle_peers_and_peers_that_do_not_read_are_cut(void **state)
{
	struct place *t = set_up(state, &(struct fl_httpd_limits){.idle_ms = 20});
	int fd = rig_dial(t->port);

	rig_expect_end(fd);
	close(fd);
	fd = rig_dial(t->port);
	for (int i = 0; i < 8; i++)
		(void)send(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n", 31, MSG_NOSIGNAL);
	while (look_at(t).open > 0) /* only a deadline can end it */
		sched_yield();
	close(fd);
	tear_down(t);
}

static void the_number_of_connections_is_bounded(void **state)
{
	struct place *t = set_up(state, &(struct fl_httpd_limits){.connections = 2});
	int a = rig_dial(t->port), b, c, d;

	rig_say(a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_expect(a, 200, NULL);
	b = rig_dial(t->port);
	rig_say(b, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_expect(b, 200, NULL);
	rig_say(a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_expect(a, 200, NULL);
	c = rig_dial(t->port); /* b was idle for longest */
	rig_expect_end(b);
	rig_say(a, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_say(c, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
	while (look_at(t).handled < 5)
		sched_yield();
	d = rig_dial(t->port); /* nobody is idle now */
	rig_expect(d, 503, NULL);
	rig_expect_end(d);
	close(a);
	close(b);
	close(c);
	close(d);
	tear_down(t);
}

static void large_replies_come_whole(void **state)
{
	struct place *t = set_up(state, &(struct fl_httpd_limits){.reply = 8u << 20});
	int fd = rig_dial(t->port);

	rig_say(fd, "GET /big HTTP/1.1\r\nHost: h\r\n\r\nGET /endless HTTP/1.1\r\nHost: h\r\n"
		    "\r\nGET /inject HTTP/1.1\r\nHost: h\r\n\r\n");
	struct rig_answer a = rig_read(fd, false);
	assert_int_equal(a.status, 200);
	assert_int_equal(a.length, 8u << 20);
	for (uint32_t i = 0, v; i < a.length / 4; i++) {
		memcpy(&v, a.body + 4 * i, 4);
		if (v != i)
			fail_msg("word %u is %u", i, v);
	}
	free(a.body);
	rig_expect(fd, 500, "the answer does not fit\n");
	a = rig_read(fd, false);
	assert_int_equal(a.status, 500);
	assert_null(strstr(a.head, "Evil"));
	free(a.body);
	close(fd);
	tear_down(t);
}

static void a_server_closes_in_the_midst(void **state)
{
	struct place *t = set_up(state, NULL);
	int idle = rig_dial(t->port), part = rig_dial(t->port), slow = rig_dial(t->port),
	    big = rig_dial(t->port);

	rig_say(part, "GET /par");
	rig_say(slow, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_say(big, "GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
	struct rig_answer a = {.status = 0};
	for (int i = 0; i < 12; i++)
		assert_true(rig_byte(big, &a, &a.head[i]));
	tear_down(t);
	close(idle);
	close(part);
	close(slow);
	close(big);
}

static void a_handler_may_close_the_server(void **state)
{
	struct place *t = set_up(state, NULL);
	int fd = rig_dial(t->port), other = rig_dial(t->port);

	rig_say(fd, "GET /close HTTP/1.1\r\nHost: h\r\n\r\nGET /x HTTP/1.1\r\nHost: h\r\n\r\n");
	rig_wait(&t->closed);
	assert_int_equal(t->handled, 1);
	close(fd);
	close(other);
	free_place(t);
}

static void a_server_without_connections_closes_later(void **state)
{
	struct place *t = set_up(state, NULL);
	tear_down(t);
}

int main(void)
{
	static enum fl_loop_backend epoll = FL_LOOP_EPOLL, uring = FL_LOOP_URING;
#define BOTH(f)                                                                                \
	{#f " (epoll)", f, NULL, NULL, &epoll},                                                \
	{                                                                                      \
#f " (io_uring)", f, NULL, NULL, &uring                                        \
	}
	const struct CMUnitTest tests[] = {
		BOTH(a_request_is_answered),
		BOTH(pipelined_requests_keep_their_order),
		BOTH(head_and_no_content_send_no_body),
		BOTH(connections_end_when_asked),
		BOTH(a_half_closed_client_gets_its_answers),
		BOTH(bodies_are_given_whole),
		BOTH(a_body_is_cut_or_refused_at_its_bounds),
		BOTH(a_client_may_wait_for_continue),
		BOTH(what_is_malformed_is_refused),
		BOTH(a_refusal_reaches_a_client_that_goes_on),
		BOTH(slow_requests_are_answered_408),
		BOTH(idle_peers_and_peers_that_do_not_read_are_cut),
		BOTH(the_number_of_connections_is_bounded),
		BOTH(large_replies_come_whole),
		BOTH(a_server_closes_in_the_midst),
		BOTH(a_handler_may_close_the_server),
		BOTH(a_server_without_connections_closes_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
