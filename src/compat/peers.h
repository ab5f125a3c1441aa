/* Nodes in the order of a configuration (ascending slots) with their weights added up: what
 * systems walk that take a number mod the total weight. */
#ifndef FL_COMPAT_PEERS_H
#define FL_COMPAT_PEERS_H

#include "compat/picks.h"

struct fl_peer {
	uint32_t slot;
	uint32_t weight;
	uint64_t end; /* the weights up to this one, its own included */
};

struct fl_peers {
	uint32_t count; /* at least 1 */
	uint64_t total;
	struct fl_peer peer[];
};

/* Makes p's state of the nodes with a weight. FL_OK or FL_ENOMEM. */
int fl_peers_build(struct fl_placement *p);

/* For the rows: free and memory. */
void fl_peers_free(struct fl_placement *p);
size_t fl_peers_memory(const struct fl_placement *p);

/* The shares of peers, and whether one has none, where the numbers below `reach` are equally
 * likely and are taken mod the total. */
void fl_peers_shares(const struct fl_peers *q, uint64_t reach, double *shares);
bool fl_peers_starved(const struct fl_peers *q, uint64_t reach, uint32_t slot);

/* The index of the peer that a number below the total falls to. O(log count). */
uint32_t fl_peers_find(const struct fl_peers *q, uint64_t number);

/* nginx: the first peer that is not out of those that the numbers of `next` fall to, mod the
 * total; after 21 of them, the first that is not out behind the last one. FL_NONE: all are. */
uint32_t fl_peers_try(const struct fl_peers *q, uint64_t (*next)(void *sequence),
	void *sequence, const struct fl_out *out);

#endif
