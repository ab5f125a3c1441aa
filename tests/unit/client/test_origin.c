/* Connections to a node: taken most recently used first, kept within bounds, never kept stale,
 * and counted exactly. The node is played with plain sockets; both backends. */
#include "client/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stage {
	enum fl_loop_backend backend;
	struct fl_loop *loop;
	struct fl_origin *origin;
	_Atomic uint64_t connections;
	int listener;
	struct fl_addr addr;
	int connected, closed, released;
};

static struct stage stages[] = {{.backend = FL_LOOP_EPOLL}, {.backend = FL_LOOP_URING}};

static void released(void *owner)
{
	((struct stage *)owner)->released++;
}

static int setup(void **state)
{
	struct stage *st = *state;
	*st = (struct stage){.backend = st->backend};
	struct fl_loop_options options = {.backend = st->backend};
	(void)alarm(60);
	int rc = fl_loop_new(&st->loop, &options);
	if (rc == -ENOSYS || rc == -EPERM)
		return 0;
	st->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in any = {.sin_family = AF_INET};
	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t len = sizeof(any);
	if (rc || bind(st->listener, (struct sockaddr *)&any, len) ||
		listen(st->listener, 16) ||
		getsockname(st->listener, (struct sockaddr *)&any, &len))
		return -1;
	fl_addr_set(&st->addr, (struct sockaddr *)&any, len);
	return 0;
}

static int teardown(void **state)
{
	struct stage *st = *state;
	bool had = st->loop;
	fl_loop_free(st->loop);
	if (had && st->listener >= 0)
		(void)close(st->listener);
	(void)alarm(0);
	return had && (st->connections != 0 || st->released != 1);
}

static struct stage *begin(void **state, uint64_t keepalive_ms, unsigned keepalive)
{
	struct stage *st = *state;
	struct fl_origin_options options = {keepalive_ms, keepalive};
	if (!st->loop) {
		print_message("SKIP: no such backend here\n");
		skip();
	}
	st->origin =
		fl_origin_new(st->loop, &st->addr, &options, &st->connections, st, released);
	assert_non_null(st->origin);
	return st;
}

/* A turn that does not sleep. */
static void turn(struct stage *st)
{
	fl_loop_stop(st->loop);
	assert_int_equal(fl_loop_run(st->loop), 0);
}

static void until(struct stage *st, const int *what, int value)
{
	while (*what != value) {
		turn(st);
		(void)poll(NULL, 0, 1);
	}
}

static void on_connect(void *cookie, int result)
{
	struct stage *st = cookie;
	assert_int_equal(result, 0);
	st->connected++;
}

static void on_refused(void *cookie, int result)
{
	struct stage *st = cookie;
	assert_int_equal(result, -ECONNREFUSED);
	st->connected++;
}

static void on_closed(void *cookie)
{
	((struct stage *)cookie)->closed++;
}

