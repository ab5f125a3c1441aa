/* What the files of the log reader share; nobody else includes this.
 *
 * A line becomes a key in two steps. The format's scanner finds the values of the variables that
 * are wanted, still escaped (scan_*.c). Then values.c makes the key from those. */
#ifndef FL_PLAN_LOG_PRIV_H
#define FL_PLAN_LOG_PRIV_H

#include "base/error.h"
#include "base/text.h"
#include "key/key.h"
#include "plan/log.h"

#include <stdint.h>

#define FL_LOG_WANTS 64  /* different variables that sources may look for */
#define FL_LOG_NAME  160 /* bytes of a variable's name, or of the path to it, NUL included */

/* ---- variables ---- */

/* What the key is made of: variables by the names that nginx gives them. */
struct fl_log_wants {
	char name[FL_LOG_WANTS][FL_LOG_NAME];
	size_t count;
};

/* The values in one line, by number of the variable; p is NULL: not there. Escaped, borrowed. */
struct fl_log_values {
	struct fl_slice v[FL_LOG_WANTS];
};

/* The number of the variable called `name` (letter case does not count), or FL_LOG_WANTS. */
size_t fl_log_find_want(const struct fl_log_wants *wants, struct fl_slice name);

enum fl_log_escape {
	FL_LOG_PLAIN,     /* as it is */
	FL_LOG_BACKSLASH, /* \x22 of nginx and Apache, and Apache's \" \\ \n \t ... */
	FL_LOG_JSON,      /* \u0022 \" ... */
	FL_LOG_HASH,      /* #22 of HAProxy */
};

/* Appends `text` with what is escaped turned back; a backslash or '#' that escapes nothing stays.
 * False: JSON that is none (a bad escape, half a surrogate pair). */
bool fl_log_unescape(enum fl_log_escape escape, struct fl_slice text, struct fl_text *out);

/* ---- formats ---- */

struct fl_log_format;

struct fl_log_kind {
	const char *name; /* "combined" */
	/* Sets `format->has` (bit i: may give variable i of `wants`) and what the scanner needs.
	 * `text` is what stands behind "NAME:", or the whole format for `$...`; or "". */
	int (*compile)(struct fl_log_format *format, const char *text, struct fl_error *err);
	/* NULL, or what is wrong with the line (static text). Sets the values that the line has;
	 * they are zero before. */
	const char *(*scan)(const struct fl_log_format *format, struct fl_slice line,
		struct fl_log_values *values);
	enum fl_log_escape escape;
	const char *hint; /* what to do about a variable that it has not; or "" */
};

/* In a template: what stands before a variable is matched, and the value ends where what stands
 * behind it begins. */
struct fl_log_step {
	uint8_t want;          /* FL_LOG_WANTS: a variable that nobody wants */
	bool quoted;           /* between quotes, which it holds only escaped */
	struct fl_slice after; /* literal; empty: to the end of the line */
};

#define FL_LOG_STEPS 128

/* In json: where a variable is. */
struct fl_log_path {
	char text[FL_LOG_NAME]; /* "request.headers.X-User.0" */
	size_t n;
};

struct fl_log_format {
	const struct fl_log_kind *kind;
	const struct fl_log_wants *wants;
	enum fl_log_escape escape;
	uint64_t has;
	char *text; /* owned: what the literals below point into */
	/* templates */
	struct fl_slice before; /* the first variable */
	struct fl_log_step steps[FL_LOG_STEPS];
	size_t step_count;
	bool open; /* text behind the last literal does not matter */
	/* haproxy: the variable of each captured header */
	uint8_t capture[FL_LOG_WANTS];
	size_t capture_count;
	uint8_t addr, request, cookie, sent; /* variables; FL_LOG_WANTS: not wanted */
	/* json: by number of the variable */
	struct fl_log_path paths[FL_LOG_WANTS];
};

extern const struct fl_log_kind fl_log_common, fl_log_combined, fl_log_vhost, fl_log_nginx,
	fl_log_haproxy, fl_log_json, fl_log_keys;

/* By the text of an option: "combined", "json:remote_addr=ip", "$remote_addr". NULL when there is
 * none of this name; *rest is what its compile takes. */
const struct fl_log_kind *fl_log_kind_of(const char *text, const char **rest);

/* Compiles; `format` needs fini also after an error. */
int fl_log_format_init(struct fl_log_format *format, const struct fl_log_kind *kind,
	const char *text, const struct fl_log_wants *wants, struct fl_error *err);
void fl_log_format_fini(struct fl_log_format *format);

/* ---- from values to a key ---- */

struct fl_log_plan; /* which variables each source is looked for in */

/* `field`, or `sources` when that is NULL. FL_ELIMIT: too many variables. FL_EINVAL. FL_ENOMEM. */
int fl_log_plan_new(struct fl_log_plan **out, const struct fl_key_sources *sources,
	const char *field, bool bytes, struct fl_error *err);
void fl_log_plan_free(struct fl_log_plan *plan); /* NULL is fine */

const struct fl_log_wants *fl_log_plan_wants(const struct fl_log_plan *plan);

/* Leaves out what the format has not; FL_EINVAL when a source then has nothing. */
int fl_log_plan_fit(
	struct fl_log_plan *plan, const struct fl_log_format *format, struct fl_error *err);

enum fl_log_verdict {
	FL_LOG_KEY,
	FL_LOG_NO_VALUE,
	FL_LOG_BAD_ESCAPE,
};

/* The key of a line, into `key` (which is cleared), and its weight. */
enum fl_log_verdict fl_log_plan_key(struct fl_log_plan *plan,
	const struct fl_log_values *values, struct fl_text *key, uint64_t *weight);

#endif
