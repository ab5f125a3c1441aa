/* The heaviest keys of a stream in fixed memory (Metwally, Agrawal, El Abbadi 2005).
 *
 * Of k counters, each key that was counted has true weight in [weight - error, weight], and a key
 * that has none weighs at most fl_space_saving_floor(), which is at most total / k. So every key
 * heavier than total / k is among them, and while no more than k keys were seen, all are, exactly.
 * The same stream gives the same counters on every machine. One thread at a time. */
#ifndef FL_SKETCH_SPACE_SAVING_H
#define FL_SKETCH_SPACE_SAVING_H

#include "base/slice.h"

#include <stdint.h>

#define FL_SPACE_SAVING_MOST (1u << 20) /* counters */
#define FL_SPACE_SAVING_KEY  256u       /* bytes of a key that are kept */

struct fl_space_saving;

struct fl_space_saving_item {
	struct fl_slice
		key; /* borrowed until the next add; its first FL_SPACE_SAVING_KEY bytes */
	size_t len;  /* of the whole key */
	uint64_t hash;
	uint64_t tag;
	uint64_t weight, error;
};

/* `k` counters, 1..FL_SPACE_SAVING_MOST; about 320 bytes each, all taken here. FL_EINVAL,
 * FL_ENOMEM. */
int fl_space_saving_new(struct fl_space_saving **out, size_t k);
void fl_space_saving_free(struct fl_space_saving *s); /* NULL is fine */

/* Counts `weight` (0 counts nothing) for the key with this 64-bit hash, which is what tells keys
 * apart: two keys of one hash and length are one. `tag` is the caller's, of a key's first add since
 * it has its counter. Sums stop at 2^64 - 1. O(1) for a key that has a
 * counter, amortised O(log k) else; no allocation. */
void fl_space_saving_add(struct fl_space_saving *s, struct fl_slice key, uint64_t hash,
	uint64_t tag, uint64_t weight);

/* The most that a key without a counter can weigh; 0 while every key has one. O(k). */
uint64_t fl_space_saving_floor(const struct fl_space_saving *s);

/* The counters, heaviest first (then by hash), into items[0..count): at most `most` of them. Gives
 * their number. O(k log k). FL_ENOMEM is possible. */
int fl_space_saving_list(
	const struct fl_space_saving *s, struct fl_space_saving_item *items, size_t most);

#endif
