/* The text that names an algorithm: "ring", "ring,points=200,seed=0x7", "compat:NAME,opt=val". */
#ifndef FL_LIB_SPEC_H
#define FL_LIB_SPEC_H

#include "place/algorithm.h"

struct fl_spec {
	const struct fl_algorithm *algorithm;
	uint64_t options[FL_MAX_OPTIONS];
};

/* Parses and checks the whole text. FL_EINVAL, FL_ENOENT (unknown algorithm or option); *out is
 * untouched then. */
int fl_spec_parse(struct fl_spec *out, const char *text, struct fl_error *err);

#endif
