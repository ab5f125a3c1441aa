/* What the loop's tests share: a fixture for each backend, and an endpoint that remembers
 * what its callbacks were told.
 *
 * Every callback stops the loop, so that a test runs it until what it waits for is true; a
 * wait that never ends is cut by alarm(), and no clock decides anything else. */
#ifndef FL_TEST_LOOP_UTIL_H
#define FL_TEST_LOOP_UTIL_H

#include "loop/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER 1024 /* receive buffers in tests: small, so that little data fills many */

struct backend {
	const char *name;
	enum fl_loop_backend id;
	bool minimal; /* as on the oldest kernel that will do */
};

struct fixture {
	struct fl_loop *loop; /* NULL: the kernel has no such backend */
	const struct backend *backend;
	int fds;
};

__attribute__((unused)) static struct backend epoll = {"epoll", FL_LOOP_EPOLL, false};
__attribute__((unused)) static struct backend uring = {"io_uring", FL_LOOP_URING, false};
__attribute__((unused)) static struct backend uring_minimal = {
	"io_uring, minimal", FL_LOOP_URING, true};

static int count_fds(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static struct fl_loop_options options_of(const struct backend *backend)
{
	return (struct fl_loop_options){
		.backend = backend->id,
		.buffer_size = BUFFER,
		.buffer_cache = 4,
		.ring_minimal = backend->minimal,
	};
}

__attribute__((unused)) static int fixture_setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));
	fx->backend = *state;
	fx->fds = count_fds();
	struct fl_loop_options options = options_of(fx->backend);
	int rc = fl_loop_new(&fx->loop, &options);
	*state = fx;
	if (rc == -ENOSYS || rc == -EPERM)
		return 0;
	return rc;
}

__attribute__((unused)) static int fixture_teardown(void **state)
{
	struct fixture *fx = *state;
	fl_loop_free(fx->loop);
	int leaked = count_fds() - fx->fds;
	free(fx);
	if (leaked != 0)
		print_error("%d descriptors leaked\n", leaked);
	return leaked;
}

/* The loop of a test; skips the test where the kernel has none. */
static struct fl_loop *loop_of(void **state)
{
	struct fixture *fx = *state;
	if (!fx->loop) {
		print_message("SKIP: no %s here\n", fx->backend->name);
		skip();
	}
	return fx->loop;
}

#define ON_ONE(test, which)                                                                    \
	{                                                                                      \
#test " (" #which ")", test, fixture_setup, fixture_teardown, &(which)         \
	}
/* Both backends; io_uring also as it is on older kernels. */
#define ON_BOTH(test) ON_ONE(test, epoll), ON_ONE(test, uring), ON_ONE(test, uring_minimal)

/* Runs the loop until `cond`; something must stop it whenever that may have changed. */
#define UNTIL(loop, cond)                                                                      \
	do {                                                                                   \
		while (!(cond))                                                                \
			assert_int_equal(fl_loop_run(loop), 0);                                \
	} while (0)

/* Exactly n turns without sleeping. */
__attribute__((unused)) static void turns(struct fl_loop *loop, int n)
{
	for (int i = 0; i < n; i++) {
		fl_loop_stop(loop);
		assert_int_equal(fl_loop_run(loop), 0);
	}
}

/* ---- an endpoint ---- */

#define NOTHING 12345 /* no result yet */

struct end {
	struct fl_loop *loop;
	struct fl_stream *s;
	char *got;
	size_t got_len, got_room;
	int recv_calls, end, sent_calls, sent, connect_calls, connected, closed_calls;
	bool pause_each; /* pauses in every on_recv */
	bool in_call;    /* a function of the loop is being called: callbacks are forbidden */
};

__attribute__((unused)) static void end_init(struct end *e, struct fl_loop *loop)
{
	*e = (struct end){.loop = loop, .end = NOTHING, .sent = NOTHING, .connected = NOTHING};
}

__attribute__((unused)) static void on_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct end *e = cookie;
	assert_false(e->in_call);
	assert_int_equal(e->closed_calls, 0);
	assert_int_equal(e->end, NOTHING);
	e->recv_calls++;
	fl_loop_stop(e->loop);
	if (result <= 0) {
		assert_null(buf);
		e->end = result;
		return;
	}
	assert_int_equal(buf->len, result);
	if (e->got_len + buf->len > e->got_room) {
		e->got_room = 2 * (e->got_len + buf->len);
		e->got = realloc(e->got, e->got_room);
	}
	memcpy(e->got + e->got_len, buf->data, buf->len);
	e->got_len += buf->len;
	if (e->pause_each)
		fl_stream_recv_pause(e->s);
}

