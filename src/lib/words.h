/* Room for a mask of one's own, a bit a slot: on the stack while that is small. */
#ifndef FL_LIB_WORDS_H
#define FL_LIB_WORDS_H

#include "fairlead/fairlead.h"

#include <stdlib.h>

struct fl_words {
	uint64_t few[FL_MAX_ROWED / 64];
	uint64_t *at; /* `few`, or from the heap */
};

/* For `slots` slots, not cleared. FL_OK or FL_ENOMEM; allocates only for more than FL_MAX_ROWED. */
static inline int fl_words_init(struct fl_words *w, uint32_t slots)
{
	w->at = slots <= FL_MAX_ROWED ? w->few : malloc(((size_t)slots + 63) / 64 * 8);
	return w->at ? FL_OK : FL_ENOMEM;
}

static inline void fl_words_fini(struct fl_words *w)
{
	if (w->at != w->few)
		free(w->at);
}

#endif
