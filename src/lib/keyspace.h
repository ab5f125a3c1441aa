/* The key space as seen by one or two placements: exactly, as arcs of hashes, or by samples. */
#ifndef FL_LIB_KEYSPACE_H
#define FL_LIB_KEYSPACE_H

#include "lib/flows.h"
#include "place/placement_priv.h"

#define FL_SAMPLES 1000000u /* when the caller asks for 0 */

/* True when keys need not be tried: both hash keys alike and have arcs. */
bool fl_keyspace_exact(const struct fl_placement *a, const struct fl_placement *b);

/* Fills `flows` with how many keys have which owner in `a` and in `b`, over all 2^64 hashes.
 * Only when fl_keyspace_exact. FL_OK or FL_ENOMEM. Cost O(arcs). */
int fl_keyspace_walk(
	const struct fl_placement *a, const struct fl_placement *b, struct fl_flows *flows);

/* The same from `samples` keys, each counted as one. FL_OK or FL_ENOMEM. */
int fl_keyspace_sample(const struct fl_placement *a, const struct fl_placement *b,
	size_t samples, struct fl_flows *flows);

#endif
