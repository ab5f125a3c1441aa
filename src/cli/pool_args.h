/* The pool that a command line describes: from a configuration file (-c FILE [--pool NAME]), or
 * from --algorithm or --compat and --node. Verbs put FL_POOL_ARGS at the start of their options
 * and hand what they get to fl_pool_args_take. */
#ifndef FL_CLI_POOL_ARGS_H
#define FL_CLI_POOL_ARGS_H

#include "cli/verb.h"
#include "daemon/config.h"
#include "pool/pool.h"

enum {
	FL_POOL_ARG_CONFIG,
	FL_POOL_ARG_POOL,
	FL_POOL_ARG_ALGORITHM,
	FL_POOL_ARG_COMPAT,
	FL_POOL_ARG_NODE,
	FL_POOL_ARG_DOWN,
	FL_POOL_ARGS_COUNT, /* the verb's own options begin here */
};

/* clang-format off */
#define FL_POOL_ARGS                                                                           \
	{"config", 'c', "FILE", "take the pool from this configuration file"},                 \
	{"pool", 0, "NAME", "which of its pools; needed when there are several"},              \
	{"algorithm", 'a', "SPEC", "NAME[,OPTION=VALUE...]; \"table\" when not given"},        \
	{"compat", 0, "SPEC", "another system's mapping: NAME[,OPTION=VALUE...]"},             \
	{"node", 'n', "NODE", "NAME[=WEIGHT][,slot=N|id=N][,zone=Z][,addr=A][,state=S]"},           \
	{"down", 'd', "NAME", "this node is down (masked): who has its keys?"}
/* clang-format on */

struct fl_pool_args {
	const struct fl_verb *verb;
	const char *config, *pool, *spec;
	char *spec_text;            /* owned: "compat:..." */
	struct fl_node_conf *nodes; /* owned, texts included */
	char **texts;
	size_t count, cap;
	const char **down;
	size_t down_count;
	enum fl_config_use use; /* what the file is wanted for; FL_CONFIG_LOOKUP as a rule */
	struct fl_config *file; /* owned; once it was read */
};

void fl_pool_args_init(struct fl_pool_args *args, const struct fl_verb *verb);
void fl_pool_args_fini(struct fl_pool_args *args);

/* Takes option `id` (below FL_POOL_ARGS_COUNT). FL_EXIT_DONE, or FL_EXIT_USAGE, reported. */
int fl_pool_args_take(struct fl_pool_args *args, int id, const char *value);

/* The file that --config names, read the first time it is asked for: *out is borrowed from `args`.
 * FL_EXIT_DONE, or FL_EXIT_USAGE, reported. */
int fl_pool_args_file(struct fl_pool_args *args, const struct fl_config **out);

/* The pool of that file that is meant: the one --pool names, or the only one. As above. */
int fl_pool_args_choose(struct fl_pool_args *args, const struct fl_config_pool **out);

/* The pool of --node and --algorithm; borrowed from `args`. FL_EXIT_DONE, or FL_EXIT_USAGE, reported:
 * there are no nodes, or --pool is given. */
int fl_pool_args_conf(const struct fl_pool_args *args, struct fl_pool_conf *out);

/* Marks the nodes of --down as down. As above. */
int fl_pool_args_down(const struct fl_pool_args *args, struct fl_pool *pool);

/* Says on standard error what the pool's mapping is known to do badly, if anything. */
void fl_pool_args_warn(const struct fl_pool_args *args, struct fl_pool *pool);

/* Builds the pool. FL_EXIT_DONE, or FL_EXIT_USAGE, reported. */
int fl_pool_args_build(struct fl_pool_args *args, struct fl_pool **out);

#endif
