/* The text that names an algorithm: "ring", "ring,points=200,seed=0x7", "compat:NAME,opt=val". */
#ifndef FL_LIB_SPEC_H
#define FL_LIB_SPEC_H

#include "place/algorithm.h"

struct fl_spec {
	const struct fl_algorithm *algorithm;
	uint64_t options[FL_MAX_OPTIONS];
	struct fl_secret secret; /* the option "secret", which all with FL_SECRET have */
};

/* Parses and checks the whole text. FL_EINVAL, FL_ENOENT (unknown algorithm or option); *out is
 * untouched then, and no text of an error has anything of a secret in it. */
int fl_spec_parse(struct fl_spec *out, const char *text, struct fl_error *err);

/* Room for any text that fl_spec_print gives, and more than a saved state may hold. */
#define FL_SPEC_TEXT 512

/* What stands for a secret wherever a spec is shown or saved; no spec can have it. */
#define FL_SPEC_HIDDEN ",secret=***"

/* The spec in its one full form: every option in its order, numbers in decimal, and at the end
 * FL_SPEC_HIDDEN if there is a secret. Without one, parsing it gives the algorithm and options
 * again. */
void fl_spec_print(char out[FL_SPEC_TEXT], const struct fl_algorithm *a,
	const uint64_t *options, bool secret);

/* A valid spec as it was written, but for its secret, which is hidden; cut to fit. */
void fl_spec_hide(char out[FL_SPEC_TEXT], const char *text);

#endif
