/* How HAProxy makes 32-bit hashes of keys; both of its mappings begin with these options. */
#ifndef FL_COMPAT_HAPROXY_HASH_H
#define FL_COMPAT_HAPROXY_HASH_H

#include "place/algorithm.h"

#define FL_HAPROXY_MAX_WEIGHT 256

/* clang-format off */
#define FL_HAPROXY_OPTIONS                                                                     \
	{"hash", 0, 0, 5, FL_ANY_NUMBER, fl_haproxy_functions},                                \
	{"avalanche", 0, 0, 2, FL_ANY_NUMBER, fl_haproxy_avalanches},                          \
	{"key", 0, 0, 1, FL_ANY_NUMBER, fl_haproxy_keys}
/* clang-format on */
#define FL_HAPROXY_OPTION_COUNT 3
#define FL_HAPROXY_KEY_OPTIONS  7u /* bits: all three */

extern const char *const fl_haproxy_functions[], *const fl_haproxy_avalanches[],
							 *const fl_haproxy_keys[];

struct fl_haproxy_hash {
	uint32_t (*function)(const unsigned char *bytes, size_t len);
	bool avalanche;
};

/* From the values of FL_HAPROXY_OPTIONS. `avalanche` is what holds when neither function nor
 * avalanche is named. */
struct fl_haproxy_hash fl_haproxy_hash_of(const uint64_t *options, bool avalanche);

uint32_t fl_haproxy_hash(const struct fl_haproxy_hash *h, const struct fl_key *key);

/* The mixer that "avalanche" puts on top of a hash and that spreads points: a bijection. */
uint32_t fl_haproxy_mix(uint32_t a);

#endif
