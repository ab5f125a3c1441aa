/* FNV-1a of 32 and 64 bits (Fowler, Noll & Vo), bytes unsigned; hash/legacy.h has the signed ones.
 * A hash goes on from where it was: begin with FL_FNV32 or FL_FNV64. */
#ifndef FL_HASH_FNV_H
#define FL_HASH_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FL_FNV32 0x811c9dc5u
#define FL_FNV64 0xcbf29ce484222325u

/* `bytes` may be NULL when len is 0. */
static inline uint32_t fl_fnv1a_32(uint32_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x01000193u;
	return hash;
}

static inline uint64_t fl_fnv1a_64(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3u;
	return hash;
}

#endif
