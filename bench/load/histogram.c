#include "histogram.h"

#include <math.h>

#define SUB_BITS 6
#define TOP_BITS 40

/* The first 64 buckets are one value each; from there on each power of two has 64 of its own. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns >> TOP_BITS)
		ns = (UINT64_C(1) << TOP_BITS) - 1;
	if (ns < HISTOGRAM_SUB)
		return (unsigned)ns;
	shift = 63 - SUB_BITS - (unsigned)__builtin_clzll(ns);
	return shift * HISTOGRAM_SUB + (unsigned)(ns >> shift);
}

static uint64_t bucket_end(unsigned bucket)
{
	unsigned shift = bucket / HISTOGRAM_SUB;

	if (shift <= 1)
		return bucket;
	shift--;
	return ((uint64_t)(bucket - shift * HISTOGRAM_SUB + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->buckets[bucket_of(ns)]++;
	h->count++;
	if (ns > h->max)
		h->max = ns;
}

uint64_t histogram_at(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)ceil(share * (double)h->count), seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= wanted && seen > 0)
			return bucket_end(i) < h->max ? bucket_end(i) : h->max;
	}
	return h->max;
}
