/* Nodes as points on a circle, each * weight a node: what ring and multiprobe look keys up in.
 * p->state is a struct fl_points. */
#ifndef FL_PLACE_NODE_POINTS_H
#define FL_PLACE_NODE_POINTS_H

#include "place/points.h"

/* Makes p->state; p->lookup is left to the caller. FL_OK, FL_ENOMEM or FL_ELIMIT. */
int fl_node_points_build(struct fl_placement *p, uint64_t each, struct fl_error *err);

/* The same from `old`, which has as many points for each unit of weight. */
int fl_node_points_derive(struct fl_placement *p, const struct fl_placement *old, uint64_t each,
	struct fl_error *err);

/* As the functions of struct fl_algorithm. */
void fl_node_points_free(struct fl_placement *p);
size_t fl_node_points_memory(const struct fl_placement *p);

#endif
