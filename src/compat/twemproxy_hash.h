/* How twemproxy makes 32-bit hashes of keys; both of its distributions begin with these options. */
#ifndef FL_COMPAT_TWEMPROXY_HASH_H
#define FL_COMPAT_TWEMPROXY_HASH_H

#include "place/algorithm.h"

/* clang-format off */
#define FL_TWEMPROXY_OPTIONS                                                                   \
	{"hash", 6, 0, 11, FL_ANY_NUMBER, fl_twemproxy_functions},                             \
	{"hash-tag", 0, 0, 0x7e7e, FL_TWO_CHARACTERS, NULL}
/* clang-format on */
#define FL_TWEMPROXY_KEY_OPTIONS 3u /* bits: both */

extern const char *const fl_twemproxy_functions[];

/* The hash has 15 bits (crc32). Here and below `options` are the values of FL_TWEMPROXY_OPTIONS. */
bool fl_twemproxy_is_short(const uint64_t *options);

uint32_t fl_twemproxy_hash(const uint64_t *options, const struct fl_key *key);

#endif
