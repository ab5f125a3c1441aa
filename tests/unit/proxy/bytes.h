/* Received buffers out of nothing, a generator, and heads from text, for tests of the proxy's
 * parts that do no I/O. */
#ifndef FL_TEST_PROXY_BYTES_H
#define FL_TEST_PROXY_BYTES_H

#include "base/slice.h"
#include "base/text.h"
#include "loop/loop.h"
#include "proto/http1.h"
#include "proxy/inq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* ---- a generator: every run of a test is the same ---- */

static uint64_t random_state = 1;

UNUSED static void seed(uint64_t s)
{
	random_state = s * 2 + 1;
}

UNUSED static uint32_t number(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % below);
}

/* ---- buffers ---- */

#define SOURCE_BUFFER (256 << 10)

/* Buffers belong to a loop, so this one receives from a socket pair. */
struct source {
	struct fl_loop *loop;
	struct fl_stream *stream;
	int fd;
	struct fl_rbuf *got;
};

static void source_recv(void *cookie, struct fl_rbuf *buf, int result)
{
	struct source *s = cookie;
	assert_true(result > 0);
	s->got = fl_rbuf_ref(buf);
	fl_loop_stop(s->loop);
}

UNUSED static void source_open(struct source *s)
{
	struct fl_loop_options options = {
		.backend = FL_LOOP_EPOLL, .buffer_size = SOURCE_BUFFER};
	int fd[2];
	*s = (struct source){0};
	assert_int_equal(fl_loop_new(&s->loop, &options), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	s->fd = fd[1];
	assert_int_equal(fl_stream_new(&s->stream, s->loop, fd[0], s), 0);
	assert_int_equal(fl_stream_recv(s->stream, source_recv), 0);
}

/* A buffer with those bytes, fewer than its size, and one reference. */
UNUSED static struct fl_rbuf *source_buf(struct source *s, const char *p, size_t n)
{
	s->got = NULL;
	assert_int_equal(send(s->fd, p, n, MSG_NOSIGNAL), n);
	while (!s->got)
		assert_int_equal(fl_loop_run(s->loop), 0);
	assert_int_equal(s->got->len, n);
	return s->got;
}

/* Into a queue, which then has the only reference. */
UNUSED static void feed(struct source *s, struct fl_inq *q, const char *p, size_t n)
{
	struct fl_rbuf *buf = source_buf(s, p, n);
	fl_inq_push(q, buf);
	fl_rbuf_unref(buf);
}

/* Stops when a buffer was not given back. */
UNUSED static void source_close(struct source *s)
{
	fl_stream_close(s->stream, false, NULL);
	fl_loop_free(s->loop);
	(void)close(s->fd);
}

/* ---- heads ---- */

static const struct fl_http1_limits limits = {.line = 8192, .head = 32768, .headers = 100};

UNUSED static void parse_request(struct fl_http1_head *head, const char *text)
{
	struct fl_http1_error err;
	size_t scanned = 0, n = strlen(text);
	assert_int_equal(fl_http1_head_end(text, n, &scanned, &limits, &err), n);
	if (fl_http1_request(text, n, &limits, head, &err))
		fail_msg("\"%s\": %s", text, err.why);
}

UNUSED static void parse_response(
	struct fl_http1_head *head, const char *text, enum fl_http1_method method)
{
	struct fl_http1_error err;
	size_t scanned = 0, n = strlen(text);
	assert_int_equal(fl_http1_head_end(text, n, &scanned, &limits, &err), n);
	if (fl_http1_response(text, n, method, &limits, head, &err))
		fail_msg("\"%s\": %s", text, err.why);
}

#endif
