/* The changes that `plan` is asked about, made on a copy of what a pool is told. */
#ifndef FL_CLI_PLAN_CHANGE_H
#define FL_CLI_PLAN_CHANGE_H

#include "cli/pool_args.h"

enum {
	FL_CHANGE_ARG_REMOVE,
	FL_CHANGE_ARG_ADD,
	FL_CHANGE_ARG_WEIGHT,
	FL_CHANGE_ARG_DRAIN,
	FL_CHANGE_ARG_ALGORITHM,
	FL_CHANGE_ARGS_COUNT,
};

/* clang-format off */
#define FL_CHANGE_ARGS                                                                         \
	{"remove", 'r', "NAME", "this node goes; may be repeated, as all changes may"},        \
	{"add", 0, "NODE", "this node comes, said as with --node"},                           \
	{"weight", 'w', "NAME=W", "this node gets the weight W"},                              \
	{"drain", 0, "NAME", "this node drains: it takes no new keys"},                        \
	{"new-algorithm", 0, "SPEC", "the pool is placed by this algorithm"}
/* clang-format on */

struct fl_change_args {
	const struct fl_verb *verb;
	struct fl_pool_args nodes; /* parses --add */
	struct {
		int id;
		const char *value;
	} * list; /* owned; in the order given */
	size_t count;
	const char *algorithm;
};

void fl_change_args_init(struct fl_change_args *args, const struct fl_verb *verb);
void fl_change_args_fini(struct fl_change_args *args);

/* Takes option `id`, counted from the first of FL_CHANGE_ARGS. FL_EXIT_DONE, or FL_EXIT_USAGE,
 * reported. */
int fl_change_args_take(struct fl_change_args *args, int id, const char *value);

/* Whether there are any. */
bool fl_change_args_given(const struct fl_change_args *args);

/* `before` with the changes made in their order. The nodes of `out` are a copy, to be freed with
 * free((void *)out->nodes) in any case; texts are borrowed from `before` and `args`. FL_EXIT_DONE,
 * or FL_EXIT_USAGE, reported: a node that is not there, or is there already. */
int fl_change_args_apply(const struct fl_change_args *args, const struct fl_pool_conf *before,
	struct fl_pool_conf *out);

#endif
