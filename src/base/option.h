/* Option rows: a room declares each of its options once, in a table of these, and the parser,
 * the validation, the manual and the JSON schema are all read off that table.
 *
 * A table ends with a row whose name is NULL. */
#ifndef FL_BASE_OPTION_H
#define FL_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fl_conf;
struct fl_conf_node;

enum fl_option_type {
	FL_OPT_BOOL,     /* bool: true/false, yes/no, on/off */
	FL_OPT_INT,      /* int64_t */
	FL_OPT_SIZE,     /* uint64_t bytes: 16KiB, 1MB, 512 */
	FL_OPT_DURATION, /* uint64_t milliseconds: 5s, 250ms, 2m, 1h, 1d; never a bare number */
	FL_OPT_SHARE,    /* double 0..1: "5%" or 0.05 */
	FL_OPT_STRING,   /* const char *, NULL when absent and without default */
	FL_OPT_ENUM,     /* int: index into choices */
	FL_OPT_MAP,      /* struct at offset, filled by `rows` */
	FL_OPT_LIST,     /* struct fl_option_list at offset, of structs filled by `rows` */
	FL_OPT_NAMED,    /* as LIST, written as a map: its keys go to the row called "name" */
	FL_OPT_CUSTOM,   /* `parse` does it */
};

struct fl_option_list {
	void *items; /* count elements of item_size bytes */
	size_t count;
};

struct fl_option {
	const char *name;
	enum fl_option_type type;
	bool required;
	/* The value never appears in a message, a log or the manual; of a row with `rows`,
	 * nothing below it does. What its `parse` reports is replaced by a plain message. */
	bool secret;
	bool single_ok;  /* LIST: one scalar or one map stands for a list of one */
	size_t offset;   /* of the field in the room's struct */
	const char *doc; /* one sentence */
	/* The default, written as in a file and read by the same code: "5s", "table",
	 * "[client_ip]", "{path: /ok}". NULL: none (zero, or `required`). A MAP without a default
	 * gets the defaults of its rows. */
	const char *def;
	const char *unit; /* for the manual: "bytes", "ms"; NULL: none */
	/* Inclusive. INT, SIZE, DURATION: the value; STRING: bytes; LIST, NAMED: only min, the
	 * fewest items. Both 0: the type's own range; max below min: no upper bound. */
	int64_t min, max;
	const char *const *choices;   /* ENUM: names, NULL at the end */
	const struct fl_option *rows; /* MAP, LIST, NAMED */
	size_t item_size;             /* LIST, NAMED */
	size_t max_items;             /* LIST, NAMED; 0: 65536 */
	/* LIST, NAMED: what messages call one item; NULL: the name without its plural "s"
	 * ("nodes" has items called `node "a"`, or `node 3` when they have no name). */
	const char *item;
	/* MAP, and items of LIST and NAMED: what a bare scalar in that place means: it is the
	 * value of the row with this name. NULL: a scalar is an error. */
	const char *scalar_row;
	/* A bool in the same struct that is set to whether the file has this row, so that an
	 * empty map differs from none. 0: there is none (offset 0 cannot be used). */
	size_t given;
	/* CUSTOM: reads `node` into the field `out`. Other types: an extra check of a value that
	 * was read without errors, `out` being the field, or the struct that was filled (MAP,
	 * each item of LIST and NAMED; `node` is then always the map). Reports with
	 * fl_conf_error and returns -1 (leaving `out` as it was), or 0. */
	int (*parse)(struct fl_conf *conf, const struct fl_conf_node *node, void *out);
	/* What manual and messages show as the accepted form, after "wants": "an address such as
	 * 10.0.0.1:80". CUSTOM should have it; other types have their own. */
	const char *form;
};

#define FL_OPTION_END                                                                          \
	{                                                                                      \
		.name = NULL                                                                   \
	}

#endif
