/* What `fairlead compare` compares, and its report. */
#ifndef FL_CLI_COMPARE_H
#define FL_CLI_COMPARE_H

#include "cli/traffic_args.h"
#include "plan/compare.h"

/* What a lookup, a build and a change cost, timed on this machine. */
struct fl_timing {
	double lookup_ns; /* of a key's bytes, hashing included */
	double build_ms, change_ms;
};

/* The fastest of a few rounds: what the machine is busy with besides only ever adds. */
struct fl_timing fl_compare_time(
	const struct fl_compare_case *c, const struct fl_compare_result *result);

/* One algorithm with one number of nodes. */
struct fl_compared {
	struct fl_compare_case c; /* its nodes are owned by the membership */
	char *spec, *label; /* owned: the spec, and without what only fits it to the size */
	struct fl_compare_result result;
	struct fl_timing timing;
	int status; /* FL_OK, or why it could not be built */
	struct fl_error err;
};

/* One set of nodes. */
struct fl_membership {
	struct fl_node *nodes;
	char **names; /* owned */
	size_t count;
	char added[32];
	size_t gone[2];
};

struct fl_comparison {
	const struct fl_traffic_args *traffic;
	const struct fl_keyset *keys;
	struct fl_membership *sizes;
	size_t size_count;
	struct fl_compared *items; /* size by size, every algorithm of it */
	size_t count;
	bool timed;
	bool distribution;    /* every node's counts, for every size */
	const char *scenario; /* NULL: none */
	const char *weights;  /* as they were asked for */
};

/* The report; NULL without memory. */
struct fl_report *fl_compare_report(const struct fl_comparison *comparison);

#endif
