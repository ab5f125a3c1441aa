/* One algorithm with one membership, over given keys: how even it is, what changes of membership
 * move, and who inherits the keys of nodes that go. PURE; the caller measures time.
 *
 * All figures are counts over the keys, so that anyone who has the keys gets the same. */
#ifndef FL_PLAN_COMPARE_H
#define FL_PLAN_COMPARE_H

#include "plan/keyset.h"

enum fl_compare_change {
	FL_COMPARE_ADD,        /* one node more, of weight 1 */
	FL_COMPARE_REMOVE,     /* one node less */
	FL_COMPARE_REMOVE_TWO, /* two nodes less */
	FL_COMPARE_REWEIGHT,   /* one node gets twice its weight */
	FL_COMPARE_CHANGES,
};

const char *fl_compare_change_name(enum fl_compare_change change); /* "add", "remove-two" */

struct fl_compare_case {
	const char *spec; /* as fl_placement_new takes it */
	const struct fl_node *nodes;
	size_t count;
	const struct fl_keyset *keys; /* at least one */
	const char *added;            /* the name of the node that is added */
	/* Indices of the nodes that go: the first for `remove` and `reweight`, both for
	 * `remove-two`. An algorithm that can only lose its last nodes loses those. */
	size_t gone[2];
};

/* How even counts are. Of a node, fair is its part of all by weight; ratios are count / fair. Only
 * nodes of positive weight count. */
struct fl_evenness {
	double peak, least; /* highest and lowest ratio */
	double deviation;   /* standard deviation from fair, in counts */
	double variation;   /* root of the mean of (ratio - 1)^2: coefficient of variation */
};

struct fl_compare_move {
	int status; /* FL_OK; FL_ENOTSUP: the algorithm cannot; others: see fl_compare_run */
	bool last;  /* the last nodes went, as no others can */
	uint64_t moved; /* keys whose owner, by name, differs */
	uint64_t least; /* half the sum of |after - before| over all nodes */
	struct fl_evenness after;
};

/* The keys of the nodes that went, and who has them now. */
struct fl_compare_heirs {
	uint64_t keys;    /* that the gone nodes had */
	uint32_t heirs;   /* nodes that got some of them */
	uint64_t largest; /* the most that one node got of them */
	double fair;      /* the most that one would get, were they shared by weight */
};

struct fl_compare_result {
	fl_placement *placement;          /* owned: to be measured, drawn */
	struct fl_evenness keys, traffic; /* each key once; each with its weight */
	uint64_t *counts, *weights;       /* by index of node: keys and their weights; owned */
	struct fl_compare_move moves[FL_COMPARE_CHANGES];
	struct fl_compare_heirs one_heirs,
		two_heirs;    /* of `remove` and `remove-two`, if those are FL_OK */
	uint64_t *two_counts; /* keys by index of node after `remove-two`; owned */
	size_t two[2];        /* the nodes that went then */
};

/* Fills `out`, to be freed with fl_compare_fini in any case. Errors: those of fl_placement_new for
 * the membership as it is, which is left to the caller to tell; FL_ENOMEM.
 * Cost: five placements and as many lookups of every key. */
int fl_compare_run(
	struct fl_compare_result *out, const struct fl_compare_case *c, struct fl_error *err);
void fl_compare_fini(struct fl_compare_result *result);

#endif
