/* Reading a peer's YAML: the file's tree, fields by name, values of one type, and notes. The first
 * thing that is wrong with the file's structure is kept as the failure, and reading may go on. */
#ifndef FL_IMPORT_YAML_H
#define FL_IMPORT_YAML_H

#include "conf/conf.h"
#include "import/import.h"

struct fl_yaml {
	struct fl_import *m;
	const char *file; /* the name of it, in the model */
	struct fl_conf *conf;
	const struct fl_conf_node *root; /* NULL until a file is open */
	struct fl_error *err;
	int rc;     /* of the first failure */
	bool quiet; /* no notes: what is read was read before */
};

/* Parses in->bytes. FL_OK, or the failure with its place. Close in any case. */
int fl_yaml_open(struct fl_yaml *y, struct fl_import *m, const struct fl_import_input *in,
	struct fl_error *err);
void fl_yaml_close(struct fl_yaml *y);

/* The field `name` (in snake_case; lowerCamelCase is taken as well, as protobuf has it) of a map;
 * NULL without it, without a map, and for null. */
const struct fl_conf_node *fl_yaml_get(const struct fl_conf_node *map, const char *name);
/* The same, several deep: "a.b.c". */
const struct fl_conf_node *fl_yaml_at(const struct fl_conf_node *map, const char *path);
bool fl_yaml_is(const struct fl_conf_node *item, const char *name);

/* The first item of the list in field `name`: a single value is a list of one, as protobuf's YAML
 * never has it, so that is a failure. NULL for none. */
const struct fl_conf_node *fl_yaml_list(
	struct fl_yaml *y, const struct fl_conf_node *map, const char *name);

/* The value of a scalar; NULL (a failure) for anything else. A NULL node gives NULL. */
const char *fl_yaml_text(struct fl_yaml *y, const struct fl_conf_node *node);
/* A number within bounds; `fallback` for a NULL node and, with a failure, for anything else. */
uint64_t fl_yaml_number(struct fl_yaml *y, const struct fl_conf_node *node, uint64_t least,
	uint64_t most, uint64_t fallback);
bool fl_yaml_true(struct fl_yaml *y, const struct fl_conf_node *node);
/* protobuf's duration ("1.5s") in milliseconds; 0 for a NULL node. */
uint64_t fl_yaml_duration(struct fl_yaml *y, const struct fl_conf_node *node);
/* The name of an item of a list, where it has one, else the item: for notes. */
const struct fl_conf_node *fl_yaml_named(const struct fl_conf_node *item);
/* Wants a map; false, with a failure, for anything else. */
bool fl_yaml_is_map(struct fl_yaml *y, const struct fl_conf_node *node);

struct fl_import_place fl_yaml_place(const struct fl_yaml *y, const struct fl_conf_node *node);

/* "FILE:LINE:COLUMN: ..." as the failure, unless there is one. */
__attribute__((format(printf, 3, 4))) void fl_yaml_fail(
	struct fl_yaml *y, const struct fl_conf_node *node, const char *format, ...);

/* A note on a field, quoted with its value, or on an item of a list. */
__attribute__((format(printf, 5, 6))) void fl_yaml_note(struct fl_yaml *y,
	enum fl_import_kind kind, bool placement, const struct fl_conf_node *node,
	const char *format, ...);

/* Notes each field of `map` that is none of `known` (NULL at the end) as not carried, by its name
 * alone: its value may be a secret. */
void fl_yaml_rest(struct fl_yaml *y, const struct fl_conf_node *map, const char *const *known);

#endif