__attribute__((unused)) static void on_sent(void *cookie, int result)
{
	struct end *e = cookie;
	assert_false(e->in_call);
	e->sent_calls++;
	e->sent = result;
	fl_loop_stop(e->loop);
}

__attribute__((unused)) static void on_connect(void *cookie, int result)
{
	struct end *e = cookie;
	assert_false(e->in_call);
	e->connect_calls++;
	e->connected = result;
	fl_loop_stop(e->loop);
}

__attribute__((unused)) static void on_closed(void *cookie)
{
	struct end *e = cookie;
	assert_false(e->in_call);
	e->closed_calls++;
	e->s = NULL;
	fl_loop_stop(e->loop);
}

__attribute__((unused)) static void end_wrap(struct end *e, struct fl_loop *loop, int fd)
{
	end_init(e, loop);
	assert_int_equal(fl_stream_new(&e->s, loop, fd, e), 0);
}

__attribute__((unused)) static void end_recv(struct end *e)
{
	e->in_call = true;
	assert_int_equal(fl_stream_recv(e->s, on_recv), 0);
	e->in_call = false;
}

__attribute__((unused)) static int end_send(struct end *e, const void *p, size_t n)
{
	struct iovec iov = {(void *)p, n};
	e->in_call = true;
	int rc = fl_stream_send(e->s, &iov, 1, on_sent);
	e->in_call = false;
	return rc;
}

/* Closes and waits for the end of it. */
__attribute__((unused)) static void end_close(struct end *e)
{
	if (e->s) {
		e->in_call = true;
		fl_stream_close(e->s, false, on_closed);
		e->in_call = false;
		UNTIL(e->loop, e->closed_calls == 1);
	}
	free(e->got);
	e->got = NULL;
	e->got_room = 0;
}

/* ---- raw sockets ---- */

__attribute__((unused)) static void raw_pair(int fd[2])
{
	fd[0] = fd[1] = -1;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
}

/* A stream, and the plain blocking socket at its other end. */
__attribute__((unused)) static int pair_with_raw(struct end *e, struct fl_loop *loop)
{
	int fd[2];
	raw_pair(fd);
	assert_int_equal(fcntl(fd[1], F_SETFL, 0), 0);
	end_wrap(e, loop, fd[0]);
	return fd[1];
}

__attribute__((unused)) static void raw_write(int fd, const void *p, size_t n)
{
	assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), n);
}

__attribute__((unused)) static int tcp_listen(struct sockaddr_in *addr, int backlog)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*addr = (struct sockaddr_in){.sin_family = AF_INET};
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t len = sizeof(*addr);
	assert_int_equal(bind(fd, (struct sockaddr *)addr, len), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)addr, &len), 0);
	return fd;
}

/* A connected pair over loopback TCP: e is a stream, the other end is returned. */
__attribute__((unused)) static int tcp_with_raw(struct end *e, struct fl_loop *loop)
{
	struct sockaddr_in addr;
	int listener = tcp_listen(&addr, 8);
	int raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(raw, (struct sockaddr *)&addr, sizeof(addr)), 0);
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_true(fd >= 0);
	close(listener);
	end_wrap(e, loop, fd);
	return raw;
}

__attribute__((unused)) static void raw_reset(int fd)
{
	struct linger now = {1, 0};
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
	close(fd);
}

/* ---- seeded bytes ---- */

static inline uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* The byte at `at` of stream `id`: what a sender sends and a receiver expects. */
static inline char pattern(uint64_t id, uint64_t at)
{
	return (char)(mix(id ^ ((at >> 3) * 0x2545f491)) >> ((at & 7) * 8));
}

__attribute__((unused)) static char *pattern_new(uint64_t id, uint64_t from, size_t n)
{
	char *p = malloc(n ? n : 1);
	for (size_t i = 0; i < n; i++)
		p[i] = pattern(id, from + i);
	return p;
}

#endif
