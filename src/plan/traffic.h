/* What a change of placement does to given traffic: fed with a key at a time, it knows how much of
 * the traffic moves, how many of the keys, and which of the hottest.
 *
 * - Shares of traffic, by node and from node to node: exact, whatever the number of keys, because
 *   each request is looked up in both placements and counted.
 * - The number of different keys, and how many move: exact while a table of keys fits into the
 *   memory given (32 to 64 bytes a key), and beyond that from one key of 2^n, chosen by hash, with
 *   a 99 % interval. (Keys are told apart by 64-bit hashes.)
 * - The hottest keys, by a sketch: every key heavier than `hot_rest` is listed. Their weights are
 *   exact while the table is; beyond that each has an error.
 *
 * The same keys in the same order give the same report everywhere. One thread at a time. */
#ifndef FL_PLAN_TRAFFIC_H
#define FL_PLAN_TRAFFIC_H

#include "base/slice.h"
#include "pool/pool.h"

#include <stdint.h>

#define FL_TRAFFIC_MEMORY ((size_t)256 << 20) /* the default: about 6 million keys exactly */
#define FL_TRAFFIC_HOT    1000                /* the default */

/* One placement with its mask, or the two tiers of a pool's view: nodes of the second have the
 * keys only when nobody of the first can. Everything is borrowed. Warm-ups count as over. */
struct fl_traffic_side {
	const fl_placement
		*placement[FL_TIERS];         /* the second, or both, may be NULL: no nodes */
	const struct fl_mask *mask[FL_TIERS]; /* NULL: nobody is masked */
};

/* The side that a view is; as long as the view lives. */
struct fl_traffic_side fl_traffic_view(const struct fl_view *view);

struct fl_traffic_options {
	struct fl_traffic_side before,
		after; /* borrowed for the object's life; may be the same */
	/* Bytes for the table of keys, at least 1 MiB; 0: FL_TRAFFIC_MEMORY. All else takes at most
	 * 1 MiB, 640 bytes for each of `hot`, 192 for each pair of nodes that traffic moves between
	 * and 48 for each slot, as long as keys have up to 128 KiB. */
	size_t memory;
	size_t hot; /* hottest keys to follow, up to 65536; 0: FL_TRAFFIC_HOT */
};

/* A figure, and the 99 % interval it is in; exact: low = value = high. */
struct fl_traffic_figure {
	double value, low, high;
	bool exact;
};

/* A node of either side; nodes of one name are one. */
struct fl_traffic_node {
	const char *name;
	uint64_t before, after;           /* traffic: the sum of weights; exact */
	uint64_t keys_before, keys_after; /* different keys, of those in `sampled` */
};

/* Traffic that moved; `from` and `to` are indices of nodes, or FL_NONE: nobody. */
struct fl_traffic_flow {
	uint32_t from, to;
	uint64_t weight;
};

struct fl_traffic_hot {
	struct fl_slice key;    /* its first 256 bytes */
	size_t len;             /* of the whole key */
	uint64_t weight, error; /* the true weight is in [weight - error, weight] */
	uint32_t from, to;      /* as in a flow; they are equal when the key stays */
};

struct fl_traffic_report {
	uint64_t requests, moved_requests; /* fed; exact */
	uint64_t weight, moved_weight;     /* exact; sums stop at 2^64 - 1 */
	/* Half the sum of |after - before| over nodes (nobody is one): no change with these shares
	 * could move less. */
	uint64_t least_weight;
	uint64_t nobody_before, nobody_after; /* weight without an owner */

	struct fl_traffic_figure keys;       /* different keys */
	struct fl_traffic_figure moved_keys; /* share of them that moves, 0..1 */
	uint64_t sampled;                    /* keys in the table: all of them when exact */
	uint64_t sample_rate;                /* one key of so many is in it; 1: exact */

	const struct fl_traffic_node *nodes; /* by name */
	size_t node_count;
	const struct fl_traffic_flow *flows; /* heaviest first, then by names */
	size_t flow_count;
	const struct fl_traffic_hot *hot; /* heaviest first */
	size_t hot_count;
	uint64_t hot_rest; /* no key that is not in `hot` is heavier; 0: all are in it */
};

struct fl_traffic;

/* FL_EINVAL (memory, hot), FL_ENOTSUP never: bytes serve every algorithm. FL_ENOMEM. */
int fl_traffic_new(struct fl_traffic **out, const struct fl_traffic_options *options);
void fl_traffic_free(struct fl_traffic *t); /* NULL is fine */

/* Counts one request. The key's bytes are copied: keys are looked up 256 at a time. FL_ENOMEM is
 * possible (also for requests before this one), and then the object is only good to be freed. */
int fl_traffic_add(struct fl_traffic *t, struct fl_slice key, uint64_t weight);

/* The report of all so far, borrowed until the next call for `t`; more may be added after it.
 * FL_ENOMEM. */
int fl_traffic_report(struct fl_traffic *t, const struct fl_traffic_report **out);

#endif
