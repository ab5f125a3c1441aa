/* What `verify` has found out so far: which answers name which nodes, and how often the balancer and
 * Fairlead agreed. */
#ifndef FL_CLI_VERIFY_TALLY_H
#define FL_CLI_VERIFY_TALLY_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "pool/pool.h"

#define FL_VERIFY_EXAMPLES 20
#define FL_VERIFY_PAIRS                                                                        \
	4096 /* of nodes, in the table; the keys of further ones are summed up */
#define FL_VERIFY_STRANGE                                                                      \
	256 /* different answers that name no node; further ones are "(others)" */
#define FL_VERIFY_REASONS 16 /* different failures */
#define FL_VERIFY_MAPS    1024

/* An answer that stands for a node: --map. */
struct fl_verify_map {
	struct fl_slice answer;
	const char *node;
};

struct fl_verify_pair {
	const char *expected, *got; /* names that live as long as the tally */
	uint64_t keys;              /* 0: a free place */
};

struct fl_verify_example {
	struct fl_slice key;
	const char *expected, *got;
};

struct fl_verify_reason {
	char why[160];
	struct fl_slice key; /* the first that failed so */
	uint64_t keys;
	bool unsent; /* the key cannot be sent; else there is no answer to be had */
};

struct fl_verify_name;

struct fl_verify_tally {
	struct fl_verify_name *names; /* of answers, sorted */
	size_t name_count;
	struct fl_arena arena; /* holds `strange` */
	const char *strange[FL_VERIFY_STRANGE];
	size_t strange_count;
	uint64_t strangers;           /* keys whose answer names no node */
	struct fl_verify_pair *pairs; /* found by a hash of their names' places in memory */
	size_t pair_count;
	uint64_t unpaired; /* mismatches of pairs beyond the bound */
	struct fl_verify_example examples[FL_VERIFY_EXAMPLES];
	size_t example_count;
	struct fl_verify_reason reasons[FL_VERIFY_REASONS];
	size_t reason_count;
	uint64_t matches, mismatches, failed, unsent;
};

/* Answers are node names, or, where no node is called so, nodes' addresses; the `maps` go before
 * both. The view must outlive the tally. FL_OK; FL_EINVAL: a map names a node that is not there, or
 * an answer twice; FL_ENOMEM. */
int fl_verify_tally_init(struct fl_verify_tally *t, const struct fl_view *view,
	const struct fl_verify_map *maps, size_t map_count, struct fl_error *err);
void fl_verify_tally_fini(struct fl_verify_tally *t);

/* One answered key; `key` must outlive the tally. `expected` is a member's name, or "-". */
void fl_verify_tally_answer(struct fl_verify_tally *t, struct fl_slice key,
	const char *expected, const char *answer);

/* One key without an answer: `why` is copied. `unsent`: it cannot be sent. */
void fl_verify_tally_fail(
	struct fl_verify_tally *t, struct fl_slice key, const char *why, bool unsent);

/* The pairs that were seen, most keys first; sorts them in place: the last call. Their number. */
size_t fl_verify_tally_pairs(struct fl_verify_tally *t);

#endif
