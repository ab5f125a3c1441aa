/* Counting keys by their owner before and after: an open-addressing table of pairs of slots. */
#ifndef FL_LIB_FLOWS_H
#define FL_LIB_FLOWS_H

#include <stddef.h>
#include <stdint.h>

/* A number of keys, up to 2^64 inclusive. */
struct fl_keys {
	uint64_t low, high;
};

struct fl_flow_count {
	uint32_t from, to; /* slots or FL_NONE */
	struct fl_keys keys;
};

struct fl_flows {
	struct fl_flow_count *cells; /* a cell with no keys is free */
	size_t size, used;           /* size is a power of two, or 0 before the first add */
};

static inline double fl_keys_share(struct fl_keys keys)
{
	return (double)keys.high + (double)keys.low * 0x1p-64;
}

static inline void fl_keys_add(struct fl_keys *sum, struct fl_keys more)
{
	sum->low += more.low;
	sum->high += more.high + (sum->low < more.low);
}

/* Adds `keys` (not zero) to the pair. FL_OK or FL_ENOMEM. O(1) on average. */
int fl_flows_add(struct fl_flows *f, uint32_t from, uint32_t to, struct fl_keys keys);
void fl_flows_fini(struct fl_flows *f);

#endif
