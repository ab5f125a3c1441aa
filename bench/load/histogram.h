/* Latencies in fixed memory: log-linear buckets, 64 in each power of two, so a percentile is wrong
 * by at most 1.6 %. Nanoseconds up to 2^40 (18 minutes); longer ones count as that. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB     64
#define HISTOGRAM_BUCKETS (HISTOGRAM_SUB * (40 - 5))

struct histogram {
	uint64_t count, max;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/* The value that `share` (0 to 1) of all are not above: the end of its bucket, or the greatest
 * value of all if that is less. 0 without values. */
uint64_t histogram_at(const struct histogram *h, double share);

#endif
