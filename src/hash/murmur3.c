#include "hash/murmur3.h"

#include "hash/mix.h"

#include <string.h>

#define C1 0x87c37b91114253d5u
#define C2 0x4cf5ad432745937fu

static uint64_t scramble1(uint64_t k)
{
	return fl_rotl64(k * C1, 31) * C2;
}

static uint64_t scramble2(uint64_t k)
{
	return fl_rotl64(k * C2, 33) * C1;
}

static uint64_t finish(uint64_t h)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
	return h ^ (h >> 33);
}

static void block(struct fl_murmur3 *m, const unsigned char *p)
{
	m->h1 ^= scramble1(fl_load64_le(p));
	m->h1 = (fl_rotl64(m->h1, 27) + m->h2) * 5 + 0x52dce729;
	m->h2 ^= scramble2(fl_load64_le(p + 8));
	m->h2 = (fl_rotl64(m->h2, 31) + m->h1) * 5 + 0x38495ab5;
}

void fl_murmur3_init(struct fl_murmur3 *m, uint32_t seed)
{
	memset(m, 0, sizeof(*m));
	m->h1 = m->h2 = seed;
}

void fl_murmur3_add(struct fl_murmur3 *m, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	size_t have = m->length % 16;
	m->length += len;
	if (have) {
		size_t take = len < 16 - have ? len : 16 - have;
		if (take)
			memcpy(m->tail + have, p, take);
		if (have + take < 16)
			return;
		block(m, m->tail);
		p += take;
		len -= take;
	}
	for (; len >= 16; p += 16, len -= 16)
		block(m, p);
	if (len)
		memcpy(m->tail, p, len);
}

void fl_murmur3_sum(const struct fl_murmur3 *m, uint64_t out[2])
{
	unsigned char last[16] = {0};
	size_t have = m->length % 16;
	uint64_t h1 = m->h1, h2 = m->h2;
	/* A missing half scrambles to 0, so zero padding is the same as leaving it out. */
	memcpy(last, m->tail, have);
	h1 ^= scramble1(fl_load64_le(last));
	h2 ^= scramble2(fl_load64_le(last + 8));
	h1 ^= m->length;
	h2 ^= m->length;
	h1 += h2;
	h2 += h1;
	h1 = finish(h1);
	h2 = finish(h2);
	h1 += h2;
	h2 += h1;
	out[0] = h1;
	out[1] = h2;
}
