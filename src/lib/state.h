/* Saved states, for those who test them: the public face is fl_placement_save and _load. */
#ifndef FL_LIB_STATE_H
#define FL_LIB_STATE_H

#include "fairlead/fairlead.h"

/* As fl_placement_load, but *digest gets the digest that the state claims, whether it is that of
 * *out or not. */
int fl_state_read(fl_placement **out, uint64_t *digest, const char *spec, const void *state,
	size_t size, struct fl_error *err);

#endif
