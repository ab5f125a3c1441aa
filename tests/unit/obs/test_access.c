/* The access log: the form of records, and that it never waits and never mixes or halves them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "obs/access.h"

static char dir[32], path[64], other[64];
static char got[1 << 20];

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/fl-access-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	(void)snprintf(other, sizeof(other), "%s/log.1", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	(void)rmdir(dir);
	return 0;
}

/* Reads what there is behind the first `from` bytes of `got`. */
static size_t read_all(int fd, size_t from)
{
	size_t n = from;
	ssize_t r;
	while ((r = read(fd, got + n, sizeof(got) - 1 - n)) > 0)
		n += (size_t)r;
	got[n] = '\0';
	return n - from;
}

static const char *slurp(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	(void)read_all(fd, 0);
	(void)close(fd);
	return got;
}

static const struct fl_access_record full = {
	.time_ms = 1767323045678,
	.client = FL_SLICE("[2001:db8::1]:4711"),
	.listener = FL_SLICE("web"),
	.method = FL_SLICE("GET"),
	.host = FL_SLICE("example.com"),
	.target = FL_SLICE("/a?b=\"c\""),
	.status = 200,
	.bytes_in = 120,
	.bytes_out = 5000,
	.duration_us = 1500,
	.upstream_us = 1200,
	.pool = FL_SLICE("app"),
	.node = FL_SLICE("n1"),
	.key = FL_SLICE("header:x-user"),
	.attempt = 2,
	.retry = FL_SLICE("refused"),
	.error = FL_SLICE("cut off"),
	.truncated = true,
};

static void records_have_their_form(void **state)
{
	struct fl_access *access;
	struct fl_access_record none = {.target = FL_SLICE("/\n\xff")};
	struct stat st;
	(void)state;
	assert_int_equal(fl_access_new(&access, path, false), 0);
	fl_access_log(access, &full);
	fl_access_log(access, &none);
	assert_string_equal(slurp(path), ""); /* not before it is flushed */
	fl_access_flush(access);
	assert_string_equal(slurp(path),
		"time=2026-01-02T03:04:05.678Z client=[2001:db8::1]:4711 listener=web "
		"status=200 "
		"bytes_in=120 bytes_out=5000 duration_ms=1.500 attempt=2 upstream_ms=1.200 "
		"truncated=true pool=app node=n1 key=header:x-user retry=refused "
		"error=\"cut off\" method=GET host=example.com target=\"/a?b=\\\"c\\\"\"\n"
		"time=1970-01-01T00:00:00.000Z status=0 bytes_in=0 bytes_out=0 "
		"duration_ms=0.000 "
		"target=\"/\\n\\xff\"\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
	fl_access_free(access);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fl_access_new(&access, path, true), 0);
	fl_access_log(access, &full);
	fl_access_free(access); /* flushes */
	assert_string_equal(slurp(path),
		"{\"time\":\"2026-01-02T03:04:05.678Z\",\"client\":\"[2001:db8::1]:4711\","
		"\"listener\":\"web\",\"status\":200,\"bytes_in\":120,\"bytes_out\":5000,"
		"\"duration_ms\":1.500,\"attempt\":2,\"upstream_ms\":1.200,\"truncated\":true,"
		"\"pool\":\"app\",\"node\":\"n1\",\"key\":\"header:x-user\","
		"\"retry\":\"refused\",\"error\":\"cut off\",\"method\":\"GET\","
		"\"host\":\"example.com\",\"target\":\"/a?b=\\\"c\\\"\"}\n");
}

static void a_file_that_cannot_be_opened(void **state)
{
	struct fl_access *access = (void *)&path;
	(void)state;
	assert_int_equal(fl_access_new(&access, "/nonexistent/log", false), -ENOENT);
	assert_int_equal(fl_access_new_fd(&access, -1, false), -EBADF);
	assert_ptr_equal(access, &path);
	fl_access_free(NULL);
}

static void a_full_buffer_is_written(void **state)
{
	struct fl_access *access;
	(void)state;
	assert_int_equal(fl_access_new(&access, path, false), 0);
	for (int i = 0; i < 1000; i++)
		fl_access_log(access, &full);
	assert_true(strlen(slurp(path)) > 200000);
	fl_access_free(access);
	size_t len = strlen(slurp(path));
	assert_int_equal(len % 1000, 0);
	for (size_t at = len / 1000; at < len; at += len / 1000)
		assert_memory_equal(got, got + at, len / 1000);
}

