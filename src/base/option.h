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
	FL_OPT_DURATION, /* uint64_t milliseconds: 5s, 250ms, 2m, 1h; a bare number is refused
			  */
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
	size_t offset;    /* of the field in the room's struct */
	const char *doc;  /* one sentence */
	const char *def;  /* default, written as in a file; NULL: none (zero, or `required`) */
	const char *unit; /* for the manual: "bytes", "ms"; NULL: none */
	int64_t min, max; /* INT, SIZE, DURATION: inclusive; both 0: the type's own range */
	bool required;
	const char *const *choices;   /* ENUM: names, NULL at the end */
	const struct fl_option *rows; /* MAP, LIST, NAMED */
	size_t item_size;             /* LIST, NAMED */
	size_t max_items;             /* LIST, NAMED; 0: 65536 */
	/* MAP and LIST items: what a bare scalar in that place means: it is the value of the
	 * row with this name. NULL: a scalar is an error. */
	const char *scalar_row;
	/* CUSTOM, or an extra check after MAP and LIST items were filled: `out` is the field
	 * (CUSTOM) or the struct that was filled. Reports with fl_conf_error and returns -1, or
	 * 0. */
	int (*parse)(struct fl_conf *conf, const struct fl_conf_node *node, void *out);
	/* CUSTOM and ENUM of another room: what the manual shows as the accepted form. */
	const char *form;
};

#define FL_OPTION_END                                                                          \
	{                                                                                      \
		.name = NULL                                                                   \
	}

#endif
