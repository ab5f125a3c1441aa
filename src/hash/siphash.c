/* Four words of state, set from the key and four constants ("somepseudorandomlygeneratedbytes").
 * Each word of input goes in before two rounds and once more after them; the last word is what
 * is left of the input, with its length in the top byte. Four more rounds end it. */
#include "hash/siphash.h"

#include "hash/mix.h"

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline void sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = fl_rotl64(s->v1, 13) ^ s->v0;
	s->v3 = fl_rotl64(s->v3, 16) ^ s->v2;
	s->v0 = fl_rotl64(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = fl_rotl64(s->v1, 17) ^ s->v2;
	s->v3 = fl_rotl64(s->v3, 21) ^ s->v0;
	s->v2 = fl_rotl64(s->v2, 32);
}

static inline void take(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static uint64_t last_word(const unsigned char *rest, size_t len)
{
	uint64_t word = (uint64_t)len << 56;
	for (unsigned i = 0; i < len % 8; i++)
		word |= (uint64_t)rest[i] << (8 * i);
	return word;
}

struct fl_siphash_key fl_siphash_key(const unsigned char bytes[FL_SIPHASH_KEY])
{
	return (struct fl_siphash_key){fl_load64_le(bytes), fl_load64_le(bytes + 8)};
}

uint64_t fl_siphash(const void *bytes, size_t len, struct fl_siphash_key key)
{
	struct state s = {key.k0 ^ 0x736f6d6570736575u, key.k1 ^ 0x646f72616e646f6du,
		key.k0 ^ 0x6c7967656e657261u, key.k1 ^ 0x7465646279746573u};
	const unsigned char *at = bytes;
	for (size_t words = len / 8; words > 0; words--, at += 8)
		take(&s, fl_load64_le(at));
	take(&s, last_word(at, len));
	s.v2 ^= 0xff;
	for (unsigned i = 0; i < 4; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