static void a_renamed_file_is_opened_anew(void **state)
{
	struct fl_access *access;
	struct fl_access_record r = {.status = 1};
	(void)state;
	assert_int_equal(fl_access_new(&access, path, false), 0);
	fl_access_log(access, &r);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(fl_access_reopen(access), 0);
	r.status = 2;
	fl_access_log(access, &r);
	fl_access_flush(access);
	assert_non_null(strstr(slurp(other), "status=1"));
	assert_null(strstr(got, "status=2"));
	assert_non_null(strstr(slurp(path), "status=2"));
	/* When it cannot be opened, the old one stays. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(fl_access_reopen(access), -EISDIR);
	assert_int_equal(rmdir(path), 0);
	fl_access_log(access, &r);
	fl_access_flush(access);
	assert_int_equal(fl_access_dropped(access), 0);
	fl_access_free(access);
}

static void a_file_is_added_to(void **state)
{
	struct fl_access *a, *b;
	struct fl_access_record r = {.status = 1};
	(void)state;
	assert_int_equal(fl_access_new(&a, path, false), 0);
	fl_access_log(a, &r);
	fl_access_flush(a);
	assert_int_equal(fl_access_new(&b, path, false), 0);
	fl_access_log(b, &r);
	fl_access_free(b);
	fl_access_log(a, &r);
	fl_access_free(a);
	size_t len = strlen(slurp(path));
	assert_int_equal(len % 3, 0);
	assert_memory_equal(got, got + len / 3, len / 3);
	assert_memory_equal(got, got + len / 3 * 2, len / 3);
}

/* Every line that came through is a whole record, numbered upwards; those that did not are
 * counted. */
static void check_numbered(unsigned asked, uint64_t dropped)
{
	unsigned lines = 0;
	unsigned long last = 0;
	for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
		const char *status = strstr(line, " status=");
		assert_memory_equal(line, "time=", 5);
		assert_non_null(status);
		assert_non_null(strstr(line, "target=/end"));
		unsigned long n = strtoul(status + 8, NULL, 10);
		assert_true(n > last);
		last = n;
		lines++;
	}
	assert_int_equal(lines + dropped, asked);
	assert_true(lines > 0);
}

static void log_numbered(struct fl_access *access, unsigned from, unsigned to)
{
	static char host[700];
	struct fl_access_record r = {.target = FL_SLICE("/end")};
	memset(host, 'h', sizeof(host));
	for (unsigned i = from; i <= to; i++) {
		r.status = i;
		r.host = (struct fl_slice){host, 1 + i * 37 % sizeof(host)};
		fl_access_log(access, &r);
	}
}

static void nobody_reads_and_nothing_waits(int fds[2])
{
	struct fl_access *access;
	uint64_t dropped;
	int flags = fcntl(fds[1], F_GETFL);

	assert_int_equal(fl_access_new_fd(&access, fds[1], false), 0);
	assert_int_equal(fcntl(fds[1], F_GETFL), flags); /* the caller's is as it was */
	log_numbered(access, 1, 3000);
	assert_true(fl_access_dropped(access) > 0);
	/* Once somebody reads, what was kept follows. */
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	size_t n = 0, before;
	do {
		before = n;
		n += read_all(fds[0], n);
		fl_access_flush(access);
	} while (n > before);
	dropped = fl_access_dropped(access);
	fl_access_free(access);
	check_numbered(3000, dropped);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_pipe_that_is_full(void **state)
{
	int fds[2];
	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	nobody_reads_and_nothing_waits(fds);
}

static void a_socket_that_is_full(void **state)
{
	int fds[2];
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	nobody_reads_and_nothing_waits(fds);
}

static void two_writers_of_a_pipe(void **state)
{
	struct fl_access *writers[2];
	size_t n = 0, lines = 0;
	int fds[2];
	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fl_access_new_fd(&writers[i], fds[1], false), 0);
	/* Each finds the pipe full again and again, in the midst of its buffer. */
	for (unsigned round = 0; round < 12; round++) {
		for (int i = 0; i < 2; i++) {
			log_numbered(writers[i], round * 100, round * 100 + 80);
			fl_access_flush(writers[i]);
		}
		n += read_all(fds[0], n);
	}
	for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n")) {
		assert_memory_equal(line, "time=", 5);
		assert_non_null(strstr(line, "target=/end"));
		assert_null(strstr(line + 5, "time="));
		lines++;
	}
	assert_true(lines > 500);
	for (int i = 0; i < 2; i++) {
		fl_access_free(writers[i]);
		(void)close(fds[i]);
	}
}

static void a_reader_that_is_gone(void **state)
{
	struct fl_access *access;
	int fds[2];
	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fl_access_new_fd(&access, fds[1], false), 0);
	(void)close(fds[0]);
	log_numbered(access, 1, 10);
	fl_access_flush(access);
	assert_int_equal(fl_access_dropped(access), 10);
	fl_access_free(access);
	(void)close(fds[1]);
}

static void a_disk_that_is_full(void **state)
{
	struct rlimit old, small = {.rlim_cur = 10000, .rlim_max = RLIM_INFINITY};
	struct fl_access *access;
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	assert_int_equal(fl_access_new(&access, path, false), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	log_numbered(access, 1, 100);
	fl_access_flush(access); /* ends inside a record, and the rest fails */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	uint64_t dropped = fl_access_dropped(access);
	assert_true(dropped > 10 && dropped < 100);
	log_numbered(access, 101, 110);
	fl_access_flush(access);
	assert_int_equal(fl_access_dropped(access), dropped);
	fl_access_free(access);
	(void)slurp(path);
	/* The half record stands alone on its line. */
	assert_memory_equal(got + 10000, "\ntime=", 6);
	size_t start = 10000;
	while (got[start - 1] != '\n')
		start--;
	memmove(got + start, got + 10001, strlen(got + 10001) + 1);
	check_numbered(110, dropped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_have_their_form, make_dir, remove_dir),
		cmocka_unit_test(a_file_that_cannot_be_opened),
		cmocka_unit_test_setup_teardown(a_full_buffer_is_written, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(
			a_renamed_file_is_opened_anew, make_dir, remove_dir),
		cmocka_unit_test(a_pipe_that_is_full),
		cmocka_unit_test(a_socket_that_is_full),
		cmocka_unit_test_setup_teardown(a_file_is_added_to, make_dir, remove_dir),
		cmocka_unit_test(two_writers_of_a_pipe),
		cmocka_unit_test(a_reader_that_is_gone),
		cmocka_unit_test_setup_teardown(a_disk_that_is_full, make_dir, remove_dir),
	};
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
