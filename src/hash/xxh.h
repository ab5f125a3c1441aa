/* XXH32 and XXH64, which other systems place by (ours is XXH3: hash/xxh3.h). */
#ifndef FL_HASH_XXH_H
#define FL_HASH_XXH_H

#include <stddef.h>
#include <stdint.h>

/* `bytes` may be NULL when len is 0. */
uint32_t fl_xxh32(const void *bytes, size_t len, uint32_t seed);
uint64_t fl_xxh64(const void *bytes, size_t len, uint64_t seed);

#endif
