/* What the rings of this room share: rows over a circle of points (place/points.h), whose
 * position for a key comes from a hash of the key's bytes alone. */
#ifndef FL_COMPAT_CIRCLE_H
#define FL_COMPAT_CIRCLE_H

#include "place/placement_priv.h"
#include "place/points.h"

struct fl_circle {
	struct fl_points points;
	uint64_t (*position)(unsigned kind, const void *bytes, size_t len); /* of a key */
	unsigned kind; /* of hash, where a system knows several */
};

/* Makes p's state from the points, which stay the caller's; ties in the order given. `position`,
 * `kind` and the points' `strict` are taken from `how`. FL_OK or FL_ENOMEM. */
int fl_circle_build(struct fl_placement *p, const struct fl_point *list, size_t count,
	const struct fl_circle *how);

/* For the rows: free, pick, owners, arc, position, memory, starved. */
void fl_circle_free(struct fl_placement *p);
uint32_t fl_circle_pick(
	const struct fl_placement *p, const struct fl_key *key, const struct fl_mask *mask);
int fl_circle_owners(const struct fl_placement *p, const struct fl_key *key,
	const struct fl_mask *mask, uint32_t *slots, size_t k);
bool fl_circle_arc(const struct fl_placement *p, size_t i, struct fl_arc *arc);
uint64_t fl_circle_position(const struct fl_placement *p, const struct fl_key *key);
size_t fl_circle_memory(const struct fl_placement *p);
bool fl_circle_starved(const struct fl_placement *p, uint32_t slot);

/* What every such row has. */
#define FL_CIRCLE_ROW                                                                          \
	.free = fl_circle_free, .pick = fl_circle_pick, .owners = fl_circle_owners,            \
	.arc = fl_circle_arc, .part = FL_PART_POINT, .position = fl_circle_position,           \
	.memory = fl_circle_memory, .starved = fl_circle_starved

#endif
