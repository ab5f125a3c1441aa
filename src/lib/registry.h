/* The algorithms there are, native ones first. */
#ifndef FL_LIB_REGISTRY_H
#define FL_LIB_REGISTRY_H

#include "place/algorithm.h"

/* Number `i`, or NULL past the last. */
const struct fl_algorithm *fl_registry_at(size_t i);

/* By its full name ("ring", "compat:python-ring"), or NULL. */
const struct fl_algorithm *fl_registry_find(const char *name);

#endif
