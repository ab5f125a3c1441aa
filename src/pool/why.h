/* Why a key is where it is: all nodes of a pool in the order in which they would have the key,
 * nobody left out, and what became of each. PURE, as all of pool/: the admin socket and the command
 * line tell the same.
 *
 * Who has the key is not reasoned here: it is what fl_view_pick answers for the same view, key
 * and moment; the verdicts explain that answer. */
#ifndef FL_POOL_WHY_H
#define FL_POOL_WHY_H

#include "pool/pool.h"

enum fl_verdict {
	FL_VERDICT_TAKEN,   /* has the key */
	FL_VERDICT_BEHIND,  /* would be next; a node before it has the key */
	FL_VERDICT_WARMING, /* would have the key when warm; its ramp is not there yet */
	FL_VERDICT_DOWN,    /* masked, as the next two are: keys go past it */
	FL_VERDICT_EJECTED,
	FL_VERDICT_DRAIN,
	FL_VERDICT_STANDBY,    /* a backup, and an ordinary node has the key */
	FL_VERDICT_PASSED,     /* before the taken one, yet the order under a mask is another */
	FL_VERDICT_WEIGHTLESS, /* weight 0: can own no key */
	FL_VERDICT_STARVED,    /* has a weight, but no row or point: can own no key */
	FL_VERDICT_DISABLED,   /* not built */
};

const char *fl_verdict_name(enum fl_verdict verdict); /* "taken", ... */

struct fl_candidate {
	struct fl_pool_node node;
	size_t rank; /* in the key's order, from 1; 0: can own no key */
	enum fl_verdict verdict;
	double ramp; /* how warm it is, 0..1 */
};

struct fl_why {
	const struct fl_view *view;    /* borrowed from the pool */
	const struct fl_member *taken; /* who has the key; NULL: nobody */
	uint64_t now_ms;
	bool located; /* `position` is set: the algorithm has parts (fl_locate) */
	struct fl_position position; /* among the ordinary nodes' rows or points */
	size_t count; /* every node of the pool once: those with a rank first, by it */
	struct fl_candidate candidates[];
};

/* The members are borrowed from the pool until its next change. Control thread. Errors: FL_ENOMEM,
 * FL_ENOTSUP as fl_view_pick. Cost: O(nodes log nodes), and the owners of the key. */
int fl_pool_why(
	struct fl_why **out, struct fl_pool *pool, const struct fl_key *key, uint64_t now_ms);
void fl_why_free(struct fl_why *why); /* NULL is fine */

#endif
