/* The configuration engine: YAML in, structs filled through option rows out. It knows no room's
 * options. Strict: an unknown or repeated key, a wrong type, a value out of range is an error
 * with file:line:column, what is wrong, what was expected, and "did you mean".
 *
 * All errors of a file are collected (up to FL_CONF_MAX_ERRORS), not only the first. */
#ifndef FL_CONF_CONF_H
#define FL_CONF_CONF_H

#include "base/option.h"

#define FL_CONF_MAX_ERRORS 50
#define FL_CONF_MAX_BYTES  (64u << 20) /* a file that is larger is refused */
#define FL_CONF_MAX_DEPTH  32

enum fl_conf_kind {
	FL_CONF_SCALAR,
	FL_CONF_LIST,
	FL_CONF_MAP,
};

/* One node of the document, immutable, owned by its fl_conf. */
struct fl_conf_node {
	enum fl_conf_kind kind;
	unsigned line, column; /* from 1 */
	const char *text;      /* SCALAR: NUL-terminated; a NUL in the file is refused */
	bool quoted;           /* SCALAR: was written with quotes */
	const struct fl_conf_node *child; /* LIST, MAP: the first item */
	const struct fl_conf_node *next;  /* the next item of the parent */
	const struct fl_conf_node *key;   /* item of a MAP: its key, a scalar */
	size_t count;                     /* LIST, MAP: items */
};

/* Parses a file ("-": standard input), or bytes. *out is always set (NULL only without memory),
 * so that its errors can be read; returns 0, or -1 when there were errors. Aliases and anchors,
 * tags, several documents, and keys that are not scalars are refused. */
int fl_conf_load(struct fl_conf **out, const char *path);
int fl_conf_parse(struct fl_conf **out, const char *name, const char *bytes, size_t len);
void fl_conf_free(struct fl_conf *conf); /* NULL is fine */

const struct fl_conf_node *fl_conf_root(const struct fl_conf *conf);

/* Fills `out` from `node`, a map, by `rows`: defaults first, then what the file says.
 * Strings and lists live in the conf's arena, as long as `conf`. Returns 0, or -1 with errors
 * added; fields with errors keep their defaults, so that reading can go on. */
int fl_conf_read(struct fl_conf *conf, const struct fl_conf_node *node,
	const struct fl_option *rows, void *out);

/* Fills `out` with the defaults of `rows` alone (nested maps too). */
int fl_conf_defaults(struct fl_conf *conf, const struct fl_option *rows, void *out);

/* Adds an error at `node` (NULL: the file as a whole). Always returns -1. */
__attribute__((format(printf, 3, 4))) int fl_conf_error(
	struct fl_conf *conf, const struct fl_conf_node *node, const char *format, ...);

/* As fl_conf_error for something that works but is probably not meant; does not fail. */
__attribute__((format(printf, 3, 4))) void fl_conf_warn(
	struct fl_conf *conf, const struct fl_conf_node *node, const char *format, ...);

size_t fl_conf_errors(const struct fl_conf *conf);
size_t fl_conf_warnings(const struct fl_conf *conf);
/* "file:line:column: error: ..." of error (or warning) i, for printing. */
const char *fl_conf_error_text(const struct fl_conf *conf, size_t i);
const char *fl_conf_warning_text(const struct fl_conf *conf, size_t i);

/* Zeroed memory that lives as long as `conf`; NULL only without memory. */
void *fl_conf_alloc(struct fl_conf *conf, size_t size);

/* The child of map `node` called `name`, or NULL. */
const struct fl_conf_node *fl_conf_get(const struct fl_conf_node *node, const char *name);

/* Of `names` (NULL at the end) the one nearest to `text` within an edit distance of a third of
 * its length, or NULL: for "did you mean". */
const char *fl_conf_nearest(const char *text, const char *const *names);

/* The same parsers that the rows use, for custom rows and for command-line options.
 * 0, or -1 with a text in `why` of what was expected. */
int fl_conf_parse_size(const char *text, uint64_t *out, const char **why);
int fl_conf_parse_duration(const char *text, uint64_t *ms, const char **why);
int fl_conf_parse_share(const char *text, double *out, const char **why);
int fl_conf_parse_int(const char *text, int64_t min, int64_t max, int64_t *out);

#endif
