/* SipHash-2-4 (Aumasson & Bernstein 2012): a keyed hash. Whoever does not have the key cannot
 * find inputs whose hashes have anything in common. */
#ifndef FL_HASH_SIPHASH_H
#define FL_HASH_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#define FL_SIPHASH_KEY 16 /* bytes */

struct fl_siphash_key {
	uint64_t k0, k1; /* the first eight bytes and the last, little-endian */
};

struct fl_siphash_key fl_siphash_key(const unsigned char bytes[FL_SIPHASH_KEY]);

/* `bytes` may be NULL when len is 0. Any thread; cost about 14 ns for 16 bytes. */
uint64_t fl_siphash(const void *bytes, size_t len, struct fl_siphash_key key);

#endif
