/* For tests of servers: a loop in a thread of its own, and plain blocking clients.
 *
 * What must happen on the loop's thread goes through rig_call, which waits for it. Every wait
 * has a deadline of 30 s that only a failing test reaches. */
#ifndef FL_TESTS_SUPPORT_RIG_H
#define FL_TESTS_SUPPORT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "loop/loop.h"

struct rig {
	struct fl_loop *loop;
	pthread_t thread;
	sem_t done;
};

struct rig_call {
	struct fl_task task;
	void (*fn)(void *arg);
	void *arg;
	sem_t *done;
};

__attribute__((unused)) static void rig_wait(sem_t *sem)
{
	struct timespec until;
	int rc;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	do {
		rc = sem_timedwait(sem, &until);
	} while (rc < 0 && errno == EINTR);
	if (rc < 0)
		fail_msg("the loop did not get there in 30 s");
}

__attribute__((unused)) static void *rig_main(void *arg)
{
	struct rig *rig = arg;
	(void)fl_loop_run(rig->loop);
	return NULL;
}

/* False when this machine has no such backend. */
__attribute__((unused)) static bool rig_start(struct rig *rig, enum fl_loop_backend backend)
{
	struct fl_loop_options options = {.backend = backend};
	int rc = fl_loop_new(&rig->loop, &options);

	if (rc == -ENOSYS || rc == -EPERM)
		return false;
	assert_int_equal(rc, 0);
	sem_init(&rig->done, 0, 0);
	assert_int_equal(pthread_create(&rig->thread, NULL, rig_main, rig), 0);
	return true;
}

__attribute__((unused)) static void rig_run_call(struct fl_task *task)
{
	struct rig_call *call = fl_container_of(task, struct rig_call, task);
	call->fn(call->arg);
	sem_post(call->done);
}

/* Runs fn(arg) on the loop's thread and waits for it. */
__attribute__((unused)) static void rig_call(struct rig *rig, void (*fn)(void *arg), void *arg)
{
	struct rig_call call = {.task = {.run = rig_run_call}, fn, arg, &rig->done};
	fl_loop_post(rig->loop, &call.task);
	rig_wait(&rig->done);
}

/* Everything on the loop must be closed. */
__attribute__((unused)) static void rig_stop(struct rig *rig)
{
	fl_loop_stop(rig->loop);
	assert_int_equal(pthread_join(rig->thread, NULL), 0);
	fl_loop_free(rig->loop);
	sem_destroy(&rig->done);
}

/* For on_closed callbacks: the cookie is a semaphore. */
__attribute__((unused)) static void rig_post(void *sem)
{
	sem_post(sem);
}

/* A listening, non-blocking socket on a free port of the loopback. */
__attribute__((unused)) static int rig_listen(int *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

/* recv until it is not interrupted: a loop in another thread may cause signals. */
__attribute__((unused)) static ssize_t rig_recv(int fd, void *p, size_t n)
{
	ssize_t got;
	do {
		got = recv(fd, p, n, 0);
	} while (got < 0 && errno == EINTR);
	return got;
}

__attribute__((unused)) static int rig_dial(int port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval limit = {30, 0};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	/* Interrupted, it goes on by itself; asked again, it says so or that it is done. */
	int rc;
	do {
		rc = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
	} while (rc < 0 && (errno == EINTR || errno == EALREADY));
	assert_true(rc == 0 || errno == EISCONN);
	return fd;
}

__attribute__((unused)) static void rig_send(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		assert_true(sent > 0);
		p += sent;
		n -= (size_t)sent;
	}
}

__attribute__((unused)) static void rig_say(int fd, const char *text)
{
	rig_send(fd, text, strlen(text));
}

/* One answer, or what there was before the end. `body` is NUL-terminated, to be freed. */
struct rig_answer {
	int status; /* 0: the connection ended first; -errno: it failed */
	char head[8192];
	char *body;
	size_t length;
};

__attribute__((unused)) static bool rig_byte(int fd, struct rig_answer *a, char *c)
{
	ssize_t n = rig_recv(fd, c, 1);
	if (n < 0)
		a->status = -errno;
	return n == 1;
}

/* Reads exactly one answer, and nothing of the next. `head_only`: to a HEAD. */
__attribute__((unused)) static struct rig_answer rig_read(int fd, bool head_only)
{
	struct rig_answer a = {.status = 0, .body = calloc(1, 1)};
	size_t n = 0, got = 0;

	while (n < 4 || memcmp(a.head + n - 4, "\r\n\r\n", 4) != 0) {
		assert_true(n < sizeof(a.head) - 1);
		if (!rig_byte(fd, &a, a.head + n)) {
			if (a.status == 0)
				assert_int_equal(n, 0); /* an end in mid-head */
			return a;
		}
		n++;
	}
	a.head[n] = 0;
	assert_memory_equal(a.head, "HTTP/1.1 ", 9);
	a.status = atoi(a.head + 9);
	const char *length = strstr(a.head, "\r\nContent-Length: ");
	a.length = length ? strtoul(length + 18, NULL, 10) : 0;
	if (head_only)
		return a;
	a.body = realloc(a.body, a.length + 1);
	while (got < a.length) {
		ssize_t more = rig_recv(fd, a.body + got, a.length - got);
		assert_true(more > 0);
		got += (size_t)more;
	}
	a.body[a.length] = 0;
	return a;
}

__attribute__((unused)) static void rig_expect(int fd, int status, const char *body)
{
	struct rig_answer a = rig_read(fd, false);
	assert_int_equal(a.status, status);
	if (body)
		assert_string_equal(a.body, body);
	free(a.body);
}

/* The connection ends here, cleanly. */
__attribute__((unused)) static void rig_expect_end(int fd)
{
	char c;
	assert_int_equal(rig_recv(fd, &c, 1), 0);
}

#endif
