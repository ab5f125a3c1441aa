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

/* Room for any text that fl_spec_print gives, and more than a saved state may hold. */
#define FL_SPEC_TEXT 512

/* The spec in its one full form: every option in its order, numbers in decimal. Parsing it gives
 * the algorithm and options again. */
void fl_spec_print(
	char out[FL_SPEC_TEXT], const struct fl_algorithm *a, const uint64_t *options);

#endif
