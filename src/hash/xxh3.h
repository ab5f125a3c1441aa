/* XXH3, 64 bits: the native hash of keys and names. */
#ifndef FL_HASH_XXH3_H
#define FL_HASH_XXH3_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` may be NULL when len is 0. Any thread; cost about 3 ns for 16 bytes. */
uint64_t fl_xxh3(const void *bytes, size_t len, uint64_t seed);

#endif
