/* The rule of the caps of bounded-table, for whoever checks it. */
#ifndef FL_PLACE_BOUNDED_H
#define FL_PLACE_BOUNDED_H

#include "place/placement_priv.h"

/* The most rows that the node in `slot` may own; 0 for a node of no weight. p has the options of
 * bounded-table and somebody eligible. Cost O(nodes). */
uint32_t fl_bounded_cap(const struct fl_placement *p, uint32_t slot);

#endif
