/* The configuration engine: YAML in, structs filled through option rows out. It knows no room's
 * options. Strict: an unknown or repeated key, a wrong type, a value out of range is an error
 * with file:line:column, what is wrong, what was expected, and "did you mean".
 *
 * All errors of a file are collected (up to FL_CONF_MAX_ERRORS), not only the first. So the way
 * to use it is: load, read (even if load failed: with a root, reading finds more), then look at
 * fl_conf_errors. One thread at a time. */
#ifndef FL_CONF_CONF_H
#define FL_CONF_CONF_H

#include "base/option.h"

#include <stdio.h>

#define FL_CONF_MAX_ERRORS 50
#define FL_CONF_MAX_BYTES  (64u << 20) /* a file that is larger is refused */
#define FL_CONF_MAX_NODES  (4u << 20)  /* keys and values */
#define FL_CONF_MAX_DEPTH  32

enum fl_conf_kind {
	FL_CONF_SCALAR,
	FL_CONF_LIST,
	FL_CONF_MAP,
};

/* One node of the document, immutable, owned by its fl_conf. */
struct fl_conf_node {
	enum fl_conf_kind kind;
	unsigned line, column; /* from 1; line 0: not from the file (a default) */
	const char *text;      /* SCALAR: NUL-terminated; a NUL in the file is refused */
	bool quoted;           /* SCALAR: was written with quotes, or as a block (| or >) */
	bool bad;              /* an error was reported in its place: says nothing of its own */
	const struct fl_conf_node *child; /* LIST, MAP: the first item */
	const struct fl_conf_node *next;  /* the next item of the parent */
	const struct fl_conf_node *key;   /* item of a MAP: its key, a scalar */
	size_t count;                     /* LIST, MAP: items */
};

/* Parses a file ("-": standard input), or bytes. *out is always set (NULL only without memory),
 * so that its errors can be read; returns 0, or -1 when there were errors. Aliases and anchors,
 * tags, several documents, and keys that are not scalars are refused; a file without content is
 * an empty map. */
int fl_conf_load(struct fl_conf **out, const char *path);
int fl_conf_parse(struct fl_conf **out, const char *name, const char *bytes, size_t len);
void fl_conf_free(struct fl_conf *conf); /* NULL is fine */

/* NULL when the file could not be read or is not YAML; what is refused beyond that (an alias, a
 * repeated key) leaves a root that can still be read for more errors. */
const struct fl_conf_node *fl_conf_root(const struct fl_conf *conf);

/* Fills `out` from `node`, a map, by `rows`: what the file says, else the default, else zero
 * (CUSTOM fields without default are left alone: zero `out` before). Strings and lists live in
 * the conf's arena, as long as `conf`. Returns 0, or -1 with errors added; fields with errors
 * get their defaults, so that reading can go on. A NULL node fills the defaults and returns -1
 * (load has said why). May be called by a row's `parse`. */
int fl_conf_read(struct fl_conf *conf, const struct fl_conf_node *node,
	const struct fl_option *rows, void *out);

/* As a field of type `row->type` would be read, for custom rows that accept several forms: fills
 * the field at `field` (the row's offset does not count). 0, or -1 with errors added. */
int fl_conf_read_value(struct fl_conf *conf, const struct fl_conf_node *node,
	const struct fl_option *row, void *field);

/* Fills `out` with the defaults of `rows` alone (nested maps too). -1 only when a default is
 * itself wrong, or without memory. */
int fl_conf_defaults(struct fl_conf *conf, const struct fl_option *rows, void *out);

/* Adds an error at `node` (NULL: the file as a whole). Always returns -1. Control bytes in the
 * text are escaped. Use %s with fl_conf_quote for what comes from the file. */
__attribute__((format(printf, 3, 4))) int fl_conf_error(
	struct fl_conf *conf, const struct fl_conf_node *node, const char *format, ...);

/* As fl_conf_error for something that works but is probably not meant; does not fail. */
__attribute__((format(printf, 3, 4))) void fl_conf_warn(
	struct fl_conf *conf, const struct fl_conf_node *node, const char *format, ...);

/* Sorted by line and column. The last one says how many more there were, if there were. */
size_t fl_conf_errors(const struct fl_conf *conf);
size_t fl_conf_warnings(const struct fl_conf *conf);
/* "file:line:column: error: ..." of error (or warning) i, for printing; valid until the next
 * error is added. */
const char *fl_conf_error_text(const struct fl_conf *conf, size_t i);
const char *fl_conf_warning_text(const struct fl_conf *conf, size_t i);

/* Zeroed memory that lives as long as `conf`; NULL only without memory. */
void *fl_conf_alloc(struct fl_conf *conf, size_t size);

/* The child of map `node` called `name`, or NULL (also when `node` is NULL or no map). */
const struct fl_conf_node *fl_conf_get(const struct fl_conf_node *node, const char *name);

/* An unquoted empty value, ~ or null: the key is there, its value is not. */
bool fl_conf_is_null(const struct fl_conf_node *node);

/* `text` in double quotes for a message, cut to fit, always ended; returns `buf`. */
struct fl_conf_quoted {
	char text[80];
};
const char *fl_conf_quote(struct fl_conf_quoted *buf, const char *text);

/* Of `names` (NULL at the end) the one nearest to `text` within an edit distance of a third of
 * its length, or NULL: for "did you mean". Case does not count; two swapped neighbours count as
 * one edit. */
const char *fl_conf_nearest(const char *text, const char *const *names);

/* The same parsers that the rows use, for custom rows and for command-line options.
 * 0, or -1 with a text in `why` (may be NULL) of what was expected: "a size such as 16KiB". */
int fl_conf_parse_bool(const char *text, bool *out, const char **why);
int fl_conf_parse_size(const char *text, uint64_t *out, const char **why);
int fl_conf_parse_duration(const char *text, uint64_t *ms, const char **why);
int fl_conf_parse_share(const char *text, double *out, const char **why);
int fl_conf_parse_int(const char *text, int64_t min, int64_t max, int64_t *out);

/* The reference of `rows` as Markdown: a table of dotted paths (below `path`; "" at the root)
 * with form, range, default and sentence. Nested rows follow their parent; a table that contains
 * itself is named, not repeated. */
void fl_conf_manual(const struct fl_option *rows, const char *path, FILE *out);

/* The JSON schema (2020-12) of a file that is read by `rows`, for editors. */
void fl_conf_schema(const struct fl_option *rows, const char *title, FILE *out);

#endif
