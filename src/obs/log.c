/* A record is put together on the stack and leaves in one write.
 *
 * The rate limit is one atomic word a site, the second and the lines asked for in it: a compare
 * and swap per record decides for all threads alike, so at most FL_LOG_PER_SECOND lines of a site
 * leave in a second of the wall clock, however many threads ask. A clock that jumps only begins a
 * new window. Sites that suppressed are kept in a list that only grows (they are static objects
 * of the program, so it is bounded), for fl_log_tick to visit. */
#include "obs/log.h"

#include "obs/line.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

typedef uint64_t clock_fn(void);

static _Atomic int log_fd = STDERR_FILENO;
static _Atomic int log_level = FL_LOG_INFO;
static _Atomic int log_format = FL_LOG_TEXT;
static clock_fn *_Atomic log_clock;
static _Atomic uint64_t log_dropped;
static _Atomic(struct fl_log_site *) log_sites;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void fl_log_setup(int fd, enum fl_log_level level, enum fl_log_format format)
{
	atomic_store(&log_fd, fd);
	atomic_store(&log_level, (int)level);
	atomic_store(&log_format, (int)format);
}

void fl_log_set_clock(uint64_t (*wall_ms)(void))
{
	atomic_store(&log_clock, wall_ms);
}

bool fl_log_enabled(enum fl_log_level level)
{
	return (int)level >= atomic_load_explicit(&log_level, memory_order_relaxed);
}

uint64_t fl_log_dropped(void)
{
	return atomic_load_explicit(&log_dropped, memory_order_relaxed);
}

static uint64_t wall_ms(void)
{
	clock_fn *other = atomic_load_explicit(&log_clock, memory_order_relaxed);
	struct timespec now;

	if (other)
		return other();
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the rate limit ---- */

static void list_site(struct fl_log_site *site)
{
	struct fl_log_site *head;

	if (atomic_exchange(&site->listed, true))
		return;
	head = atomic_load(&log_sites);
	do
		atomic_store(&site->next, head);
	while (!atomic_compare_exchange_weak(&log_sites, &head, site));
}

/* Whether a line of `site` may leave now. */
static bool admit(struct fl_log_site *site, uint64_t ms, const char *where)
{
	uint64_t second = ms / 1000 & UINT32_MAX;
	uint64_t old = atomic_load_explicit(&site->window, memory_order_relaxed), new;

	do {
		uint64_t lines = old >> 32 == second ? old & UINT32_MAX : 0;
		if (lines >= FL_LOG_PER_SECOND) {
			(void)atomic_fetch_add(&site->suppressed, 1);
			atomic_store_explicit(&site->where, where, memory_order_relaxed);
			list_site(site);
			return false;
		}
		new = second << 32 | (lines + 1);
	} while (!atomic_compare_exchange_weak(&site->window, &old, new));
	return true;
}

/* ---- one record ---- */

static void begin(struct fl_line *line, char *buf, uint64_t ms, enum fl_log_level level)
{
	fl_line_begin(line, buf, FL_LINE_MAX,
		atomic_load_explicit(&log_format, memory_order_relaxed) == FL_LOG_JSON);
	fl_line_time(line, FL_SLICE("time"), ms);
	fl_line_string(line, FL_SLICE("level"), fl_slice_of(level_names[level]));
}

static void finish(struct fl_line *line)
{
	size_t n = fl_line_end(line);
	int fd = atomic_load_explicit(&log_fd, memory_order_relaxed);
	ssize_t written;

	do
		written = write(fd, line->p, n);
	while (written < 0 && errno == EINTR);
	if (written != (ssize_t)n)
		(void)atomic_fetch_add_explicit(&log_dropped, 1, memory_order_relaxed);
}

static void put_suppressed(struct fl_line *line, struct fl_log_site *site)
{
	uint64_t n = atomic_load_explicit(&site->suppressed, memory_order_relaxed)
	                     ? atomic_exchange(&site->suppressed, 0)
	                     : 0;
	if (n)
		fl_line_number(line, FL_SLICE("suppressed"), n);
}

void fl_log_at(struct fl_log_site *site, enum fl_log_level level, const char *format, ...)
{
	int saved = errno;
	uint64_t ms = wall_ms();
	char buf[FL_LINE_MAX], message[FL_LINE_MAX];
	struct fl_line line;
	va_list args;

	if (admit(site, ms, format)) {
		va_start(args, format);
		(void)vsnprintf(message, sizeof(message), format, args);
		va_end(args);
		begin(&line, buf, ms, level);
		put_suppressed(&line, site);
		fl_line_string(&line, FL_SLICE("msg"), fl_slice_of(message));
		finish(&line);
	}
	errno = saved;
}

void fl_log_fields_at(
	struct fl_log_site *site, enum fl_log_level level, const char *message, ...)
{
	int saved = errno;
	uint64_t ms = wall_ms();
	char buf[FL_LINE_MAX];
	struct fl_line line;
	const char *key;
	va_list args;

	if (admit(site, ms, message)) {
		begin(&line, buf, ms, level);
		put_suppressed(&line, site);
		fl_line_string(&line, FL_SLICE("msg"), fl_slice_of(message));
		va_start(args, message);
		while ((key = va_arg(args, const char *))) {
			const char *value = va_arg(args, const char *);
			if (value)
				fl_line_string(&line, fl_slice_of(key), fl_slice_of(value));
		}
		va_end(args);
		finish(&line);
	}
	errno = saved;
}

void fl_log_tick(void)
{
	struct fl_log_site *site = atomic_load(&log_sites);
	uint64_t ms = wall_ms();
	char buf[FL_LINE_MAX];
	struct fl_line line;

	for (; site; site = atomic_load(&site->next)) {
		uint64_t window = atomic_load_explicit(&site->window, memory_order_relaxed);
		uint64_t n;
		if (window >> 32 == (ms / 1000 & UINT32_MAX))
			continue; /* may still write itself */
		n = atomic_exchange(&site->suppressed, 0);
		if (n == 0)
			continue;
		begin(&line, buf, ms, FL_LOG_WARN);
		fl_line_number(&line, FL_SLICE("suppressed"), n);
		fl_line_string(&line, FL_SLICE("msg"), FL_SLICE("lines were left out"));
		fl_line_string(&line, FL_SLICE("of"),
			fl_slice_of(atomic_load_explicit(&site->where, memory_order_relaxed)));
		finish(&line);
	}
}
