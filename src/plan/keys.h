/* Made-up keys of several shapes, and made-up traffic: the same on every machine, from integers
 * alone, and simple enough that a script in any language can make them again (keys.c says how).
 *
 * Key i is a function of the shape, the seed and i, so keys come in any order. */
#ifndef FL_PLAN_KEYS_H
#define FL_PLAN_KEYS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define FL_KEYGEN_MOST 64         /* bytes of a key, no NUL behind it */
#define FL_ZIPF_MOST   (1u << 24) /* ranks */

enum fl_keygen_shape {
	FL_KEYGEN_SEQUENTIAL, /* user:1, user:2, ... whatever the seed */
	FL_KEYGEN_UUID,       /* version 4, lower case */
	FL_KEYGEN_IPV4,       /* dotted addresses, all of them different */
	FL_KEYGEN_URL,        /* /catalog/item-12?page=7 */
	FL_KEYGEN_RANDOM,     /* 16 bytes of any value */
	FL_KEYGEN_SHAPES,
};

/* "sequential", "uuid", "ipv4", "url", "random"; NULL at the end: as fl_conf_nearest takes it. */
extern const char *const fl_keygen_names[FL_KEYGEN_SHAPES + 1];

/* Key i into `out`; its length. Different i have different keys (uuid and random: up to the
 * chance of 122 and 128 random bits; ipv4: i below 2^32). Any thread, no allocation. */
size_t fl_keygen_key(
	enum fl_keygen_shape shape, uint64_t seed, uint64_t i, char out[FL_KEYGEN_MOST]);

/* ---- popularity ---- */

/* Ranks 0..n-1, rank r drawn with a probability proportional to 1 / (r + 1)^s. */
struct fl_zipf;

/* n in 1..FL_ZIPF_MOST, 8 bytes each; s in thousandths, 0 (all alike) to 4000. FL_EINVAL,
 * FL_ENOMEM. About 100 ns a rank. */
int fl_zipf_new(struct fl_zipf **out, uint32_t n, uint32_t s_milli);
void fl_zipf_free(struct fl_zipf *z); /* NULL is fine */

/* The rank of request j under this seed. O(log n); any thread. */
uint32_t fl_zipf_rank(const struct fl_zipf *z, uint64_t seed, uint64_t j);

/* The weight of rank r, and of all ranks together: what the draws are proportional to. */
uint64_t fl_zipf_weight(const struct fl_zipf *z, uint32_t r);
uint64_t fl_zipf_total(const struct fl_zipf *z);

#endif
