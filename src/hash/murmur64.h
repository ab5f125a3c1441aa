/* MurmurHash64A: the 64-bit MurmurHash2 for 64-bit machines (Appleby's public description). */
#ifndef FL_HASH_MURMUR64_H
#define FL_HASH_MURMUR64_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` may be NULL when len is 0. Bytes count as little-endian words on every machine. */
uint64_t fl_murmur64a(const void *bytes, size_t len, uint64_t seed);

#endif
