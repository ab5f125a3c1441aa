/* Which keys moved between two acts, from whom to whom: pure counting. */
#ifndef FL_CLI_DEMO_MOVES_H
#define FL_CLI_DEMO_MOVES_H

#include "cli/demo_nodes.h"

#include <stddef.h>
#include <stdint.h>

struct fl_demo_moves {
	size_t all;                 /* keys whose owner differs */
	size_t from[FL_DEMO_NODES]; /* of those, by the owner before */
	size_t to[FL_DEMO_NODES];   /* and by the owner after */
};

/* Owners are numbers of nodes, or FL_DEMO_NOBODY, which counts as an owner of its own. */
struct fl_demo_moves fl_demo_moves(const uint8_t *before, const uint8_t *after, size_t keys);

/* "a 251, b 249, e 250": the counts that are not 0; returns `buf`. */
struct fl_demo_list {
	char text[160];
};
const char *fl_demo_list(struct fl_demo_list *buf, const size_t *count);

/* 1234567 as "1,234,567"; returns `buf`. */
struct fl_demo_number {
	char text[32];
};
const char *fl_demo_number(struct fl_demo_number *buf, uint64_t n);

#endif
