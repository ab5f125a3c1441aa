#include "hash/murmur64.h"

#include "hash/mix.h"

#include <string.h>

#define M 0xc6a4a7935bd1e995u

uint64_t fl_murmur64a(const void *bytes, size_t len, uint64_t seed)
{
	const unsigned char *p = bytes;
	uint64_t h = seed ^ (len * M);
	size_t rest = len % 8;
	for (size_t i = len / 8; i > 0; i--, p += 8) {
		uint64_t k = fl_load64_le(p) * M;
		h = (h ^ (k ^ (k >> 47)) * M) * M;
	}
	if (rest > 0) {
		unsigned char last[8] = {0};
		memcpy(last, p, rest);
		h = (h ^ fl_load64_le(last)) * M;
	}
	h = (h ^ (h >> 47)) * M;
	return h ^ (h >> 47);
}
