/* For files that repeat a peer's arithmetic in doubles step by step: each operation must round
 * once, to 53 bits. (Contraction is off for the whole library, and 32-bit x86 computes in SSE2.) */
#ifndef FL_COMPAT_DOUBLES_H
#define FL_COMPAT_DOUBLES_H

#include <float.h>

_Static_assert(FLT_EVAL_METHOD == 0 || FLT_EVAL_METHOD == 1, "doubles are computed as doubles");

#endif
