/* What the traffic driver and the backend must agree on: the bytes that a seed stands for, and
 * the digest of a body. Nothing of src/ is used, so that an error there cannot hide here. */
#ifndef FL_TESTS_TOOLS_PAYLOAD_H
#define FL_TESTS_TOOLS_PAYLOAD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct rng {
	uint64_t s;
};

/* splitmix64: any seed will do, 0 included. */
static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = (r->s += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	return n ? rng_next(r) % n : 0;
}

/* A stream of bytes that can be asked for in pieces of any size. */
struct payload {
	struct rng rng;
	uint64_t word;
	unsigned left; /* bytes of `word` not yet given */
};

static inline struct payload payload_of(uint64_t seed)
{
	struct payload p = {{seed * 0x2545f4914f6cdd1dULL + 1}, 0, 0};

	return p;
}

static inline void payload_fill(struct payload *p, char *out, size_t n)
{
	while (n > 0) {
		if (p->left == 0 && n >= 8) {
			uint64_t word = rng_next(&p->rng);

			memcpy(out, &word, 8);
			out += 8;
			n -= 8;
			continue;
		}
		if (p->left == 0) {
			p->word = rng_next(&p->rng);
			p->left = 8;
		}
		*out++ = (char)(p->word >> (8 * (8 - p->left)));
		p->left--;
		n--;
	}
}

#define DIGEST_START 0xcbf29ce484222325ULL

/* FNV-1a, continued over pieces. */
static inline uint64_t digest_add(uint64_t h, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)bytes[i]) * 0x100000001b3ULL;
	return h;
}

/* Bytes on their way: [at, n) are to be sent or read. Grows; ends the process without memory,
 * because a test without memory has nothing to say. */
struct buf {
	char *p;
	size_t at, n, cap;
};

static inline size_t buf_left(const struct buf *b)
{
	return b->n - b->at;
}

/* Room for `n` more bytes; gives where they go. Add what was written to b->n. */
static inline char *buf_room(struct buf *b, size_t n)
{
	if (b->at == b->n)
		b->at = b->n = 0;
	if (!b->p || b->cap - b->n < n) {
		size_t cap = b->cap ? b->cap : 4096;

		while (cap < b->n + n)
			cap *= 2;
		b->p = realloc(b->p, cap);
		if (!b->p)
			abort();
		b->cap = cap;
	}
	return b->p + b->n;
}

static inline void buf_add(struct buf *b, const void *bytes, size_t n)
{
	if (n > 0)
		memcpy(buf_room(b, n), bytes, n);
	b->n += n;
}

static inline void buf_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

static inline void buf_fini(struct buf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

#endif
