/* The log: the form of lines, levels, the rate of a site, whole lines from many threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "obs/log.h"

static _Atomic uint64_t now_ms = 1767323045678; /* 2026-01-02T03:04:05.678Z */
#define STAMP "time=2026-01-02T03:04:05.678Z "

static int pipe_fds[2];
static char got[1 << 20];

static uint64_t fake_clock(void)
{
	return now_ms;
}

static int open_pipe(void **state)
{
	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
	fl_log_set_clock(fake_clock);
	fl_log_setup(pipe_fds[1], FL_LOG_INFO, FL_LOG_TEXT);
	return 0;
}

static int close_pipe(void **state)
{
	(void)state;
	fl_log_setup(STDERR_FILENO, FL_LOG_INFO, FL_LOG_TEXT);
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
	return 0;
}

static const char *drain(void)
{
	ssize_t n = read(pipe_fds[0], got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void lines_have_their_form(void **state)
{
	(void)state;
	fl_log(FL_LOG_INFO, "node %s is %s", "a", "up");
	assert_string_equal(drain(), STAMP "level=info msg=\"node a is up\"\n");
	fl_log(FL_LOG_ERROR, "x\n%s", "level=forged");
	assert_string_equal(drain(), STAMP "level=error msg=\"x\\nlevel=forged\"\n");
	fl_log_fields(
		FL_LOG_WARN, "moved", "pool", "app", "none", (char *)NULL, "by", "a b", NULL);
	assert_string_equal(drain(), STAMP "level=warn msg=moved pool=app by=\"a b\"\n");
	fl_log_setup(pipe_fds[1], FL_LOG_INFO, FL_LOG_JSON);
	fl_log_fields(FL_LOG_WARN, "moved", "pool", "a\"b", NULL);
	assert_string_equal(drain(),
		"{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\",\"msg\":\"moved\","
		"\"pool\":\"a\\\"b\"}\n");
}

static unsigned evaluated;

static unsigned evaluate(void)
{
	return ++evaluated;
}

static void levels(void **state)
{
	(void)state;
	fl_log(FL_LOG_DEBUG, "%u", evaluate());
	assert_string_equal(drain(), "");
	assert_int_equal(evaluated, 0);
	fl_log_setup(pipe_fds[1], FL_LOG_DEBUG, FL_LOG_TEXT);
	fl_log(FL_LOG_DEBUG, "%u", evaluate());
	assert_string_equal(drain(), STAMP "level=debug msg=1\n");
	fl_log_setup(pipe_fds[1], FL_LOG_ERROR, FL_LOG_TEXT);
	fl_log(FL_LOG_WARN, "x");
	assert_string_equal(drain(), "");
}

static size_t lines(const char *text)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void noisy(void)
{
	fl_log(FL_LOG_WARN, "noise");
}

static void a_site_has_a_rate(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		noisy();
	assert_int_equal(lines(drain()), FL_LOG_PER_SECOND);
	fl_log(FL_LOG_WARN, "another site");
	assert_int_equal(lines(drain()), 1);
	fl_log_tick(); /* the second is not over */
	assert_string_equal(drain(), "");
	now_ms += 1000;
	noisy();
	assert_string_equal(
		drain(), "time=2026-01-02T03:04:06.678Z level=warn suppressed=80 msg=noise\n");
	noisy();
	assert_string_equal(drain(), "time=2026-01-02T03:04:06.678Z level=warn msg=noise\n");
	for (int i = 0; i < 30; i++)
		noisy();
	(void)drain();
	now_ms += 1000;
	fl_log_tick();
	assert_string_equal(drain(), "time=2026-01-02T03:04:07.678Z level=warn suppressed=12 "
				     "msg=\"lines were left out\" of=noise\n");
	fl_log_tick();
	assert_string_equal(drain(), "");
	now_ms -= 2000;
}

static void what_cannot_be_written_is_counted(void **state)
{
	uint64_t before = fl_log_dropped();
	(void)state;
	fl_log_setup(-1, FL_LOG_INFO, FL_LOG_TEXT);
	errno = 1234;
	fl_log(FL_LOG_INFO, "x");
	assert_int_equal(errno, 1234);
	assert_int_equal(fl_log_dropped(), before + 1);
	fl_log_setup(pipe_fds[1], FL_LOG_INFO, FL_LOG_TEXT);
	memset(got, 'x', 100000);
	while (write(pipe_fds[1], got, 4096) > 0)
		continue;
	fl_log(FL_LOG_INFO, "x");
	assert_int_equal(fl_log_dropped(), before + 2);
}

static void long_messages_are_cut(void **state)
{
	char text[9000];
	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	fl_log(FL_LOG_INFO, "%s", text);
	size_t n = strlen(drain());
	assert_true(n <= 4096 && n > 4000);
	assert_string_equal(got + n - 10, " cut=true\n");
	assert_int_equal(lines(got), 1);
}

/* ---- threads ---- */

static _Atomic unsigned written;

static void *write_lines(void *arg)
{
	for (int i = 0; i < 300; i++) {
		(void)atomic_fetch_add(&written, 1);
		fl_log(FL_LOG_INFO, "thread %s", (const char *)arg);
		if (i % 50 == 0)
			(void)atomic_fetch_add(&now_ms, 1000);
		fl_log_tick();
	}
	return NULL;
}

static void threads_write_whole_lines(void **state)
{
	char path[] = "/tmp/fl-log-XXXXXX";
	static char names[4][400];
	pthread_t threads[4];
	char line[4096];
	unsigned seen = 0;
	int fd = mkostemp(path, O_APPEND | O_CLOEXEC);
	(void)state;
	assert_true(fd >= 0);
	fl_log_setup(fd, FL_LOG_INFO, FL_LOG_TEXT);
	for (int i = 0; i < 4; i++) {
		memset(names[i], 'a' + i, sizeof(names[i]) - 1);
		assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	(void)atomic_fetch_add(&now_ms, 5000);
	fl_log_tick();
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const char *suppressed = strstr(line, " suppressed=");
		const char *name = strstr(line, "\"thread ");
		assert_memory_equal(line, "time=2026-", 10);
		assert_int_equal(line[strlen(line) - 1], '\n');
		if (suppressed)
			seen += (unsigned)strtoul(suppressed + 12, NULL, 10);
		if (!strstr(line, "left out"))
			seen++;
		if (name && !suppressed) {
			char want[410];
			(void)snprintf(want, sizeof(want), "%s\"\n", names[name[8] - 'a']);
			assert_string_equal(name + 8, want);
		}
	}
	(void)fclose(file);
	/* Each line is there or is counted as left out. */
	assert_int_equal(seen, written);
	assert_int_equal(unlink(path), 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_have_their_form, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(levels, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(a_site_has_a_rate, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_written_is_counted, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(long_messages_are_cut, open_pipe, close_pipe),
		cmocka_unit_test_setup_teardown(
			threads_write_whole_lines, open_pipe, close_pipe),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
