/* Integer mixers and wide multiplies. All results are the same on every machine. */
#ifndef FL_HASH_MIX_H
#define FL_HASH_MIX_H

#include <stdint.h>

/* 2^64 / golden ratio, made odd: the step of a Weyl sequence. */
#define FL_WEYL 0x9e3779b97f4a7c15u

/* High half of a 64 x 64 bit product, from four 32-bit products: for machines without a wide
 * type, and the reference that the fast form is tested against. */
static inline uint64_t fl_mul_high_portable(uint64_t a, uint64_t b)
{
	uint64_t al = (uint32_t)a, ah = a >> 32, bl = (uint32_t)b, bh = b >> 32;
	uint64_t low = al * bl;
	uint64_t mid = ah * bl + (low >> 32);
	uint64_t cross = al * bh + (uint32_t)mid;
	return ah * bh + (mid >> 32) + (cross >> 32);
}

static inline uint64_t fl_mul_high(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	return (uint64_t)(((unsigned __int128)a * b) >> 64);
#else
	return fl_mul_high_portable(a, b);
#endif
}

/* A bijection of 64 bits with full avalanche (the finaliser published with SplitMix64). */
static inline uint64_t fl_mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static inline uint64_t fl_rotl64(uint64_t x, unsigned by)
{
	return (x << by) | (x >> (64 - by));
}

static inline uint32_t fl_rotl32(uint32_t x, unsigned by)
{
	return (x << by) | (x >> (32 - by));
}

/* A seed of its own for each purpose: equal seeds under two salts share nothing. */
static inline uint64_t fl_salted(uint64_t seed, uint64_t salt)
{
	return fl_mix64(fl_mix64(seed + salt) ^ salt);
}

/* Little-endian loads and stores of unaligned bytes. */
static inline uint64_t fl_load64_le(const unsigned char *p)
{
	uint64_t x = 0;
	for (unsigned i = 0; i < 8; i++)
		x |= (uint64_t)p[i] << (8 * i);
	return x;
}

static inline uint32_t fl_load32_le(const unsigned char *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void fl_store64_le(unsigned char *p, uint64_t x)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (unsigned char)(x >> (8 * i));
}

#endif
