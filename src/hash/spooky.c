/* Messages below 192 bytes go through four words of state, longer ones through twelve; the
 * rotations are all that tells one step from the next, so they stand in tables. */
#include "hash/spooky.h"

#include "hash/mix.h"

#include <string.h>

#define FILL  0xdeadbeefdeadbeefu
#define WORDS 12
#define BLOCK (8 * WORDS)
#define LONG  (2 * BLOCK)

static void mix_short(uint64_t h[4])
{
	static const unsigned char turns[12] = {50, 52, 30, 41, 54, 48, 38, 37, 62, 34, 5, 36};
	for (unsigned i = 0; i < 12; i++) {
		uint64_t *x = &h[(i + 2) % 4];
		*x = fl_rotl64(*x, turns[i]) + h[(i + 3) % 4];
		h[i % 4] ^= *x;
	}
}

static void end_short(uint64_t h[4])
{
	static const unsigned char turns[11] = {15, 52, 26, 51, 28, 9, 47, 54, 32, 25, 63};
	for (unsigned i = 0; i < 11; i++) {
		uint64_t *x = &h[(i + 3) % 4], *turned = &h[(i + 2) % 4];
		*x ^= *turned;
		*turned = fl_rotl64(*turned, turns[i]);
		*x += *turned;
	}
}

static void add_pair(uint64_t h[4], unsigned at, const unsigned char *p)
{
	h[at] += fl_load64_le(p);
	h[at + 1] += fl_load64_le(p + 8);
}

static uint64_t hash_short(const unsigned char *p, size_t len, uint64_t seed)
{
	uint64_t h[4] = {seed, seed, FILL, FILL};
	unsigned char last[16] = {0};
	size_t rest = len;
	for (; rest >= 32; rest -= 32, p += 32) {
		add_pair(h, 2, p);
		mix_short(h);
		add_pair(h, 0, p + 16);
	}
	if (rest >= 16) {
		add_pair(h, 2, p);
		mix_short(h);
		rest -= 16;
		p += 16;
	}
	h[3] += (uint64_t)len << 56;
	if (rest > 0) {
		memcpy(last, p, rest);
		add_pair(h, 2, last);
	} else {
		h[2] += FILL;
		h[3] += FILL;
	}
	end_short(h);
	return h[0];
}

static void mix_long(uint64_t s[WORDS], const unsigned char *p)
{
	static const unsigned char turns[WORDS] = {
		11, 32, 43, 31, 17, 28, 39, 57, 55, 54, 22, 46};
	for (unsigned i = 0; i < WORDS; i++) {
		s[i] += fl_load64_le(p + 8 * (size_t)i);
		s[(i + 2) % WORDS] ^= s[(i + 10) % WORDS];
		s[(i + 11) % WORDS] ^= s[i];
		s[i] = fl_rotl64(s[i], turns[i]);
		s[(i + 11) % WORDS] += s[(i + 1) % WORDS];
	}
}

static void end_long(uint64_t s[WORDS], const unsigned char *p)
{
	static const unsigned char turns[WORDS] = {
		44, 15, 34, 21, 38, 33, 10, 13, 38, 53, 42, 54};
	for (unsigned i = 0; i < WORDS; i++)
		s[i] += fl_load64_le(p + 8 * (size_t)i);
	for (unsigned i = 0; i < 3 * WORDS; i++) {
		uint64_t *turned = &s[(i + 1) % WORDS];
		s[(i + 11) % WORDS] += *turned;
		s[(i + 2) % WORDS] ^= s[(i + 11) % WORDS];
		*turned = fl_rotl64(*turned, turns[i % WORDS]);
	}
}

static uint64_t hash_long(const unsigned char *p, size_t len, uint64_t seed)
{
	uint64_t s[WORDS];
	unsigned char last[BLOCK] = {0};
	size_t rest = len % BLOCK;
	for (unsigned i = 0; i < WORDS; i++)
		s[i] = i % 3 == 2 ? FILL : seed;
	for (size_t i = len / BLOCK; i > 0; i--, p += BLOCK)
		mix_long(s, p);
	memcpy(last, p, rest);
	last[BLOCK - 1] = (unsigned char)rest;
	end_long(s, last);
	return s[0];
}

uint32_t fl_spooky32(const void *bytes, size_t len, uint32_t seed)
{
	return (uint32_t)(len < LONG ? hash_short(bytes, len, seed)
				     : hash_long(bytes, len, seed));
}
