/* The process's own log: one line a record, key=value or JSON, in one write(2) of at most 4 KiB,
 * so that lines of several threads and processes never mix, and nothing is held back when the
 * process dies.
 *
 * Any thread, no locks. Each call site writes at most FL_LOG_PER_SECOND lines a second; what is
 * left out is counted and told by the site's next line or by fl_log_tick (suppressed=N), so a
 * failing node or a hostile client cannot fill a disk. Not for the request path: a write to a slow
 * stderr waits. Values of secrets are never given to it. */
#ifndef FL_OBS_LOG_H
#define FL_OBS_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define FL_LOG_PER_SECOND 20

enum fl_log_level {
	FL_LOG_DEBUG,
	FL_LOG_INFO,
	FL_LOG_WARN,
	FL_LOG_ERROR,
};

enum fl_log_format {
	FL_LOG_TEXT,
	FL_LOG_JSON,
};

/* What a call site remembers; one static object for each, zeroed. */
struct fl_log_site {
	_Atomic uint64_t window; /* second << 32 | lines asked for in it */
	_Atomic uint64_t suppressed;
	_Atomic(struct fl_log_site *) next; /* of all sites that ever suppressed */
	_Atomic bool listed;
	const char *_Atomic where;
};

/* Where lines go from now on: at first standard error, FL_LOG_INFO, text. The descriptor stays the
 * caller's. May be called at any time. */
void fl_log_setup(int fd, enum fl_log_level level, enum fl_log_format format);

/* Milliseconds since 1970; for tests. NULL: the real clock. */
void fl_log_set_clock(uint64_t (*wall_ms)(void));

bool fl_log_enabled(enum fl_log_level level);

/* Writes what was suppressed at sites that have fallen silent since; about once a second. */
void fl_log_tick(void);

/* Lines that could not be written. */
uint64_t fl_log_dropped(void);

/* fl_log(level, format, ...): a message, as printf. */
#define fl_log(level, ...)                                                                     \
	do {                                                                                   \
		static struct fl_log_site fl_log_here;                                         \
		if (fl_log_enabled(level))                                                     \
			fl_log_at(&fl_log_here, level, __VA_ARGS__);                           \
	} while (0)

/* fl_log_fields(level, message, key, value, ..., NULL): a message and fields, all strings; a NULL
 * value leaves its field out. */
#define fl_log_fields(level, ...)                                                              \
	do {                                                                                   \
		static struct fl_log_site fl_log_here;                                         \
		if (fl_log_enabled(level))                                                     \
			fl_log_fields_at(&fl_log_here, level, __VA_ARGS__);                    \
	} while (0)

__attribute__((format(printf, 3, 4))) void fl_log_at(
	struct fl_log_site *site, enum fl_log_level level, const char *format, ...);
__attribute__((sentinel)) void fl_log_fields_at(
	struct fl_log_site *site, enum fl_log_level level, const char *message, ...);

#endif