static struct fl_conn *connect_one(struct stage *st, int *peer)
{
	int error = 0;
	struct fl_conn *c = fl_origin_connect(st->origin, st, on_connect, &error);
	assert_non_null(c);
	until(st, &st->connected, st->connected + 1);
	*peer = accept4(st->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(*peer >= 0);
	return c;
}

/* The peer of a connection that was closed hears the end of it. */
static void hear_end(struct stage *st, int peer)
{
	char byte;
	ssize_t n;
	while ((n = recv(peer, &byte, 1, MSG_DONTWAIT)) < 0 && errno != ECONNRESET) {
		turn(st);
		(void)poll(NULL, 0, 1);
	}
	assert_true(n <= 0);
}

static void end(struct stage *st)
{
	fl_origin_retire(st->origin);
	fl_origin_unref(st->origin);
	st->origin = NULL;
}

static void test_newest_first(void **state)
{
	struct stage *st = begin(state, 60000, 2);
	struct fl_conn *c[3];
	int peer[3];

	assert_null(fl_origin_take(st->origin, st));
	for (int i = 0; i < 3; i++)
		c[i] = connect_one(st, &peer[i]);
	assert_int_equal(st->connections, 3);
	assert_false(c[0]->reused);
	for (int i = 0; i < 3; i++)
		fl_conn_keep(c[i]);
	/* Two is the bound: the third was closed. */
	assert_int_equal(st->connections, 2);
	hear_end(st, peer[2]);
	assert_ptr_equal(fl_origin_take(st->origin, st), c[1]);
	assert_true(c[1]->reused);
	assert_ptr_equal(fl_origin_take(st->origin, st), c[0]);
	assert_null(fl_origin_take(st->origin, st));
	fl_conn_keep(c[0]);
	fl_conn_close(c[1], false, st, on_closed);
	until(st, &st->closed, 1);
	end(st);
	hear_end(st, peer[0]);
	for (int i = 0; i < 3; i++)
		(void)close(peer[i]);
}

/* What the peer does to an idle connection takes it away: closing, and speaking unasked. */
static void test_idle_ends(void **state)
{
	for (int how = 0; how < 2; how++) {
		struct stage *st = *state;
		st->released = 0;
		st = begin(state, 60000, 4);
		int peer;
		fl_conn_keep(connect_one(st, &peer));
		turn(st);
		if (how == 0)
			assert_int_equal(shutdown(peer, SHUT_WR), 0);
		else
			assert_int_equal(
				send(peer, "HTTP/1.1 408 \r\n\r\n", 17, MSG_NOSIGNAL), 17);
		while (st->connections) {
			turn(st);
			(void)poll(NULL, 0, 1);
		}
		assert_null(fl_origin_take(st->origin, st));
		(void)close(peer);
		end(st);
	}
}

/* A connection whose peer closed is not given out. (The loop knows what was reported when the turn
 * began.) */
static void test_stale_not_taken(void **state)
{
	struct stage *st = begin(state, 60000, 4);
	int peer[2];
	struct fl_conn *good = connect_one(st, &peer[0]), *bad = connect_one(st, &peer[1]);

	fl_conn_keep(good);
	fl_conn_keep(bad);
	turn(st);
	(void)close(peer[1]);
	for (int i = 0; i < 2; i++)
		turn(st);
	assert_ptr_equal(fl_origin_take(st->origin, st), good);
	assert_null(fl_origin_take(st->origin, st));
	assert_int_equal(st->connections, 1);
	fl_conn_close(good, true, NULL, NULL);
	(void)close(peer[0]);
	end(st);
}

static void test_idle_time(void **state)
{
	struct stage *st = begin(state, 30, 4);
	int peer[3];
	struct fl_conn *old = connect_one(st, &peer[0]), *fresh = connect_one(st, &peer[1]);

	fl_conn_keep(old);
	/* The next one has its own time, from when it was kept. */
	for (uint64_t now = fl_loop_now(st->loop); fl_loop_now(st->loop) < now + 15; turn(st))
		(void)poll(NULL, 0, 5);
	fl_conn_keep(fresh);
	while (st->connections) {
		turn(st);
		(void)poll(NULL, 0, 1);
	}
	assert_null(fl_origin_take(st->origin, st));
	/* And the sweep goes on after it had nothing to do. */
	fl_conn_keep(connect_one(st, &peer[2]));
	while (st->connections) {
		turn(st);
		(void)poll(NULL, 0, 1);
	}
	for (int i = 0; i < 3; i++)
		(void)close(peer[i]);
	end(st);
}

/* The last connection may outlive everybody else's references. */
static void test_retired(void **state)
{
	struct stage *st = begin(state, 60000, 4);
	int peer[2];
	struct fl_conn *used = connect_one(st, &peer[0]);

	fl_conn_keep(connect_one(st, &peer[1]));
	end(st);
	assert_int_equal(st->connections, 1);
	assert_int_equal(st->released, 0);
	/* Not kept: nobody would ever take it. */
	fl_conn_keep(used);
	assert_int_equal(st->connections, 0);
	assert_int_equal(st->released, 1);
	(void)close(peer[0]);
	(void)close(peer[1]);
}

static void test_refused(void **state)
{
	struct stage *st = begin(state, 60000, 4);
	int error = 0;

	(void)close(st->listener);
	st->listener = -1;
	struct fl_conn *c = fl_origin_connect(st->origin, st, on_refused, &error);
	assert_non_null(c);
	assert_int_equal(st->connections, 1);
	until(st, &st->connected, 1);
	fl_conn_close(c, true, st, on_closed);
	assert_int_equal(st->connections, 0);
	until(st, &st->closed, 1);
	end(st);
}

/* A head and its body are two segments; the second must not wait for the first one's ACK. */
static void test_no_delay(void **state)
{
	struct stage *st = begin(state, 60000, 4);
	int peer, on = 0;
	socklen_t len = sizeof(on);
	struct fl_conn *c = connect_one(st, &peer);

	assert_int_equal(
		getsockopt(fl_stream_fd(c->stream), IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
	assert_true(on);
	fl_conn_close(c, false, NULL, NULL);
	(void)close(peer);
	end(st);
}

#define ON_BOTH(test)                                                                          \
	{#test " (epoll)", test, setup, teardown, &stages[0]},                                 \
	{                                                                                      \
#test " (io_uring)", test, setup, teardown, &stages[1]                         \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_newest_first),
		ON_BOTH(test_idle_ends),
		ON_BOTH(test_stale_not_taken),
		ON_BOTH(test_idle_time),
		ON_BOTH(test_retired),
		ON_BOTH(test_refused),
		ON_BOTH(test_no_delay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
