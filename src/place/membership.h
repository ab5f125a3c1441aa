/* Turning lists of nodes and changes into the sorted nodes, slots and names of a placement. */
#ifndef FL_PLACE_MEMBERSHIP_H
#define FL_PLACE_MEMBERSHIP_H

#include "place/placement_priv.h"

struct fl_draft;

/* A draft for a placement of algorithm `a` that starts with old's nodes and removal stack (NULL:
 * none), and has room for `adds` more nodes. */
int fl_draft_new(struct fl_draft **out, const struct fl_algorithm *a, const uint64_t *options,
	const struct fl_placement *old, size_t adds);
void fl_draft_free(struct fl_draft *d);

/* One change, with the errors of fl_placement_derive; on failure the draft is unchanged.
 * Names and zones are borrowed until fl_draft_finish. O(1) but for the search for a slot. */
int fl_draft_change(struct fl_draft *d, const struct fl_change *change, struct fl_error *err);

/* For a draft that began without `old`: FL_EINVAL when the algorithm is stacked and nobody has one
 * of the slots below the number of nodes. */
int fl_draft_check(const struct fl_draft *d, struct fl_error *err);

/* Gives a draft of a lifo algorithm that began without `old` the removal stack it had when it was
 * saved. FL_EINVAL when that does not go with the nodes, or FL_ENOMEM. */
int fl_draft_restore(
	struct fl_draft *d, const uint32_t *removed, uint32_t count, struct fl_error *err);

/* Fills p's nodes, ranks, text, count, slots, eligible, weight and removed. FL_OK or FL_ENOMEM. */
int fl_draft_finish(struct fl_draft *d, struct fl_placement *p);

#endif
