#include "hash/legacy.h"

#include "hash/mix.h"

#include <zlib.h>

uint32_t fl_crc32(const void *bytes, size_t len)
{
	return (uint32_t)crc32_z(0, len ? bytes : (const void *)"", len);
}

uint32_t fl_one_at_a_time_signed(const void *bytes, size_t len)
{
	const int8_t *p = bytes;
	uint32_t h = 0;
	for (size_t i = 0; i < len; i++) {
		h += (uint32_t)p[i];
		h += h << 10;
		h ^= h >> 6;
	}
	h += h << 3;
	h ^= h >> 11;
	return h + (h << 15);
}

/* ---- FNV ---- */

#define FNV_32_START 0x811c9dc5u
#define FNV_32_PRIME 0x01000193u
#define FNV_64_START 0xcbf29ce484222325u
#define FNV_64_PRIME 0x00000100000001b3u

uint32_t fl_fnv1_32_signed(const void *bytes, size_t len)
{
	const int8_t *p = bytes;
	uint32_t h = FNV_32_START;
	for (size_t i = 0; i < len; i++)
		h = (h * FNV_32_PRIME) ^ (uint32_t)p[i];
	return h;
}

static uint32_t fnv1a_32_signed(const int8_t *p, size_t len, uint32_t h, uint32_t prime)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint32_t)p[i]) * prime;
	return h;
}

uint32_t fl_fnv1a_32_signed(const void *bytes, size_t len)
{
	return fnv1a_32_signed(bytes, len, FNV_32_START, FNV_32_PRIME);
}

uint32_t fl_fnv1a_64_cut_signed(const void *bytes, size_t len)
{
	return fnv1a_32_signed(bytes, len, (uint32_t)FNV_64_START, (uint32_t)FNV_64_PRIME);
}

uint32_t fl_fnv1_64_low_signed(const void *bytes, size_t len)
{
	const int8_t *p = bytes;
	uint64_t h = FNV_64_START;
	for (size_t i = 0; i < len; i++)
		h = (h * FNV_64_PRIME) ^ (uint64_t)p[i];
	return (uint32_t)h;
}

/* ---- Murmur ---- */

#define MURMUR2 0x5bd1e995u

/* The last len bytes, 0..3, as a little-endian number. */
static uint32_t rest_of(const unsigned char *p, size_t len)
{
	uint32_t k = 0;
	while (len-- > 0)
		k = k << 8 | p[len];
	return k;
}

uint32_t fl_murmur2_32(const void *bytes, size_t len, uint32_t seed)
{
	const unsigned char *p = bytes;
	uint32_t h = seed ^ (uint32_t)len;
	for (; len >= 4; p += 4, len -= 4) {
		uint32_t k = fl_load32_le(p) * MURMUR2;
		h = (h * MURMUR2) ^ ((k ^ (k >> 24)) * MURMUR2);
	}
	if (len > 0)
		h = (h ^ rest_of(p, len)) * MURMUR2;
	h = (h ^ (h >> 13)) * MURMUR2;
	return h ^ (h >> 15);
}

static uint32_t scramble(uint32_t k)
{
	return fl_rotl32(k * 0xcc9e2d51u, 15) * 0x1b873593u;
}

uint32_t fl_murmur3_32(const void *bytes, size_t len, uint32_t seed)
{
	const unsigned char *p = bytes;
	uint32_t h = seed;
	for (size_t left = len; left >= 4; p += 4, left -= 4)
		h = fl_rotl32(h ^ scramble(fl_load32_le(p)), 13) * 5 + 0xe6546b64u;
	/* A rest of no bytes scrambles to 0. */
	h ^= scramble(rest_of(p, len % 4)) ^ (uint32_t)len;
	h = (h ^ (h >> 16)) * 0x85ebca6bu;
	h = (h ^ (h >> 13)) * 0xc2b2ae35u;
	return h ^ (h >> 16);
}

/* ---- lookup3 ---- */

static void mix(uint32_t v[3])
{
	static const unsigned char turns[6] = {4, 6, 8, 16, 19, 4};
	for (unsigned i = 0; i < 6; i++) {
		uint32_t *a = &v[i % 3], *b = &v[(i + 1) % 3], *c = &v[(i + 2) % 3];
		*a = (*a - *c) ^ fl_rotl32(*c, turns[i]);
		*c += *b;
	}
}

static uint32_t last_mix(uint32_t v[3])
{
	static const unsigned char turns[7] = {14, 11, 25, 16, 4, 14, 24};
	for (unsigned i = 0; i < 7; i++) {
		uint32_t *to = &v[(i + 2) % 3], from = v[(i + 1) % 3];
		*to = (*to ^ from) - fl_rotl32(from, turns[i]);
	}
	return v[2];
}

uint32_t fl_lookup3(const void *bytes, size_t len, uint32_t initial)
{
	const unsigned char *p = bytes;
	uint32_t start = 0xdeadbeefu + (uint32_t)len + initial, v[3] = {start, start, start};
	if (len == 0)
		return start;
	/* The last 1 to 12 bytes are not mixed but end it. */
	for (; len > 12; p += 12, len -= 12) {
		for (size_t i = 0; i < 3; i++)
			v[i] += fl_load32_le(p + 4 * i);
		mix(v);
	}
	for (size_t i = 0; i < len; i += 4)
		v[i / 4] += len - i >= 4 ? fl_load32_le(p + i) : rest_of(p + i, len - i);
	return last_mix(v);
}

/* ---- SuperFastHash ---- */

static uint32_t pair(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t hsieh_rest(uint32_t h, const unsigned char *p, size_t len)
{
	if (len == 3) {
		h += pair(p);
		h ^= h << 16;
		h ^= (uint32_t)(int8_t)p[2] << 18;
		h += h >> 11;
	} else if (len == 2) {
		h += pair(p);
		h ^= h << 11;
		h += h >> 17;
	} else if (len == 1) {
		h += p[0];
		h ^= h << 10;
		h += h >> 1;
	}
	return h;
}

uint32_t fl_hsieh(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint32_t h = 0;
	if (len == 0)
		return 0;
	for (; len >= 4; p += 4, len -= 4) {
		h += pair(p);
		h = (h << 16) ^ (pair(p + 2) << 11) ^ h;
		h += h >> 11;
	}
	h = hsieh_rest(h, p, len);
	h ^= h << 3;
	h += h >> 5;
	h ^= h << 4;
	h += h >> 17;
	h ^= h << 25;
	return h + (h >> 6);
}
