/* A binary logarithm in integers, for weighted scores. */
#ifndef FL_PLACE_LOG2_H
#define FL_PLACE_LOG2_H

#include <stdint.h>

/* -log2((h + 1) / 2^64) in units of 2^-58: 0 for the largest h, UINT64_MAX (just under 64)
 * for 0. Never grows as h grows. Never below the exact value, and above it by less than 2^-57
 * (for h > 0; the exact value of h = 0, 64, does not fit). The same on every machine.
 * About 10 ns. */
uint64_t fl_neg_log2(uint64_t h);

#endif
