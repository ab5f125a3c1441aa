/* What the files of this room share; nobody else includes it. */
#ifndef FL_CONF_PRIV_H
#define FL_CONF_PRIV_H

#include "base/arena.h"
#include "conf/conf.h"

/* Past this many errors, reading stops: a file of millions of unknown keys must not cost an edit
 * distance each. */
#define FL_CONF_HOPELESS 1000u
#define FL_CONF_MAX_HEAP ((size_t)1 << 30)

struct fl_conf_message {
	unsigned line, column;
	const char *text;
};

/* The first FL_CONF_MAX_ERRORS by place, however late they were found. */
struct fl_conf_messages {
	struct fl_conf_message items[FL_CONF_MAX_ERRORS];
	size_t count;
	size_t total; /* those that found no room included */
	char more[320];
};

/* Where in the rows reading is, innermost first: gives `node "a" of pool "app"`. Lives on the
 * stack of the reader. */
struct fl_conf_frame {
	const struct fl_conf_frame *up;
	const struct fl_option *row; /* NULL: the map that fl_conf_read was called with */
	const char *name;            /* of an item; NULL: none */
	size_t index;                /* of an item without a name, from 1; 0: not an item */
};

struct fl_conf {
	struct fl_arena arena;
	char name[224]; /* as messages show it */
	const struct fl_conf_node *root;
	struct fl_conf_messages errors, warnings;
	const struct fl_conf_frame *frame;
	/* Set below a secret row: messages show no values; and the row while its hook runs:
	 * whatever the hook says is replaced. */
	bool secret;
	const struct fl_option *hiding;
};

/* A message being put together; what does not fit is cut. */
struct fl_conf_text {
	char p[512];
	size_t n;
};

__attribute__((format(printf, 2, 3))) void fl_conf_say(
	struct fl_conf_text *text, const char *format, ...);

/* Makes the name that messages begin with: harmless, and of a bounded length. */
void fl_conf_set_name(struct fl_conf *conf, const char *name);

/* As fl_conf_error at a place that has no node. */
__attribute__((format(printf, 4, 5))) int fl_conf_error_at(
	struct fl_conf *conf, unsigned line, unsigned column, const char *format, ...);

/* Says what `row` wants: "a duration from 1s to 1h". */
void fl_conf_say_wanted(struct fl_conf_text *text, const struct fl_option *row);

/* Reads a scalar into the field of BOOL, INT, SIZE, DURATION, SHARE, STRING, ENUM; range
 * included. 0, or -1 with the field untouched. */
int fl_conf_scalar(const struct fl_option *row, const char *text, void *field);

/* A map {key: value} made up in place of the scalar `value`; NULL without memory. */
const struct fl_conf_node *fl_conf_wrap(
	struct fl_conf *conf, const char *key, const struct fl_conf_node *value);

/* The node that a default's text means (line 0), or NULL with an error. */
const struct fl_conf_node *fl_conf_default_node(
	struct fl_conf *conf, const struct fl_option *row);

/* The range of a row with its open ends filled in by the type. */
void fl_conf_range(const struct fl_option *row, uint64_t *min, uint64_t *max);
void fl_conf_int_range(const struct fl_option *row, int64_t *min, int64_t *max);

/* "a pool": one item of a LIST or NAMED row, as messages call it; into `text`. */
void fl_conf_say_item(struct fl_conf_text *text, const struct fl_option *row);

#endif
