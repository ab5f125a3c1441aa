/* The header form of libxxhash, compiled here once: short keys then cost half of what a call
 * into the shared library does, and the result cannot change with the installed version. */
#include "hash/xxh3.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t fl_xxh3(const void *bytes, size_t len, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, len, seed);
}
