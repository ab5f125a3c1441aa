#include "hash/xxh.h"

#include <xxhash.h>

uint32_t fl_xxh32(const void *bytes, size_t len, uint32_t seed)
{
	return XXH32(len ? bytes : "", len, seed);
}

uint64_t fl_xxh64(const void *bytes, size_t len, uint64_t seed)
{
	return XXH64(len ? bytes : "", len, seed);
}
